"""What the stacks tell each other: one value that grows from the data up to the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from stacks.config import Config
from stacks.functions import Secret
from stacks.tables import TableSpec

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Endpoints:
    """Where the doubles of one laptop listen; None means the real thing."""

    stripe: str | None = None
    carrier: str | None = None
    aws: str | None = None


@dataclass(frozen=True)
class Shop:
    """What every function may need to be told."""

    config: Config
    key: kms.IKey | None
    """The shop's own, or None for AWS's."""
    url: str
    """The shop's address, without a slash at the end."""
    tables: Mapping[TableSpec, dynamodb.ITable]
    secrets: Mapping[Secret, str]
    """Their ARNs."""
    user_pool_id: str
    user_pool_arn: str
    user_pool_issuer: str
    user_pool_client_id: str
    user_pool_jwks: str | None
    """Where the keys of the user pool are, if not under the issuer."""
    endpoints: Endpoints
    packages: Path
    """A folder with a folder for each layer of `stacks.functions`."""

    def settings(self) -> str:
        """`SETTINGS`: the shop's rules as JSON."""
        rules = self.config.shop.model_copy(update={"url": self.url})
        return rules.model_dump_json(exclude_defaults=True)


def physical_name(config: Config, name: str) -> str:
    """`tradepost-prod-ship-order`: what people type, so it is not left to CloudFormation. Not for what holds data."""
    return f"tradepost-{config.environment}-{name.replace('_', '-')}"
