"""The templates of an environment, made without network, docker, credentials or built layers."""

from pathlib import Path
from typing import Any

from aws_cdk import App

from stacks.assembly import build
from stacks.config import Config, load
from stacks.functions import LAYERS
from stacks.shop import ROOT, Endpoints

_DOUBLES = Endpoints("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")


def synthesised(environment: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The templates by stack name. What the CDK writes goes into `folder`."""
    return made_of(load(environment), folder)


def made_of(config: Config, folder: Path) -> dict[str, dict[str, Any]]:
    """The same of a config that stands in no file."""
    packages = folder / "packages"
    for layer in LAYERS:
        (packages / layer).mkdir(parents=True, exist_ok=True)
    app = App(outdir=str(folder / config.environment), analytics_reporting=False)
    build(
        app,
        config,
        endpoints=_DOUBLES if config.local else Endpoints(),
        packages=packages,
        document=ROOT / "docs" / "openapi.json",
    )
    return {stack.stack_name: stack.template for stack in app.synth().stacks}
