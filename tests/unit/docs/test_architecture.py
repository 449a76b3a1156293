"""The page that newcomers read first says what the code is."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
DOMAIN = ROOT / "layers" / "commerce" / "python" / "commerce"
CONTEXTS = {path.parent.name for path in DOMAIN.glob("*/__init__.py")} - {"adapters"}


def floors_of_the_page() -> list[set[str]]:
    """From the top down."""
    rows = re.findall(r"^\| [1-9] \| (.+) \|$", PAGE, re.MULTILINE)
    return [CONTEXTS & set(re.findall(r"[a-z]+", row.partition(", which")[0])) for row in rows]


def floors_of_the_linter() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    floors = [set(re.findall(r"commerce\.(\w+)", layer)) for layer in layers]
    return [floor for floor in floors if floor != {"adapters"}]


def test_every_context_stands_on_a_floor_of_the_page_and_where_the_linter_holds_it():
    assert floors_of_the_page() == floors_of_the_linter()
    assert set().union(*floors_of_the_page()) == CONTEXTS


def test_every_room_of_a_context_is_on_the_page():
    rooms = {path.name for context in CONTEXTS for path in DOMAIN.glob(f"{context}/[a-z]*.py")}
    assert rooms == {room for room in rooms if f"`{room}`" in PAGE}
