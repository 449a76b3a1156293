"""What operators type when a person asks about their data."""

import json
from typing import Any

import pytest

from tools.privacy import __main__ as command

ASK = ["ask", "ada@example.com", "--reference", "ticket 17", "--kind"]
REQUEST = {"id": "person_1", "kind": "erase", "state": "waiting", "reference": "ticket 17", "waits_for": ["order_1"]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the deployed functions were asked."""
    calls: list[tuple[Any, ...]] = []

    def ask(_shop: Any, function: str, route: str, request_id: str, *, key: str, body: Any, group: str) -> Any:
        calls.append((function, route, request_id, key, body, group))
        return {"email": "ada@example.com"} if function == "export-person" else REQUEST

    monkeypatch.setattr(command.admin_api, "ask", ask)
    monkeypatch.setattr(command, "chosen", lambda _: None)
    return calls


def test_an_export_is_printed_as_json(asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*ASK, "export"]) == 0

    assert json.loads(capsys.readouterr().out) == {"email": "ada@example.com"}
    assert [call[0] for call in asked] == ["admin-privacy", "export-person"]


def test_an_erasure_says_what_it_waits_for(asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*ASK, "erase", "--yes"]) == 0

    told = capsys.readouterr().out
    assert "person_1  erase  waiting" in told and "order_1" in told
    [(_, _, _, key, body, group)] = asked
    assert (body["kind"], group) == ("erase", "admin")
    assert "ada" not in key, "keys are logged where values are not"


@pytest.mark.parametrize("how", [["--dry-run"], []], ids=["only asked what", "nobody there to agree"])
def test_nobody_is_erased_unasked(asked: list[tuple[Any, ...]], how: list[str]) -> None:
    assert command.main([*ASK, "erase", *how]) == (0 if how else 1)

    assert asked == []


@pytest.mark.parametrize("arguments", [["scan"], ["show", "person_1"], [*ASK, "export"]])
@pytest.mark.parametrize(("name", "says"), [("nobodys", "make up"), ("../main", "TRADEPOST_INSTANCE")])
def test_a_shop_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], name: str, says: str
) -> None:
    monkeypatch.setenv("TRADEPOST_INSTANCE", name)

    assert command.main(arguments) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_an_environment_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["scan", "--environment", "prd"]) == 1
    assert "'prd'" in capsys.readouterr().err


def test_what_is_found_is_counted_and_fails(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "scan", lambda *_, **__: iter(["table orders, ORDER.note: a secret"] * 2))

    assert command.main(["scan"]) == 1
    assert "2 x table orders, ORDER.note: a secret" in capsys.readouterr().out
