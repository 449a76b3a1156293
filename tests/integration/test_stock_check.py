"""The check of the books: silent where they agree, exact where they do not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from builders.checkout import NOW
from builders.deployed import DeployedShop
from builders.orders import Shop, part
from commerce.adapters.dynamodb import Item, Table, transact
from commerce.inventory.service import transfer_stock
from tools import stock_check
from tools.stock_check import Shelf, accounts, differences


@pytest.fixture
def shop(dynamodb: Any, tables: dict[str, str]) -> Shop:
    """A shop with two locations on which everything happened that can happen to stock."""
    shop = Shop(dynamodb, tables, locations=("main", "annex"))
    shop.stocked(10)
    for order_id, quantity in (("order_1", 2), ("order_2", 3), ("order_3", 1)):
        deadline = NOW + timedelta(minutes=15)
        actions = shop.inventory.reserve_actions(order_id, [part(quantity)], deadline=deadline, now=NOW)
        transact(shop.client, actions)
    transact(shop.client, shop.inventory.release_actions("order_1", [part(2)], now=NOW))
    transact(shop.client, shop.inventory.ship_actions("order_2", [part(3)], now=NOW))
    transact(shop.client, shop.inventory.return_actions("return_1", [part(1)], now=NOW))
    transfer_stock(
        shop.inventory,
        shop.audit,
        sku="SHIRT-M",
        quantity=4,
        origin="main",
        destination="annex",
        reason="room",
        actor="anna",
        transfer_id="transfer_1",
        now=NOW,
    )
    return shop


def items(shop: Shop) -> list[Item]:
    return shop.all("INVENTORY_TABLE", "")


def inventory(shop: Shop) -> Table:
    return Table(shop.client, shop.tables["INVENTORY_TABLE"])


MAIN = Shelf("SHIRT-M", "main")


def test_whatever_happens_to_stock_the_books_agree(shop: Shop) -> None:
    found = accounts(items(shop))

    assert {shelf: account.faults for shelf, account in found.items()} == {MAIN: [], Shelf("SHIRT-M", "annex"): []}
    assert (found[MAIN].on_hand, found[MAIN].available, found[MAIN].promised) == (4, 3, 1)


def test_a_unit_that_no_movement_explains_is_found(shop: Shop) -> None:
    inventory(shop).update("STOCK#SHIRT-M", "LOCATION#main", set={"on_hand": 5, "available": 4})

    assert accounts(items(shop))[MAIN].faults == [
        "5 on hand, but its movements sum to 4",
        "4 available, but its movements sum to 3",
    ]


def test_a_reservation_that_took_nothing_is_found(shop: Shop) -> None:
    inventory(shop).update("ORDER#order_1", "RESERVATION#SHIRT-M#main", set={"status": "reserved"})

    assert accounts(items(shop))[MAIN].faults == ["1 reserved, but open reservations sum to 3"]


def test_a_movement_without_a_shelf_is_found(shop: Shop) -> None:
    inventory(shop).delete("STOCK#SHIRT-M", "LOCATION#annex")

    assert accounts(items(shop))[Shelf("SHIRT-M", "annex")].faults == [
        "0 on hand, but its movements sum to 4",
        "0 available, but its movements sum to 4",
    ]


def looks(*sights: list[Item]) -> Callable[[], dict[Shelf, Any]]:
    following = iter(sights)
    return lambda: accounts(next(following))


def test_what_is_under_way_while_the_table_is_read_is_no_difference(shop: Shop) -> None:
    whole = items(shop)
    torn = [item for item in whole if not item["pk"].startswith("MOVEMENT#")]

    assert differences(looks(torn, whole)) == {}
    assert MAIN in differences(looks(torn, torn))


def test_a_difference_is_told_from_what_moves_on_beside_it(shop: Shop) -> None:
    inventory(shop).update("STOCK#SHIRT-M", "LOCATION#main", set={"on_hand": 5})
    whole = items(shop)
    torn = [item for item in whole if not (item["pk"].startswith("MOVEMENT#") and item["location"] == "annex")]

    assert set(differences(looks(torn, whole))) == {MAIN}


@pytest.fixture
def command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The command as it is typed, looking at this test's tables."""
    monkeypatch.setattr(stock_check, "chosen", lambda options: DeployedShop(shop.client, shop.tables))
    return lambda: stock_check.main([])


def test_the_command_ends_with_0_where_all_agree(
    command: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command() == 0
    assert "All 2 shelves hold what their movements sum to" in capsys.readouterr().out


def test_the_command_names_the_shelf_and_ends_with_1(
    command: Callable[[], int], shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory(shop).update("STOCK#SHIRT-M", "LOCATION#main", set={"on_hand": 5})

    assert command() == 1
    said = capsys.readouterr().out
    assert "SHIRT-M at main: 5 on hand, but its movements sum to 4" in said
    assert "1 of 2 shelves" in said
