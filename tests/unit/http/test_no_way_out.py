"""What runs on AWS opens no connection but to AWS, Stripe, EasyPost and the user pool, and unpacks nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEPLOYED = [*(ROOT / "layers/commerce/python/commerce").rglob("*.py"), *(ROOT / "functions").glob("*/*.py")]

CONNECTS = {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "socket", "urllib.request", "urllib3"}
UNPACKS = {"bz2", "gzip", "lzma", "marshal", "pickle", "PIL", "shelve", "subprocess", "tarfile", "xml", "zipfile"}
MAY_CONNECT = {
    ("adapters/tokens.py", "urllib3"),  # the user pool's keys, at an address from the environment
    ("payments/gateway.py", "urllib3"),  # Stripe
}


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def uses(dangerous: set[str]) -> set[tuple[str, str]]:
    return {
        ("/".join(path.parts[-2:]), name)
        for path in DEPLOYED
        for name in imported(path)
        if name in dangerous or name.partition(".")[0] in dangerous
    }


def test_nothing_fetches_an_address_that_somebody_names() -> None:
    assert uses(CONNECTS) == MAY_CONNECT


def test_nothing_unpacks_what_somebody_sends() -> None:
    assert uses(UNPACKS) == set()
    assert [path for path in DEPLOYED if "decompress" in path.read_text("utf-8")] == []


@pytest.mark.parametrize("name", ["eval", "exec", "compile", "__import__"])
def test_nothing_runs_text(name: str) -> None:
    calls = [
        path
        for path in DEPLOYED
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
    assert calls == []
