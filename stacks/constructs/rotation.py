"""The signing keys rotate by themselves: nobody outside of the shop has to be told."""

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.constructs.function import CommerceFunction
from stacks.functions import FUNCTIONS
from stacks.shop import Shop

ROTATION_DAYS = 90
"""What PCI DSS and the like ask for. How long links live follows from it, see `commerce.identity.model.KEYS_KEPT`."""


def rotate_signing_keys(scope: Construct, shop: Shop) -> None:
    """The function, and Secrets Manager's schedule for it. The schedule's first run is at once."""
    secret = shop.secrets["signing"]
    function = CommerceFunction(scope, FUNCTIONS["rotate_signing_keys"], shop)
    for action in ("DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"):
        function.allow(f"secretsmanager:{action}", secret)
    if shop.key:
        function.allow("kms:GenerateDataKey", shop.key.key_arn)
    allowed = lambda_.CfnPermission(
        scope,
        "RotateSigningKeysPermission",
        action="lambda:InvokeFunction",
        function_name=function.function_arn,
        principal="secretsmanager.amazonaws.com",
        source_account=Aws.ACCOUNT_ID,
        source_arn=secret,
    )
    schedule = secretsmanager.CfnRotationSchedule(
        scope,
        "RotateSigningKeysSchedule",
        secret_id=secret,
        rotation_lambda_arn=function.function_arn,
        rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(automatically_after_days=ROTATION_DAYS),
    )
    schedule.add_resource_dependency(allowed)
