"""Which shop a tool looks at: the one on this laptop, or one on AWS, with the operator's own credentials.

`python -m tools.shops` is what `make deploy` asks first: whether there are credentials at all.
"""

import argparse
import functools
import os
import sys
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError

from stacks.config import ConfigError, load
from tools.local.instance import Instance
from tools.local.steps import Stop, complain


class Shop(Protocol):
    """A deployed shop."""

    def client(self, service: str) -> Any:
        """A boto3 client that reaches it."""

    def output(self, name: str) -> str:
        """What its stacks tell under this name. Raises LookupError."""


class ShopOnAws:
    """The shop of `make deploy ENV=…`. The profile is that of the AWS tools, and so is the region if none is said."""

    def __init__(self, environment: str, region: str | None) -> None:
        self.environment, self.region = environment, region

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return boto3.client(service, region_name=self.region)

    def output(self, name: str) -> str:
        """One output. Raises LookupError where no stack tells it."""
        try:
            return self.outputs[name]
        except KeyError:
            raise LookupError(f"no stack tradepost-{self.environment}-… tells {name}; see docs/deploy.md") from None

    @functools.cached_property
    def outputs(self) -> dict[str, str]:
        """All that the environment's stacks tell; nothing before the first deployment."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {
            output["OutputKey"]: output["OutputValue"]
            for page in pages
            for stack in page["Stacks"]
            if stack["StackName"].startswith(f"tradepost-{self.environment}-")
            for output in stack.get("Outputs", [])
        }


def choose(parser: argparse.ArgumentParser) -> None:
    """The option by which a command is told which shop."""
    parser.add_argument("--environment", default="local", help="local (the default), or dev, prod: that on AWS")


def chosen(options: argparse.Namespace) -> Shop:
    """The shop that the command line names. Raises LookupError where that on this machine does not run, Stop
    where there cannot be one of this name.
    """
    if options.environment == "local":
        return Instance.current().running()
    try:
        # The CDK reads AWS_REGION; boto3 by itself reads AWS_DEFAULT_REGION alone.
        return ShopOnAws(options.environment, load(options.environment).region or os.environ.get("AWS_REGION"))
    except ConfigError as wrong:
        raise Stop(str(wrong)) from None


def signed_in() -> bool:
    """Whether this shell has AWS credentials; says what to do if not."""
    try:
        if boto3.Session().get_credentials():
            return True
        complain("There are no AWS credentials in this shell. Sign in, or set AWS_PROFILE; see docs/deploy.md")
    except BotoCoreError as failure:
        complain(f"The AWS credentials of this shell cannot be used: {failure}")
    return False


if __name__ == "__main__":
    sys.exit(0 if signed_in() else 1)
