"""Goods that go from one location to another: both shelves or neither, once, and never what is promised."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, transactions_in_conflict
from builders.orders import Shop, part
from commerce.adapters.dynamodb import transact
from commerce.errors import Conflict, Invalid
from commerce.inventory.model import Stock
from commerce.inventory.service import transfer_stock


@pytest.fixture
def shop(dynamodb: Any, tables: dict[str, str]) -> Shop:
    """A shop with two locations."""
    return Shop(dynamodb, tables, locations=("main", "annex"))


def transfer(shop: Shop, quantity: int = 3, transfer_id: str = "transfer_1", **changes: Any) -> tuple[Stock, Stock]:
    fields = {
        "sku": "SHIRT-M",
        "quantity": quantity,
        "origin": "main",
        "destination": "annex",
        "reason": "for the shop window",
        "actor": "staff_1",
        "transfer_id": transfer_id,
        "now": NOW,
        **changes,
    }
    return transfer_stock(shop.inventory, shop.audit, **fields)


def free(shop: Shop) -> tuple[int, int]:
    return shop.stock(location="main").available, shop.stock(location="annex").available


def test_a_transfer_moves_goods_once_and_leaves_two_movements_audit_and_event(shop: Shop) -> None:
    shop.stocked(5)

    answers = {transfer(shop) for _ in range(3)}

    assert [(place.location, place.on_hand, place.available) for place in answers.pop()] == [
        ("main", 2, 2),
        ("annex", 3, 3),
    ]
    assert not answers
    moved = [one for one in shop.inventory.movements("SHIRT-M", "2026-11") if one.kind == "transferred"]
    assert {(one.location, one.on_hand, one.available, one.actor) for one in moved} == {
        ("main", -3, -3, "staff_1"),
        ("annex", 3, 3, "staff_1"),
    }
    assert [entry["action"] for entry in shop.all("AUDIT_TABLE", "")].count("stock.transferred") == 1
    assert shop.events()["stock.transferred"] == 1
    assert shop.ledger_balances()


def test_a_transfer_whose_answer_is_lost_happens_once(shop: Shop) -> None:
    shop.stocked(5)

    with answers_lost_after_the_write(shop.client, times=2) as lost:
        transfer(shop)

    assert (len(lost), free(shop)) == (2, (2, 3))
    assert shop.ledger_balances()


def test_a_transfer_that_comes_again_the_next_day_is_not_made_again(shop: Shop) -> None:
    shop.stocked(9)
    transfer(shop)

    transfer(shop, now=NOW + timedelta(days=1))

    assert free(shop) == (6, 3)


def test_what_is_promised_to_orders_stays_where_it_is(shop: Shop) -> None:
    shop.stocked(5)
    deadline = NOW + timedelta(minutes=15)
    transact(shop.client, shop.inventory.reserve_actions("order_1", [part(3)], deadline=deadline, now=NOW))

    with pytest.raises(Conflict) as refused:
        transfer(shop, quantity=3)

    assert refused.value.path == "$.quantity"
    assert "2 units of SHIRT-M are free at main" in refused.value.content
    assert free(shop) == (2, 0)
    assert shop.ledger_balances()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"origin": "the moon"}, "$.origin"),
        ({"destination": "the moon"}, "$.destination"),
        ({"destination": "main"}, "$.destination"),
        ({"quantity": 0}, "$.quantity"),
        ({"quantity": -1}, "$.quantity"),
        ({"quantity": 10**10}, "$.quantity"),
    ],
)
def test_a_transfer_that_makes_no_sense_names_the_field(shop: Shop, changes: dict[str, Any], path: str) -> None:
    shop.stocked(5)

    with pytest.raises(Invalid) as refused:
        transfer(shop, **changes)

    assert refused.value.path == path
    assert free(shop) == (5, 0)


def test_transfers_to_and_fro_at_once_lose_no_unit(shop: Shop) -> None:
    shop.stocked(10)
    shop.stocked(10, location="annex")

    def move(number: int) -> None:
        there, back = ("main", "annex") if number % 2 else ("annex", "main")
        transfer(shop, quantity=1, transfer_id=f"transfer_{number}", origin=there, destination=back)

    with transactions_in_conflict(shop.client, share=0.2) as collided, ThreadPoolExecutor(8) as people:
        list(people.map(move, range(20)))

    assert collided
    assert free(shop) == (10, 10)
    assert shop.ledger_balances()
