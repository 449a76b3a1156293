"""Stock on a real engine: adjusted once, never below zero, and always what its ledger says."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, calls_of
from builders.orders import Shop, part
from commerce.adapters.dynamodb import ConditionFailed, transact
from commerce.errors import Conflict, Invalid
from commerce.inventory.model import Stock
from commerce.inventory.service import adjust_stock, set_stock


def adjust(shop: Shop, quantity: int, adjustment_id: str = "adj_1", **changes: Any) -> Stock:
    fields = {
        "sku": "SHIRT-M",
        "quantity": quantity,
        "reason": "counted",
        "actor": "staff_1",
        "adjustment_id": adjustment_id,
        "now": NOW,
        **changes,
    }
    return adjust_stock(shop.inventory, shop.audit, **fields)


def reserve(shop: Shop, quantity: int = 1, now: datetime = NOW, order_id: str = "order_1") -> None:
    deadline = now + timedelta(minutes=15)
    transact(shop.client, shop.inventory.reserve_actions(order_id, [part(quantity)], deadline=deadline, now=now))


def test_an_adjustment_happens_once_and_leaves_ledger_audit_and_event(shop: Shop) -> None:
    stocks = [adjust(shop, 7) for _ in range(3)]

    assert {stock.available for stock in stocks} == {7}
    [movement] = shop.inventory.movements("SHIRT-M", "2026-11")
    assert (movement.kind, movement.available) == ("adjusted", 7)
    assert (movement.reason, movement.actor) == ("counted", "staff_1")
    assert len(shop.all("AUDIT_TABLE", "")) == 1
    assert [(event["type"], event["reason"]) for event in shop.published()] == [("stock.adjusted", "adjusted")]


def test_an_adjustment_whose_answer_is_lost_happens_once(shop: Shop) -> None:
    with answers_lost_after_the_write(shop.client, times=2) as lost:
        stock = adjust(shop, 7)

    assert (len(lost), stock.available) == (2, 7)
    assert shop.ledger_balances()


def test_what_is_not_there_or_is_promised_cannot_be_taken_away(shop: Shop) -> None:
    adjust(shop, 5)
    reserve(shop, quantity=3)

    with pytest.raises(Conflict) as refused:
        adjust(shop, -3, "adj_2")

    assert refused.value.path == "$.quantity"
    assert (shop.stock().available, shop.stock().reserved, shop.stock().on_hand) == (2, 3, 5)
    assert adjust(shop, -2, "adj_3").available == 0


@pytest.mark.parametrize("quantity", [0, 10**10, -(10**10)])
def test_a_quantity_that_makes_no_sense_is_refused(shop: Shop, quantity: int) -> None:
    with pytest.raises(Invalid):
        adjust(shop, quantity)


def test_a_location_that_the_shop_lacks_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid):
        adjust(shop, 1, location="the moon")


def test_setting_stock_twice_changes_nothing_the_second_time(shop: Shop) -> None:
    shop.stocked(9)
    shop.stocked(9)

    assert shop.stock().available == 9
    assert shop.events()["stock.adjusted"] == 1


def test_setting_stock_leaves_what_is_promised_to_orders(shop: Shop) -> None:
    shop.stocked(9)
    reserve(shop, quantity=4)

    shop.stocked(2)

    assert (shop.stock().available, shop.stock().reserved) == (2, 4)
    assert shop.ledger_balances()


def test_stock_set_from_many_places_at_once_is_set_once(shop: Shop) -> None:
    def set_it(_: int) -> int:
        return set_stock(
            shop.inventory, shop.audit, sku="SHIRT-M", available=40, reason="import", actor="importer", now=NOW
        ).available

    with ThreadPoolExecutor(10) as importers:
        assert set(importers.map(set_it, range(10))) == {40}

    assert shop.stock().available == 40
    assert shop.ledger_balances()


def test_an_order_reserves_once(shop: Shop) -> None:
    shop.stocked(5)
    reserve(shop)

    with pytest.raises(ConditionFailed) as refused:
        reserve(shop, now=NOW + timedelta(days=1))

    assert refused.value.failed == (1,)
    assert shop.stock().reserved == 1


def test_more_than_is_free_cannot_be_reserved(shop: Shop) -> None:
    shop.stocked(2)

    with pytest.raises(ConditionFailed) as refused:
        reserve(shop, quantity=3)

    assert refused.value.failed == (0,)


@pytest.mark.parametrize("ending", ["release_actions", "ship_actions"])
def test_what_was_released_or_shipped_is_not_so_again(shop: Shop, ending: str) -> None:
    shop.stocked(5)
    reserve(shop)
    reserve(shop, order_id="order_2")
    transact(shop.client, getattr(shop.inventory, ending)("order_1", [part()], now=NOW))
    after = shop.stock()

    for again in ("release_actions", "ship_actions"):
        with pytest.raises(ConditionFailed):
            transact(shop.client, getattr(shop.inventory, again)("order_1", [part()], now=NOW + timedelta(days=1)))

    assert shop.stock() == after
    assert after.reserved == 1
    assert shop.ledger_balances()


def test_goods_that_come_back_are_taken_in_once(shop: Shop) -> None:
    shop.stocked(1)
    transact(shop.client, shop.inventory.return_actions("return_1", [part()], now=NOW))

    with pytest.raises(ConditionFailed):
        transact(shop.client, shop.inventory.return_actions("return_1", [part()], now=NOW + timedelta(days=1)))

    assert shop.stock().available == 2
    assert shop.ledger_balances()


def test_availability_of_many_skus_is_one_batch_read(shop: Shop) -> None:
    shop.stocked(3, "A")

    with calls_of(shop.client) as calls:
        supply = shop.inventory.supply(["A", "B", "A"], NOW)

    assert {sku: one.free for sku, one in supply.items()} == {"A": 3, "B": 0}

    assert calls == ["BatchGetItem"]


def test_the_ledger_is_read_newest_first_and_in_pages(shop: Shop) -> None:
    for number in range(5):
        adjust(shop, number + 1, f"adj_{number}", now=NOW + timedelta(seconds=number))

    first = list(shop.inventory.movements("SHIRT-M", "2026-11", limit=3))
    rest = list(shop.inventory.movements("SHIRT-M", "2026-11", before=first[-1].position, limit=3))

    assert [movement.available for movement in (*first, *rest)] == [5, 4, 3, 2, 1]
