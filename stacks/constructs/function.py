"""Lambda functions from their specification: own role, own log group, layers, environment, alarms."""

import shutil
from pathlib import Path
from typing import Self

from aws_cdk import Duration, RemovalPolicy, Stack, Stage
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.retention import retention
from stacks.functions import FunctionSpec, Layer, Operation
from stacks.shop import ROOT, Shop, physical_name
from stacks.tables import TableSpec

METRICS = "Tradepost"
"""The namespace of what functions count themselves."""
_NOT_CODE = ["**/__pycache__", "**/*.pyc"]


class Layers(Construct):
    """The commerce domain and the third-party packages: a set for each stack.

    Not shared between stacks: a layer's new version has a new address, and CloudFormation refuses to change an
    exported one that another stack still imports.
    """

    def __init__(self, scope: Construct, shop: Shop) -> None:
        super().__init__(scope, "Layers")
        self._packages = shop.packages
        self._commerce = self._made(
            "Commerce", lambda_.Code.from_asset(str(ROOT / "layers/commerce"), exclude=_NOT_CODE)
        )

    @classmethod
    def of(cls, stack: Stack, shop: Shop) -> Self:
        """The stack's own set."""
        return stack.node.try_find_child("Layers") or cls(stack, shop)  # type: ignore[return-value]

    def needed(self, spec: FunctionSpec) -> list[lambda_.ILayerVersion]:
        """The function's layers: the domain, and those packages that it may load."""
        return [*map(self._layer, spec.layers), self._commerce]

    def _layer(self, layer: Layer) -> lambda_.ILayerVersion:
        known = self.node.try_find_child(layer.capitalize())
        return known or self._made(  # type: ignore[return-value]
            layer.capitalize(), lambda_.Code.from_asset(str(self._packages / layer))
        )

    def _made(self, id_: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            id_,
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )


class CommerceFunction(lambda_.Function):
    """`functions/<name>` with exactly the rights of its specification."""

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        shop: Shop,
        *,
        state_machine: stepfunctions.IStateMachine | None = None,
        environment: dict[str, str] | None = None,
        answers: bool = False,
    ) -> None:
        """One that `answers` requests has no alarm for its errors: the API counts them, and rings for all of them."""
        id_ = "".join(word.capitalize() for word in spec.name.split("_"))
        name = physical_name(shop.config, spec.name)
        role = iam.Role(scope, f"{id_}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group = logs.LogGroup(
            scope,
            f"{id_}Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=retention(shop.config.log_retention_days),
            encryption_key=shop.key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        )
        super().__init__(
            scope,
            id_,
            function_name=name,
            description=spec.does,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(_package(scope, spec)), exclude=_NOT_CODE),
            handler="handler.handler",
            layers=Layers.of(Stack.of(scope), shop).needed(spec),
            memory_size=spec.memory,
            timeout=Duration.seconds(spec.timeout),
            role=role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if spec.starts_traces else lambda_.Tracing.PASS_THROUGH,
            reserved_concurrent_executions=shop.config.reserved_concurrency.get(spec.name),
            environment={**_environment(spec, shop), **(environment or {})},
            environment_encryption=shop.key,
        )
        self.spec = spec
        for table, operations in spec.tables.items():
            if operations:
                self._grant_table(table, operations, shop)
        for secret in spec.secrets:
            self.allow("secretsmanager:GetSecretValue", shop.secrets[secret])
        if shop.key:
            self.allow("kms:Decrypt", shop.key.key_arn)
        if spec.workflow:
            assert state_machine is not None, f"{spec.name} works with the state machine; pass it"
            self.add_environment("STATE_MACHINE_ARN", state_machine.state_machine_arn)
            for action in spec.workflow:
                self.allow(f"states:{action}", state_machine.state_machine_arn)
        for operation in spec.accounts:
            self.allow(f"cognito-idp:{operation}", shop.user_pool_arn)
        self.errors = None if answers else self._watch()

    def allow(self, action: str, *resources: str) -> None:
        """Lets the function call `action` on exactly these resources."""
        self.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=list(resources)))

    def _grant_table(self, spec: TableSpec, operations: tuple[Operation, ...], shop: Shop) -> None:
        arn = shop.tables[spec].table_arn
        indexes = [f"{arn}/index/{index.name}" for index in spec.indexes if index.name in self.spec.indexes]
        self.add_to_role_policy(
            iam.PolicyStatement(actions=[f"dynamodb:{operation}" for operation in operations], resources=[arn])
        )
        if indexes:
            self.allow("dynamodb:Query", *indexes)

    def _watch(self) -> RunbookAlarm:
        name = self.spec.name
        return RunbookAlarm(
            self,
            "Errors",
            says=f"The function {name} ended with an error or ran out of time",
            runbook="function-errors",
            metric=self.metric_errors(statistic=cloudwatch.Stats.SUM),
        )


def _package(scope: Construct, spec: FunctionSpec) -> Path:
    """The folder that becomes the function: its own, or a copy of it in the assembly with what belongs beside it."""
    folder = ROOT / "functions" / spec.name
    if not spec.beside:
        return folder
    stage = Stage.of(scope)
    assert stage is not None
    package = Path(stage.outdir) / f"package.{spec.name}"
    shutil.copytree(folder, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / name for name in spec.beside):
        if path.is_dir():
            shutil.copytree(path, package / path.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, package)
    return package


def _environment(spec: FunctionSpec, shop: Shop) -> dict[str, str]:
    """What the function is told; optional addresses only where a double stands in."""
    optional: dict[str, str | None] = {table.variable: shop.tables[table].table_name for table in spec.tables}
    for secret in spec.secrets:
        optional[f"{secret.upper()}_SECRET_ARN"] = shop.secrets[secret]
    if "payment" in spec.secrets:
        optional["STRIPE_API_BASE"] = shop.endpoints.stripe
    if "carrier" in spec.secrets:
        optional["CARRIER_API_BASE"] = shop.endpoints.carrier
    if spec.tokens:
        optional["USER_POOL_ISSUER"] = shop.user_pool_issuer
        optional["USER_POOL_CLIENT_ID"] = shop.user_pool_client_id
        optional["JWKS_URL"] = shop.user_pool_jwks
    if spec.accounts:
        optional["USER_POOL_ID"] = shop.user_pool_id
    if spec.media:
        optional["MEDIA_URL"] = f"{shop.url}/media"
    return {
        "SETTINGS": shop.settings(),
        "POWERTOOLS_SERVICE_NAME": spec.name,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS,
        "POWERTOOLS_LOG_LEVEL": "INFO",
        **{name: value for name, value in optional.items() if value},
    }
