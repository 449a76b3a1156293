"""The threat model names files and tests that exist."""

import re
from pathlib import Path

import pytest

from commerce.contact import address_key
from stacks.tables import ORDERS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
CODE = re.findall(r"`([^`\s]+)`", PAGE)
TESTS = sorted({one for one in CODE if one.startswith("tests/")})
FILES = sorted({one for one in CODE if re.search(r"^[\w./-]+(\.py|\.json|\.yml|\.txt|/)$", one) and one not in TESTS})


@pytest.mark.parametrize("name", TESTS)
def test_every_test_that_it_names_is_there(name):
    path, _, function = name.partition("::")
    text = (ROOT / path).read_text("utf-8")
    assert f"def {function}(" in text if function else "def test_" in text


@pytest.mark.parametrize("name", FILES)
def test_every_file_that_it_names_is_there(name):
    domain = ROOT / "layers" / "commerce" / "python"
    assert (domain / name if name.startswith("commerce/") else ROOT / name).exists()


def test_every_attack_has_a_test_or_says_that_it_has_none():
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    attacks = [row for row in rows if len(row) == 3 and row[0] not in ("attack", "where")]
    assert len(attacks) > 30
    for attack, _, proof in attacks:
        assert "tests/" in proof or proof in ("not tested", "not defended", "as above"), attack


def test_the_index_by_email_holds_no_address():
    [index] = [one for one in ORDERS.indexes if one.name == "by_email"]
    assert (index.partition, index.projection) == ("email_key", "KEYS_ONLY")
    assert not re.search("ada|example", address_key("ada@example.com"))
