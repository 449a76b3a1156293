"""The synthesised templates of all environments, made once for the session, without network, docker or built layers."""

from pathlib import Path

import pytest
from aws_cdk import App

from builders.templates import Templates
from stacks.assembly import build
from stacks.config import ENVIRONMENTS, load
from stacks.shop import ROOT, Endpoints


@pytest.fixture(scope="session")
def every_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    layer = tmp_path_factory.mktemp("layer")
    (layer / "python").mkdir()
    return {name: _synthesise(name, tmp_path_factory.mktemp(name), layer) for name in ENVIRONMENTS}


def _synthesise(environment: str, folder: Path, layer: Path) -> Templates:
    config = load(environment)
    app = App(outdir=str(folder), analytics_reporting=False)
    endpoints = (
        Endpoints("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3") if config.local else Endpoints()
    )
    build(app, config, endpoints=endpoints, runtime_layer=layer, document=ROOT / "docs" / "openapi.json")
    return Templates(environment, {stack.stack_name: stack.template for stack in app.synth().stacks})


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def templates(request: pytest.FixtureRequest, every_environment: dict[str, Templates]) -> Templates:
    return every_environment[request.param]


@pytest.fixture(scope="session")
def local(every_environment: dict[str, Templates]) -> Templates:
    return every_environment["local"]


@pytest.fixture(scope="session")
def dev(every_environment: dict[str, Templates]) -> Templates:
    return every_environment["dev"]


@pytest.fixture(scope="session")
def prod(every_environment: dict[str, Templates]) -> Templates:
    return every_environment["prod"]


@pytest.fixture(scope="session")
def documented() -> dict[str, bool]:
    """The functions of docs/architecture.md, and whether they import stripe."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Functions")[2]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    functions: dict[str, bool] = {}
    for names, _, stripe in rows:
        functions |= {name.strip(" `"): stripe.strip().startswith("yes") for name in names.split(",")}
    return functions
