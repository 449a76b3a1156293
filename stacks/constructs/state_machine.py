"""State machines from their file in `statemachines/`."""

import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.retention import retention
from stacks.shop import physical_name
from stacks.substitution import substituted


class CommerceStateMachine(stepfunctions.StateMachine):
    """A Standard state machine, logged (without its data, which may be personal) and traced, with its alarms."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        file: Path,
        config: Config,
        key: kms.IKey | None,
        substitutions: Mapping[str, str | int],
        stuck: str = "an order is stuck",
        runbooks: tuple[str, str] = ("execution-failed", "execution-timed-out"),
        urgent: bool = True,
    ) -> None:
        """`stuck` is what an execution that ends badly means; `runbooks` are for one that failed, and one that timed
        out.
        """
        definition = substituted(json.loads(file.read_text(encoding="utf-8")), substitutions)
        name = physical_name(config, file.name.removesuffix(".asl.json"))
        super().__init__(
            scope,
            id_,
            state_machine_name=name,
            definition_body=stepfunctions.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=logs.LogGroup(
                    scope,
                    f"{id_}Logs",
                    # Vended logs are allowed by this prefix; a policy per log group runs into CloudWatch's limit.
                    log_group_name=f"/aws/vendedlogs/states/{name}",
                    retention=retention(config.log_retention_days),
                    encryption_key=key,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=stepfunctions.LogLevel.ALL,
                include_execution_data=False,
            ),
        )
        RunbookAlarm(
            self,
            "Failed",
            says=f"An execution of {name} failed: {stuck}",
            runbook=runbooks[0],
            metric=self.metric_failed(statistic=cloudwatch.Stats.SUM),
            urgent=urgent,
        )
        RunbookAlarm(
            self,
            "TimedOut",
            says=f"An execution of {name} ran out of time: {stuck}",
            runbook=runbooks[1],
            metric=self.metric_timed_out(statistic=cloudwatch.Stats.SUM),
            urgent=urgent,
        )
