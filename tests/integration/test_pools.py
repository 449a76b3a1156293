"""Hot SKUs on a real engine: sold from many rows, switched on and off meanwhile, and nothing stranded."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from threading import Event, Thread
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, calls_of, transactions_in_conflict
from builders.orders import Shop, part
from commerce.adapters.dynamodb import transact
from commerce.errors import ConditionFailed, Conflict, Contended
from commerce.inventory.pooling import switch_off, switch_on, tend_all
from commerce.inventory.repository import InventoryRepository
from commerce.inventory.service import adjust_stock, set_stock, transfer_stock
from commerce.orders.model import Order
from commerce.orders.service import cancel_order, parts_of

SKU = "SHIRT-M"


def pooled(shop: Shop, units: int, shards: int = 8) -> None:
    """The shirt with so many free units in a pool."""
    shop.stocked(units)
    on(shop, shards)


def on(shop: Shop, shards: int = 8) -> None:
    switch_on(shop.inventory, shop.audit, sku=SKU, shards=shards, actor="staff_1", now=NOW)


def off(shop: Shop) -> None:
    switch_off(shop.inventory, shop.audit, sku=SKU, actor="staff_1", now=NOW)


def free(shop: Shop) -> list[int]:
    """What is free in the SKU's own row, then in its pool's."""
    return [row.available for row in shop.inventory.rows(SKU, "main")]


def bought(shop: Shop, quantity: int = 1, checkout_id: str = "chk_1") -> Order:
    completed = shop.complete(shop.checkout((SKU, quantity), id=checkout_id))
    assert completed.order_id, completed.messages
    return shop.orders.get(completed.order_id)


def cancel(shop: Shop, order: Order) -> None:
    cancel_order(shop.stores, shop.workflow, order, reason="buyer_request", actor="buyer", now=NOW)


def ship(shop: Shop, order: Order) -> None:
    transact(shop.client, shop.inventory.ship_actions(order.id, parts_of(order), now=NOW))


def is_one_row_again(shop: Shop) -> bool:
    return len(shop.inventory.rows(SKU, "main")) == 1 and not shop.all("INVENTORY_TABLE", f"{SKU}#main")


def test_a_pool_spreads_the_free_units_and_staff_see_their_sum(shop: Shop) -> None:
    pooled(shop, 19)

    assert free(shop) == [0, 3, 3, 3, 2, 2, 2, 2, 2]
    assert (shop.stock().available, shop.stock().shards) == (19, 8)
    assert shop.inventory.supply([SKU], NOW)[SKU].free == 19
    assert shop.ledger_balances()


def test_switching_on_twice_changes_nothing_and_a_pool_may_grow_but_not_shrink(shop: Shop) -> None:
    pooled(shop, 8)
    on(shop)
    assert [entry["action"] for entry in shop.all("AUDIT_TABLE", "")].count("stock.pooled") == 1

    on(shop, 12)
    assert shop.stock().shards == 12

    with pytest.raises(Conflict) as refused:
        on(shop, 4)
    assert refused.value.path == "$.shards"


def test_a_sku_without_stock_has_no_pool(shop: Shop) -> None:
    with pytest.raises(Conflict):
        on(shop)


def test_switching_on_whose_answer_is_lost_happens_once(shop: Shop) -> None:
    shop.stocked(16)

    with answers_lost_after_the_write(shop.client, times=2) as lost:
        on(shop)

    assert (len(lost), sum(free(shop))) == (2, 16)
    assert shop.ledger_balances()


def test_an_order_takes_one_row_and_cancels_and_ships_there(shop: Shop) -> None:
    pooled(shop, 16)
    canceled, shipped = bought(shop), bought(shop, checkout_id="chk_2")
    rows = {order.id: parts_of(order)[0].shard for order in (canceled, shipped)}

    cancel(shop, canceled)
    ship(shop, shipped)

    assert all(rows.values())
    assert {one.shard for one in shop.inventory.reservations(canceled.id)} == {rows[canceled.id]}
    assert (sum(free(shop)), shop.stock().on_hand, shop.stock().reserved) == (15, 15, 0)
    assert free(shop)[rows[shipped.id]] == 1
    assert shop.ledger_balances()


def test_the_last_units_are_sold_from_many_rows_together(shop: Shop) -> None:
    pooled(shop, 9)

    order = bought(shop, quantity=9)

    assert len(parts_of(order)) == 8
    assert shop.stock().available == 0
    cancel(shop, order)
    assert shop.stock().available == 9
    assert shop.ledger_balances()


def test_whoever_meets_another_buyer_takes_another_row(shop: Shop) -> None:
    pooled(shop, 60)

    with transactions_in_conflict(shop.client, share=0.2) as collided, ThreadPoolExecutor(12) as crowd:
        orders = list(crowd.map(lambda number: bought(shop, checkout_id=f"chk_{number}"), range(30)))

    assert collided
    assert len({parts_of(order)[0].shard for order in orders}) > 1
    assert shop.stock().available == 30
    assert shop.ledger_balances()


def test_a_sku_that_is_not_pooled_costs_no_extra_read(shop: Shop) -> None:
    shop.stocked(3)

    with calls_of(shop.client) as calls:
        shop.inventory.stock_of([SKU, "MUG"])

    assert calls == ["BatchGetItem"]


def test_switching_off_brings_free_units_home_and_keeps_what_is_promised(shop: Shop) -> None:
    pooled(shop, 16)
    canceled, shipped = bought(shop), bought(shop, checkout_id="chk_2")

    off(shop)
    off(shop)

    assert free(shop) == [14, *[0] * 8]
    assert shop.stock().reserved == 2
    ship(shop, shipped)
    cancel(shop, canceled)
    assert shop.stock().available == 15
    tend_all(shop.inventory, now=NOW)
    assert is_one_row_again(shop)
    assert (shop.stock().available, shop.stock().on_hand) == (15, 15)
    assert shop.ledger_balances()


def test_a_pool_that_is_being_emptied_still_sells_and_can_be_switched_on_again(shop: Shop) -> None:
    pooled(shop, 16)
    order = bought(shop, quantity=2)
    off(shop)
    cancel(shop, order)
    bought(shop, quantity=16, checkout_id="chk_2")

    on(shop)

    assert (shop.stock().shards, shop.stock().available) == (8, 0)
    assert shop.ledger_balances()


def test_a_pool_is_switched_on_off_and_on_again_with_its_whole_ledger(shop: Shop) -> None:
    pooled(shop, 16)
    off(shop)
    assert is_one_row_again(shop)

    on(shop, 3)

    assert free(shop) == [0, 6, 5, 5]
    assert shop.ledger_balances()


def test_a_pool_that_is_switched_on_twice_in_a_minute_ends_twice(shop: Shop) -> None:
    pooled(shop, 8)
    off(shop)
    on(shop)

    off(shop)

    assert is_one_row_again(shop)
    assert free(shop) == [8]
    assert shop.ledger_balances()


def test_goods_received_reach_the_pool_and_rows_that_ran_dry_are_refilled(shop: Shop) -> None:
    pooled(shop, 8, shards=4)
    bought(shop, quantity=2)
    shop.stocked(26)
    assert free(shop)[0] == 20

    tend_all(shop.inventory, now=NOW)

    assert free(shop)[0] == 0
    assert min(free(shop)[1:]) >= 1
    assert shop.stock().available == 26
    assert shop.ledger_balances()


@pytest.mark.parametrize("exact", [True, False])
def test_staff_take_units_from_a_pool_as_from_one_row(shop: Shop, exact: bool) -> None:
    pooled(shop, 16)
    who = {"actor": "staff_1", "reason": "counted", "now": NOW}

    if exact:
        left = set_stock(shop.inventory, shop.audit, sku=SKU, available=3, **who)
    else:
        left = adjust_stock(shop.inventory, shop.audit, sku=SKU, quantity=-13, adjustment_id="adj_1", **who)

    assert (left.available, shop.stock().available, shop.stock().on_hand) == (3, 3, 3)
    with pytest.raises(Conflict):
        adjust_stock(shop.inventory, shop.audit, sku=SKU, quantity=-4, adjustment_id="adj_2", **who)
    assert shop.ledger_balances()


@pytest.mark.parametrize("change", ["adjust", "transfer"])
def test_units_that_are_spread_again_at_that_moment_are_taken_all_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    pooled(shop, 8, shards=2)
    who = {"sku": SKU, "actor": "staff_1", "reason": "broken", "now": NOW}
    make, spread = getattr(InventoryRepository, change), []

    def after_the_tender(inventory: InventoryRepository, *args: Any, **rest: Any) -> None:
        if not spread:
            tend_all(inventory, now=NOW)
            spread.append(free(shop))
        make(inventory, *args, **rest)

    monkeypatch.setattr(InventoryRepository, change, after_the_tender)
    if change == "adjust":
        adjust_stock(shop.inventory, shop.audit, quantity=-8, adjustment_id="adj_1", **who)
    else:
        shelves = replace(shop.inventory, locations=("main", "annex"))
        places = {"origin": "main", "destination": "annex"}
        transfer_stock(shelves, shop.audit, quantity=8, transfer_id="transfer_1", **places, **who)

    assert spread[0][0] < 8
    assert sum(free(shop)) == 0


def test_goods_that_come_back_lie_in_the_skus_own_row(shop: Shop) -> None:
    pooled(shop, 8)
    order = bought(shop)
    ship(shop, order)
    off(shop)
    assert is_one_row_again(shop)

    transact(shop.client, shop.inventory.return_actions("return_1", [part()], now=NOW))

    assert free(shop) == [8]
    assert shop.ledger_balances()


def test_a_row_that_got_a_promise_in_between_keeps_the_pool_open(shop: Shop) -> None:
    pooled(shop, 8, shards=2)
    reserved = part().model_copy(update={"shard": 1})
    deadline = NOW + timedelta(minutes=15)
    transact(shop.client, shop.inventory.reserve_actions("order_1", [reserved], deadline=deadline, now=NOW))
    off(shop)

    with pytest.raises(ConditionFailed):
        shop.inventory.close_pool(shop.inventory.rows(SKU, "main")[0])

    assert shop.stock().reserved == 1


def test_units_that_go_home_while_they_are_counted_are_not_missed(shop: Shop) -> None:
    pooled(shop, 1, shards=2)
    looks: list[int] = []

    def go_home(**_: object) -> None:
        looks.append(1)
        if len(looks) == 1:
            off(shop)

    shop.client.meta.events.register("after-call.dynamodb.BatchGetItem", go_home)
    try:
        rows = shop.inventory.stock_of([SKU])[SKU]
    finally:
        shop.client.meta.events.unregister("after-call.dynamodb.BatchGetItem", go_home)

    assert sum(row.available for row in rows) == 1


@contextmanager
def somebody_switching(shop: Shop) -> Iterator[None]:
    """On, off and on again, for as long as the sale lasts."""
    over = Event()

    def switch() -> None:
        for turn in cycle((on, off)):
            if over.is_set():
                return
            try:
                turn(shop)
                tend_all(shop.inventory, now=NOW)
            except Contended:
                continue

    thread = Thread(target=switch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_two_hundred_buyers_get_fifty_units_while_the_pool_is_switched_on_off_and_on(shop: Shop) -> None:
    shop.stocked(50)
    checkouts = [shop.checkout(id=f"chk_{number}") for number in range(200)]

    with somebody_switching(shop), ThreadPoolExecutor(200) as crowd:
        answers = list(crowd.map(shop.complete, checkouts))

    outcomes = Counter(answer.status for answer in answers)
    assert outcomes == {"completed": 50, "incomplete": 150}
    assert {message.code for answer in answers for message in answer.messages} == {"out_of_stock"}
    orders = [shop.orders.get(item["id"]) for item in shop.all_orders()]
    for order in orders[:20]:
        cancel(shop, order)
    for order in orders[20:]:
        ship(shop, order)
    off(shop)
    tend_all(shop.inventory, now=NOW)
    assert is_one_row_again(shop)
    assert (shop.stock().available, shop.stock().on_hand) == (20, 20)
    assert shop.ledger_balances()
