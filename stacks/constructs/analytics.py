"""Events for analysts: Firehose writes them to S3 as JSON lines, a folder for each day; Athena reads them there."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from commerce.analytics.model import COLUMNS
from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.retention import retention
from stacks.data import ATHENA_RESULTS
from stacks.keys import USE
from stacks.shop import physical_name

_EVENTS = "events/"


class Analytics(Construct):
    """Delivery stream, table and work group."""

    def __init__(self, scope: Construct, id_: str, *, bucket: s3.IBucket, config: Config, key: kms.IKey | None) -> None:
        super().__init__(scope, id_)
        self.stream_name = physical_name(config, "analytics")
        self.database_name = f"tradepost_{config.environment}"
        self.workgroup_name = physical_name(config, "analytics")
        self._deliver(bucket, config, key)
        self._describe(bucket)
        athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=self.workgroup_name,
            description="Questions to the shop's events",
            recursive_delete_option=not config.keep_data,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                # 10 GB, about five US cents: a question without a day in it is stopped before it costs more.
                bytes_scanned_cutoff_per_query=10 * 1024**3,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{bucket.bucket_name}/{ATHENA_RESULTS}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS" if key else "SSE_S3", kms_key=key.key_arn if key else None
                    ),
                ),
            ),
        )

    def _deliver(self, bucket: s3.IBucket, config: Config, key: kms.IKey | None) -> None:
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/kinesisfirehose/{self.stream_name}",
            retention=retention(config.log_retention_days),
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        log_stream = logs.LogStream(self, "LogStream", log_group=log_group, log_stream_name="delivery")
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        statements = {
            bucket.bucket_arn: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            # Objects have no names before they are written, so these two end in a wildcard.
            bucket.arn_for_objects(f"{_EVENTS}*"): ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
            bucket.arn_for_objects("failed/*"): ["s3:PutObject", "s3:AbortMultipartUpload"],
            log_group.log_group_arn: ["logs:PutLogEvents"],
            **({key.key_arn: list(USE)} if key else {}),
        }
        granted = [
            role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
            for resource, actions in statements.items()
        ]
        stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name=self.stream_name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{_EVENTS}day=!{{timestamp:yyyy-MM-dd}}/",
                error_output_prefix="failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/",
                compression_format="UNCOMPRESSED",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=60, size_in_m_bs=16
                ),
                cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=log_group.log_group_name, log_stream_name=log_stream.log_stream_name
                ),
            ),
        )
        for grant in granted:
            if grant.policy_dependable:
                stream.node.add_dependency(grant.policy_dependable)
        self.stream_arn = stream.attr_arn
        RunbookAlarm(
            self,
            "Late",
            says="Events have waited for more than fifteen minutes on their way to analytics",
            runbook="analytics-late",
            metric=cloudwatch.Metric(
                namespace="AWS/Firehose",
                metric_name="DeliveryToS3.DataFreshness",
                dimensions_map={"DeliveryStreamName": self.stream_name},
                statistic=cloudwatch.Stats.MAXIMUM,
            ),
            threshold=900,
        )

    def _describe(self, bucket: s3.IBucket) -> None:
        """A table whose days are computed, not registered: no crawler, and a new day is there at once."""
        location = f"s3://{bucket.bucket_name}/{_EVENTS}"
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="The shop's events"
            ),
        )
        table = glue.CfnTable(
            self,
            "Table",
            catalog_id=Stack.of(self).account,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name="events",
                description="One row for each event that the shop published",
                table_type="EXTERNAL_TABLE",
                partition_keys=[glue.CfnTable.ColumnProperty(name="day", type="string")],
                parameters={
                    "classification": "json",
                    "projection.enabled": "true",
                    "projection.day.type": "date",
                    "projection.day.format": "yyyy-MM-dd",
                    "projection.day.range": "2026-01-01,NOW",
                    "storage.location.template": f"{location}day=${{day}}/",
                },
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=location,
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe",
                        parameters={"ignore.malformed.json": "true"},
                    ),
                    columns=[glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in COLUMNS],
                ),
            ),
        )
        table.add_resource_dependency(database)
