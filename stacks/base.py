"""What all stacks of the shop have in common."""

from aws_cdk import CfnOutput, CliCredentialsStackSynthesizer, Environment, Stack
from constructs import Construct

from stacks.config import Config


class ShopStack(Stack):
    """`tradepost-<environment>-<name>`. On one laptop the deploying credentials are used as they are: the local AWS
    enforces IAM, and the bootstrap's roles cannot reach its asset bucket there."""

    def __init__(self, scope: Construct, name: str, *, config: Config, does: str, region: str | None = None) -> None:
        """`region` where AWS wants it elsewhere than the shop."""
        super().__init__(
            scope,
            name,
            stack_name=f"tradepost-{config.environment}-{name}",
            description=f"Tradepost {config.environment}: {does}",
            env=Environment(account=config.account, region=region or config.region),
            synthesizer=CliCredentialsStackSynthesizer() if config.local else None,
            termination_protection=config.keep_data,
            cross_region_references=False,
            tags={"shop": "tradepost", "environment": config.environment},
        )
        self.config = config

    def tell(self, name: str, value: str) -> None:
        """An output that tools and people read; its name is the same everywhere and unique over all stacks."""
        CfnOutput(self, f"{name}Output", value=value).override_logical_id(name)
