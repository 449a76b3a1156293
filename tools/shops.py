"""Which shop a tool looks at: the one on this laptop, or one on AWS, with the operator's own credentials."""

import argparse
import functools
from typing import Any, Protocol

import boto3

from tools.local.instance import Instance


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
        return boto3.client(service)

    def output(self, name: str) -> str:
        """One output. Raises LookupError where no stack tells it."""
        try:
            return self._outputs[name]
        except KeyError:
            raise LookupError(f"no stack tradepost-{self.environment}-… tells {name}; see docs/deploy.md") from None

    @functools.cached_property
    def _outputs(self) -> dict[str, str]:
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
    """The shop that the command line names."""
    return Instance.current() if options.environment == "local" else ShopOnAws(options.environment)

