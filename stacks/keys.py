"""The shop's own encryption key, where the config asks for one: `encryption = "customer"`.

Its own stack, since everything that it encrypts stands above it.
"""

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.retention import removal

_USE = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
USE = ("kms:Decrypt", "kms:GenerateDataKey")
"""What reading and writing through another service takes."""

_ADMINISTER = (
    *_USE,
    "CreateGrant",
    "ListGrants",
    "RevokeGrant",
    "GetKeyPolicy",
    "PutKeyPolicy",
    "ListKeyPolicies",
    "GetKeyRotationStatus",
    "EnableKeyRotation",
    "DisableKeyRotation",
    "ListKeyRotations",
    "RotateKeyOnDemand",
    "EnableKey",
    "DisableKey",
    "UpdateKeyDescription",
    "CreateAlias",
    "UpdateAlias",
    "DeleteAlias",
    "TagResource",
    "UntagResource",
    "ListResourceTags",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
)
"""Everything that an account does with a key of its own, named one by one instead of `kms:*`."""


class KeysStack(ShopStack):
    """One key for logs, secrets, the analytics bucket, the alarms' topic and the functions' environments."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "keys", config=config, does="the encryption key")
        self.key = kms.Key(
            self,
            "Key",
            description=f"Tradepost {config.environment}: logs, secrets, analytics, alarms",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=removal(config),
            policy=iam.PolicyDocument(
                statements=[
                    _allow(iam.AccountRootPrincipal(), *_ADMINISTER),
                    _allow(
                        iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com"),
                        *_USE,
                        condition={
                            "ArnLike": {
                                "kms:EncryptionContext:aws:logs:arn": (
                                    f"arn:{Aws.PARTITION}:logs:{self.region}:{self.account}:log-group:*"
                                )
                            }
                        },
                    ),
                    _allow(
                        iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                        "Decrypt",
                        "GenerateDataKey",
                        condition={"StringEquals": {"aws:SourceAccount": self.account}},
                    ),
                ]
            ),
        )


def _allow(
    principal: iam.IPrincipal, *actions: str, condition: dict[str, dict[str, str]] | None = None
) -> iam.PolicyStatement:
    """In a key's own policy, `*` means this key."""
    return iam.PolicyStatement(
        principals=[principal],
        actions=[f"kms:{action}" for action in actions],
        resources=["*"],
        conditions=condition,
    )
