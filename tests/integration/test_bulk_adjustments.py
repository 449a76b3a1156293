"""Adjustments by a table: all checked first, each row on its own, the same table never twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.catalog import draft
from builders.checkout import NOW
from builders.deployed import DeployedShop
from builders.faults import answers_lost_after_the_write
from builders.office import Answer, Office
from builders.orders import FakeCatalog, Shop
from builders.pricing import settings
from commerce.adapters import wiring
from commerce.catalog import service as catalog
from commerce.settings import Location
from commerce.stockroom.bulk import adjust_all, checked_sheet
from tools import stock_import

ROUTE = "POST /admin/stock-adjustments"
LOCATIONS = ("main", "annex")


def adjusted(shop: Shop, text: str) -> list[str]:
    """The outcomes of the table's rows."""
    sheet = checked_sheet(text.encode(), shop.catalog, locations=LOCATIONS, most=100)
    return [result.outcome for result in adjust_all(shop.inventory, shop.audit, sheet, actor="anna", now=NOW)]


@pytest.fixture
def shop(dynamodb: Any, tables: dict[str, str]) -> Shop:
    return Shop(dynamodb, tables, locations=LOCATIONS)


TABLE = "sku,location,quantity,reason\nMUG,main,5,delivery\nMUG,annex,2,delivery\nHAT,main,1,found\n"


def test_every_row_is_an_adjustment_with_its_reason_and_its_actor(shop: Shop) -> None:
    assert adjusted(shop, TABLE) == ["adjusted"] * 3

    assert (shop.stock("MUG").on_hand, shop.stock("MUG", "annex").on_hand, shop.stock("HAT").on_hand) == (5, 2, 1)
    [movement] = shop.inventory.movements("HAT", "2026-11")
    assert (movement.kind, movement.reason, movement.actor) == ("adjusted", "found", "anna")
    assert shop.events()["stock.adjusted"] == 3


def test_the_same_table_again_adjusts_nothing(shop: Shop) -> None:
    adjusted(shop, TABLE)

    assert adjusted(shop, TABLE) == ["done_before"] * 3
    assert shop.stock("MUG").on_hand == 5


def test_a_row_that_takes_too_much_keeps_no_other_from_its_shelf(shop: Shop) -> None:
    text = "sku,location,quantity,reason\nMUG,main,-1,broken\nHAT,main,4,found\n"

    assert adjusted(shop, text) == ["refused", "adjusted"]
    shop.stocked(3, "MUG")

    assert adjusted(shop, text) == ["adjusted", "done_before"]
    assert (shop.stock("MUG").on_hand, shop.stock("HAT").on_hand) == (2, 4)


def test_a_row_whose_answer_is_lost_is_adjusted_once(shop: Shop) -> None:
    with answers_lost_after_the_write(shop.client, times=2) as lost:
        adjusted(shop, TABLE)

    assert (len(lost), shop.stock("MUG").on_hand) == (2, 5)
    assert shop.ledger_balances("MUG")


# over HTTP


@pytest.fixture
def office(function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The function, for a shop with two locations whose catalogue has every SKU."""
    two = settings(locations=tuple(Location(id=location) for location in LOCATIONS))
    monkeypatch.setenv("SETTINGS", two.model_dump_json())
    every_sku = FakeCatalog()
    monkeypatch.setattr(wiring, "catalog", lambda: every_sku)
    return Office.of("admin_inventory")


def sent(office: Office, text: str, **more: Any) -> Answer:
    return office.send(ROUTE, text, **{"content_type": "text/csv", **more})


def test_a_table_is_answered_row_by_row(office: Office) -> None:
    answer = sent(office, "sku,quantity,reason\nMUG,5,delivery\nHAT,-1,broken\n")

    assert (answer.status, answer.body["adjusted"], answer.body["refused"]) == (200, 1, 1)
    [good, bad] = answer.body["rows"]
    assert (good["row"], good["sku"], good["outcome"]) == (2, "MUG", "adjusted")
    assert (bad["row"], bad["outcome"], bad["detail"]) == (
        3,
        "refused",
        "0 units of HAT are free at main; 1 cannot be taken away",
    )


def test_a_table_with_faults_changes_nothing_and_names_them_all(office: Office) -> None:
    refused = sent(office, "sku,location,quantity,reason\nMUG,main,5,ok\nHAT,moon,1.5,\n")

    assert (refused.status, refused.body["code"]) == (400, "invalid")
    assert refused.faults == ["row 3, location", "row 3, quantity", "row 3, reason"]
    assert wiring.inventory().stock("MUG", "main").on_hand == 0


def test_a_sku_that_the_catalogue_lacks_is_a_fault(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCatalog, "offers", lambda self, skus: {"MUG": None})

    refused = sent(office, "sku,quantity,reason\nMUG,5,ok\nHAT,5,ok\n")

    assert refused.faults == ["row 3, sku"]


def test_a_table_sent_again_with_its_key_gets_the_same_bytes(office: Office) -> None:
    text = "sku,quantity,reason\nMUG,5,delivery\n"

    assert sent(office, text, key="once").text == sent(office, text, key="once").text
    assert sent(office, text, key="twice").body["rows"][0]["outcome"] == "done_before"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_what_is_no_table_is_not_read(office: Office, content_type: str) -> None:
    refused = sent(office, "sku,quantity,reason\nMUG,5,delivery\n", content_type=content_type)

    assert (refused.status, refused.body["detail"]) == (400, f"send text/csv, not {content_type}")


def test_a_long_table_is_for_the_command(office: Office) -> None:
    rows = "".join(f"SKU{number},1,ok\n" for number in range(251))

    assert sent(office, f"sku,quantity,reason\n{rows}").faults == ["row 252"]
    assert sent(office, "sku,quantity,reason\n" + "x" * 300_000).status == 413


# the command


@pytest.fixture
def command(
    function_of_the_shop: None, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], int]:
    """The command as it is typed, for a shop that sells a MUG."""
    monkeypatch.setattr(stock_import, "chosen", lambda options: DeployedShop(shop.client, shop.tables))
    catalog.create_product(wiring.catalog(), draft(), categories=(), actor="anna", now=NOW)

    def typed(text: str) -> int:
        (tmp_path / "stock.csv").write_text(text)
        return stock_import.main([str(tmp_path / "stock.csv")])

    return typed


GOOD = "sku,location,quantity,reason\nMUG,main,5,delivery\nMUG,annex,2,delivery\n"


def test_the_command_adjusts_and_can_be_run_again(
    command: Callable[[str], int], shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(GOOD) == 0
    assert "Rows: 2 adjusted." in capsys.readouterr().out
    assert command(GOOD) == 0
    assert "Rows: 2 done before." in capsys.readouterr().out
    assert (shop.stock("MUG").on_hand, shop.stock("MUG", "annex").on_hand) == (5, 2)


def test_the_command_names_refused_rows_and_ends_with_1(
    command: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("sku,quantity,reason\nMUG,-1,broken\n") == 1
    assert "refused, row 2 MUG: 0 units of MUG are free at main" in capsys.readouterr().out


def test_a_table_with_faults_ends_with_2_and_each_of_them(
    command: Callable[[str], int], shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("sku,location,quantity,reason\nMUG,moon,5,ok\nHAT,main,5,ok\n") == 2
    said = capsys.readouterr().err
    assert "row 2, location: the shop's locations are main, annex" in said
    assert "row 3, sku: the catalogue has no such SKU" in said
    assert shop.stock("MUG").on_hand == 0


def test_a_file_that_is_nowhere_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert stock_import.main(["nowhere.csv"]) == 2
    assert "nowhere.csv cannot be read" in capsys.readouterr().err
