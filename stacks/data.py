"""What must not be lost: tables, the analytics bucket, secrets."""

import json
import string

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.bucket import AccessLogBucket, KeptBucket
from stacks.constructs.retention import removal
from stacks.constructs.table import CommerceTable
from stacks.functions import Secret
from stacks.tables import ALL

ATHENA_RESULTS = "athena-results/"


class DataStack(ShopStack):
    """Deployed rarely, and never replaced."""

    def __init__(self, scope: Construct, config: Config, *, key: kms.IKey | None) -> None:
        super().__init__(scope, "data", config=config, does="tables, analytics, secrets")
        self.tables = {spec: CommerceTable(self, spec.output, spec=spec, config=config) for spec in ALL}
        self._key = key
        self.access_logs = AccessLogBucket(self, "AccessLogs", config=config)
        self.analytics = KeptBucket(
            self,
            "Analytics",
            config=config,
            access_logs=self.access_logs,
            key=key,
            lifecycle_rules=[s3.LifecycleRule(prefix=ATHENA_RESULTS, expiration=Duration.days(7))],
        )
        self.secrets: dict[Secret, str] = {
            "payment": self._secret("Payment", "Stripe's keys", "webhook_secret", api_key="unset"),
            "carrier": self._secret("Carrier", "The carrier's keys", "webhook_secret", api_key="unset"),
            "signing": self._secret("Signing", "Signs cursors and the order links of guests", "key"),
        }
        """Their ARNs."""
        for spec, table in self.tables.items():
            self.tell(spec.output, table.table_name)
        for name, arn in self.secrets.items():
            self.tell(f"{name.capitalize()}SecretArn", arn)
        self.tell("AnalyticsBucket", self.analytics.bucket_name)
        self.tell("AccessLogBucket", self.access_logs.bucket_name)

    def _secret(self, name: str, description: str, generated: str, **fields: str) -> str:
        """A JSON secret's ARN. CloudFormation makes the first value only; later ones are put by people and stay."""
        secret = secretsmanager.CfnSecret(
            self,
            f"{name}Secret",
            description=description,
            kms_key_id=self._key.key_arn if self._key else None,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                secret_string_template=json.dumps(fields),
                generate_string_key=generated,
                password_length=48,
                exclude_characters=string.punctuation,
            ),
        )
        secret.apply_removal_policy(removal(self.config))
        # Not `Ref`, which is the ARN on AWS too, but the name on the local AWS.
        return secret.attr_id
