"""A DynamoDB engine for repositories and use cases: dynoxide, which is exact under racing threads.

Every test has tables of its own, so tests neither see nor wait for each other.
"""

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.session import get_session

from builders.orders import Shop
from builders.pricing import settings
from builders.servers import Process, served
from builders.wiring import forget
from commerce.adapters import secrets
from stacks.tables import ALL
from tools.contract.engines import create_table_request
from tools.local.instance import HOST

ROOT = Path(__file__).parents[2]
PACKAGE = "@dynoxide/linux-x64"
VERSION = "1.2.1"
SIGNING_KEY = "a key for tests"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine, with its data in memory."""
    binary, log = _binary(tmp_path_factory), tmp_path_factory.mktemp("engine") / "log"

    def start(port: int) -> Process:
        with log.open("ab") as said:
            return subprocess.Popen([binary, "--host", HOST, "--port", str(port)], stdout=said, stderr=said)

    process, port = served(start, _answers, log=log)
    yield _url(port)
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def dynamodb(engine: str) -> Any:
    """A client of the engine for as many threads as the largest rush has buyers."""
    return new_client(engine)


@pytest.fixture
def tables(dynamodb: Any) -> Iterator[dict[str, str]]:
    """Fresh tables: the name of each by the environment variable under which functions find it."""
    prefix = uuid4().hex[:12]
    names = {spec.variable: f"{prefix}-{spec.name}" for spec in ALL}
    for spec in ALL:
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        recorded = {"StreamSpecification": stream} if spec.stream else {}
        dynamodb.create_table(**create_table_request(spec, names[spec.variable]), **recorded)
    yield names
    for name in names.values():
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def shop(dynamodb: Any, tables: dict[str, str]) -> Shop:
    """The shop's repositories on fresh tables, with doubles of the catalogue, the payment provider and the workflow."""
    return Shop(dynamodb, tables)


@pytest.fixture
def function_of_the_shop(engine: str, tables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that a function finds: `commerce.adapters.wiring` leads to this test's tables."""
    variables = {
        **tables,
        "AWS_ENDPOINT_URL_DYNAMODB": engine,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "SETTINGS": settings().model_dump_json(),
        "SIGNING_SECRET_ARN": "arn:signing",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(secrets._known, "arn:signing", (float("inf"), {"key": SIGNING_KEY}))
    forget()
    yield
    forget()


def new_client(url: str, **config: Any) -> Any:
    """A client of the engine at `url`; its calls never leave this machine."""
    return get_session().create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(max_pool_connections=220, retries={"mode": "standard", "max_attempts": 4}, **config),
    )


def _binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine from the installed npm packages, or else from npm's registry."""
    named = os.environ.get("DYNOXIDE")
    installed = [Path(named)] if named else [ROOT / "node_modules" / PACKAGE / "dynoxide"]
    for binary in installed:
        if binary.exists():
            return binary
    folder = tmp_path_factory.mktemp("dynoxide")
    subprocess.run(
        ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package" / "dynoxide"


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _answers(port: int) -> bool:
    try:
        new_client(_url(port)).list_tables()
    except (ClientError, EndpointConnectionError):
        return False
    return True
