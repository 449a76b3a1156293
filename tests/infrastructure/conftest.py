"""The synthesised templates of all environments, made once for the session, without network, docker or built layers."""

import pytest

from builders.templates import Templates
from stacks.config import ENVIRONMENTS
from stacks.shop import ROOT
from tools.ops_lint.synthesis import synthesised


@pytest.fixture(scope="session")
def every_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    folder = tmp_path_factory.mktemp("synthesised")
    return {name: Templates(name, synthesised(name, folder)) for name in ENVIRONMENTS}


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
