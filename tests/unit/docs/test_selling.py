"""docs/selling.md: it names everything that a buyer can be told."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOMAIN = ROOT / "layers/commerce/python/commerce"
PAGE = (ROOT / "docs/selling.md").read_text("utf-8")
MADE_OF_A_STATUS = {"backorder", "preorder", "checkout_completed", "checkout_canceled"}
"""Codes that the code puts together, of a selling mode and of a checkout's status."""


def told() -> Iterator[str]:
    """The codes of all messages, as the code writes them."""
    for path in sorted(DOMAIN.rglob("*.py")):
        text = path.read_text("utf-8")
        if "commerce.messages import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("error", "warning", "info"):
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    yield str(code.value)


def named(page: str) -> set[str]:
    """What stands as code in the page."""
    return set(re.findall(r"`([a-z_]+)`", page))


def test_the_page_names_every_message_that_a_buyer_can_get() -> None:
    codes = {*told(), *MADE_OF_A_STATUS}

    assert len(codes) > 20
    assert codes - named(PAGE) == set()
