"""The documentation's function: both files as they stand in the repository, and not twice to the same reader."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def docs(tmp_path):
    """The function as it is packaged: its two files beside the handler."""
    for name in ("functions/docs/handler.py", "docs/openapi.json", "docs/api.html"):
        (tmp_path / Path(name).name).write_bytes((ROOT / name).read_bytes())
    spec = importlib.util.spec_from_file_location("docs_function", tmp_path / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda path, **headers: module.handler({"routeKey": f"GET {path}", "headers": headers}, None)


@pytest.mark.parametrize(
    ("path", "kind", "file"),
    [("/docs", "text/html; charset=utf-8", "api.html"), ("/openapi.json", "application/json", "openapi.json")],
)
def test_each_address_answers_its_file(docs, path, kind, file):
    answer = docs(path)

    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == kind
    assert answer["body"] == (ROOT / "docs" / file).read_text("utf-8")


def test_whoever_has_the_file_is_not_sent_it_again(docs):
    first = docs("/docs")

    again = docs("/docs", **{"If-None-Match": first["headers"]["etag"]})

    assert again["statusCode"] == 304
    assert again["body"] == ""


def test_the_page_may_load_nothing(docs):
    assert "default-src 'none'" in docs("/docs")["headers"]["content-security-policy"]


def test_the_answer_fits_into_what_lambda_may_answer(docs):
    assert len(docs("/openapi.json")["body"]) < 5_000_000
