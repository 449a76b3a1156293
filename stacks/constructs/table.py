"""DynamoDB tables from their specification."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.retention import removal_of_protected
from stacks.tables import Index, TableSpec


class CommerceTable(dynamodb.TableV2):
    """On demand and encrypted; where the environment keeps its data, also recoverable and protected."""

    def __init__(self, scope: Construct, id_: str, *, spec: TableSpec, config: Config) -> None:
        super().__init__(
            scope,
            id_,
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
            global_secondary_indexes=[_index(index) for index in spec.indexes],
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if spec.stream else None,
            time_to_live_attribute="expires_at" if spec.time_to_live else None,
            deletion_protection=config.keep_data,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=config.point_in_time_recovery,
                recovery_period_in_days=spec.recovery_days if config.point_in_time_recovery else None,
            ),
            removal_policy=removal_of_protected(config),
        )
        for requests in ("Read", "Write") if spec.read_by_buyers else ("Write",):
            RunbookAlarm(
                self,
                f"{requests}Throttles",
                says=f"DynamoDB refuses {requests.lower()}s of the {spec.name} table: too many at once",
                runbook="table-throttles",
                metric=self.metric(
                    f"{requests}ThrottleEvents", statistic=cloudwatch.Stats.SUM, period=Duration.minutes(5)
                ),
            )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _index(index: Index) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=index.name,
        partition_key=_string(index.partition),
        sort_key=_string(index.sort),
        projection_type=dynamodb.ProjectionType(index.projection),
        non_key_attributes=list(index.includes) or None,
    )
