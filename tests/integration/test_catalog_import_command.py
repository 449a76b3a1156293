"""The import as it is typed: what it prints and writes, and how it ends."""

import json
from pathlib import Path

import pytest

from commerce.adapters import wiring
from tools.importer import __main__ as command

GOOD = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\nmug,Mug,MUG,19.00,3\n"


@pytest.fixture
def arguments(
    function_of_the_shop: None, engine: str, tables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Options that lead to this test's tables, as outputs of a deployment in two stacks."""
    names = {f"{variable.removesuffix('_TABLE').capitalize()}Table": name for variable, name in tables.items()}
    (tmp_path / "outputs.json").write_text(json.dumps({"data": names, "edge": {"ApiId": "x"}}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "REPORT", tmp_path / "build" / "import-report.json")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "shop.toml").write_text('currencies = ["USD", "EUR"]\n')
    return ["--tables-from", str(tmp_path / "outputs.json"), "--endpoint-url", engine]


def table(folder: Path, content: str) -> str:
    (folder / "products.csv").write_text(content)
    return str(folder / "products.csv")


def test_an_import_that_goes_in_whole_ends_with_0(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([table(tmp_path, GOOD), *arguments]) == 0
    assert "1 created, 0 changed, 0 unchanged, 0 refused" in capsys.readouterr().out
    assert command.main([str(tmp_path), *arguments]) == 0
    assert "0 created, 0 changed, 1 unchanged, 0 refused" in capsys.readouterr().out
    assert wiring.inventory().stock("MUG", "main").available == 3


def test_a_refused_row_is_shown_reported_and_ends_it_with_1(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([table(tmp_path, f"{GOOD}bowl,Bowl,BOWL,free,1\n"), *arguments]) == 1
    assert "line 3 bowl: 'free' is not an amount" in capsys.readouterr().out
    report = json.loads(command.REPORT.read_text())
    assert report["products"]["created"] == 1
    assert [(refused["line"], refused["product"]) for refused in report["refused"]] == [(3, "bowl")]


@pytest.mark.parametrize(
    ("file", "options", "said"),
    [
        ("none.csv", [], "there is no file"),
        ("products.yaml", [], "say with --mapping"),
        ("products.csv", ["--mapping", "none.toml"], "there is no mapping file"),
        ("products.csv", ["--mapping", "spree"], "is this the right mapping?"),
        ("products.csv", ["--tables-from", "none.json"], "cannot be read"),
    ],
)
def test_what_cannot_begin_ends_with_2_and_one_clear_line(
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    options: list[str],
    said: str,
) -> None:
    table(tmp_path, GOOD)
    assert command.main([str(tmp_path / file), *arguments, *options]) == 2
    assert said in capsys.readouterr().out
    assert wiring.catalog().owners(["MUG"]) == {}
