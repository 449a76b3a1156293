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

from tools.local.instance import Instance
from tools.local.steps import complain


class Shop(Protocol):
    """A deployed shop."""

    def client(self, service: str) -> Any:
        """A boto3 client that reaches it."""

    def output(self, name: str) -> str:
        """What its stacks tell under this name. Raises LookupError."""


class ShopOnAws:
    """The shop of `make deploy ENV=…`. Profile and region are those of the AWS tools."""

    def __init__(self, environment: str) -> None:
        self.environment = environment

    def client(self, service: str) -> Any:
        """A boto3 client."""
        # The CDK reads AWS_REGION; boto3 by itself reads AWS_DEFAULT_REGION alone.
        return boto3.client(service, region_name=os.environ.get("AWS_REGION"))

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
    where it cannot have this name.
    """
    return Instance.current().running() if options.environment == "local" else ShopOnAws(options.environment)


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
