"""`make shrink` tells its stories twice, with the end-to-end tests between them."""

from types import SimpleNamespace
from typing import Any

import pytest

from stacks.functions import FUNCTIONS
from tools.local.instance import Instance
from tools.local.steps import Stop
from tools.wire import shrink
from tools.wire.campaign import Tally, Violation


def look(monkeypatch: pytest.MonkeyPatch, tally: Tally, *, failed: int = 0) -> list[str]:
    """What is done to the shelves while the stories end like this, and the tests buy what the stories want."""
    done: list[str] = []

    def tests(*_: Any, **__: Any) -> SimpleNamespace:
        done.append("sold out")
        return SimpleNamespace(returncode=failed)

    monkeypatch.setattr(shrink, "_tell_stories", lambda _: tally)
    monkeypatch.setattr(shrink.subprocess, "run", tests)
    stage: Any = SimpleNamespace(
        instance=Instance("test"), line=SimpleNamespace(calls=[]), fill_shelves=lambda: done.append("filled")
    )
    shrink._used(stage, {}, tests=True)
    return done


def test_what_the_tests_bought_is_there_again_for_the_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(monkeypatch, Tally()) == ["sold out", "filled"]


@pytest.mark.parametrize("failed", [0, 1])
def test_it_is_said_where_tests_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failed: int
) -> None:
    look(monkeypatch, Tally(), failed=failed)

    assert ("Not all tests passed" in capsys.readouterr().err) == bool(failed)


def test_a_shop_in_which_a_story_ends_badly_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Violation(1, 1, "lost", "nothing goes wrong", ("I1 SKU: gone",), ())

    with pytest.raises(Stop, match="lost: I1 SKU: gone"):
        look(monkeypatch, Tally(violations=[lost]))


@pytest.mark.parametrize(("function", "action", "name"), [rare for rare in shrink.RARE if rare[2].startswith("table/")])
def test_only_rights_that_are_granted_are_excused(function: str, action: str, name: str) -> None:
    specs = FUNCTIONS.values() if function == shrink.ANY else [FUNCTIONS[function]]
    table, _, index = name.removeprefix("table/").partition("/index/")
    granted = {
        f"dynamodb:{operation}"
        for spec in specs
        for known, operations in spec.tables.items()
        if known.name == table
        for operation in operations
    }

    assert any(index in spec.indexes for spec in specs) if index else action in granted
