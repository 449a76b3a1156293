"""After all that the other tests did to the shop: provider, orders and shelves tell one story, and nothing leaked."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from commerce.adapters.dynamodb import from_item
from commerce.payments.model import PaymentEvent, balance
from tools.demo.watch import NotSeen, until
from tools.local.instance import Instance
from tools.stock_check import accounts

Books = dict[str, tuple[int, int, int]]
"""By order id: what is held, what was captured, what was refunded."""

PAID = {"confirmed", "picked", "packed", "ready_to_ship", "shipped", "delivered"}
SECRET = re.compile(r"ada@example\.com|1 Sample Street|\b97201\b|pm_card|sk_test|whsec_|access_token=|Bearer ey")


def items(instance: Instance, table: str) -> Iterator[dict[str, Any]]:
    """Everything in one of the shop's tables."""
    pages = instance.client("dynamodb").get_paginator("scan").paginate(TableName=instance.output(table))
    return (from_item(item) for page in pages for item in page["Items"])


def at_the_provider(instance: Instance) -> Books:
    """What really moved."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for charge in httpx.get(f"{instance.stripe_url}/_double/charges", timeout=60).json():
        for position, name in enumerate(("held", "captured", "refunded")):
            sums[charge["order_id"]][position] += charge[name]
    return {order_id: (held, captured, refunded) for order_id, (held, captured, refunded) in sums.items()}


def in_the_ledger(instance: Instance) -> Books:
    """What the orders' payment events say."""
    events: dict[str, list[PaymentEvent]] = defaultdict(list)
    for item in items(instance, "OrdersTable"):
        if item["sk"].startswith("PAYMENT#"):
            fields = {name: value for name, value in item.items() if name not in ("pk", "sk")}
            events[item["pk"].removeprefix("ORDER#")].append(PaymentEvent.model_validate(fields))
    sums = {order_id: balance(news) for order_id, news in events.items()}
    return {order_id: (one.held, one.captured, one.refunded) for order_id, one in sums.items()}


def moved(books: Books) -> Books:
    """Without the orders for which nothing moved."""
    return {order_id: sums for order_id, sums in books.items() if any(sums)}


def settled(what: str, faults: Callable[[], dict[str, Any]]) -> None:
    """Waits until there are no `faults` any more: webhooks and compensations may still be on their way."""
    try:
        until(what, lambda: not faults())
    except NotSeen:
        pytest.fail(f"not {what}: {faults()}")


def test_what_was_charged_is_what_the_ledger_says_order_by_order(instance: Instance) -> None:
    httpx.get(f"{instance.stripe_url}/_double/idle", params={"timeout": 30}, timeout=60)

    def differences() -> dict[str, Any]:
        charged, written = moved(at_the_provider(instance)), moved(in_the_ledger(instance))
        return {
            order_id: (charged.get(order_id), written.get(order_id))
            for order_id in charged.keys() | written.keys()
            if charged.get(order_id) != written.get(order_id)
        }

    settled("the same sums at the provider and in the ledger", differences)


def test_whoever_was_charged_has_an_order_and_every_order_that_stands_is_paid(instance: Instance) -> None:
    def wrong() -> dict[str, Any]:
        charged = moved(at_the_provider(instance))
        orders = {item["id"]: item for item in items(instance, "OrdersTable") if item["sk"] == "ORDER"}
        assert charged.keys() <= orders.keys()
        stands = {order_id: (order["status"], charged.get(order_id, (0, 0, 0))) for order_id, order in orders.items()}
        return {
            order_id: (status, sums)
            for order_id, (status, sums) in stands.items()
            if not as_it_should_be(status, *sums, total=total(orders[order_id]))
        }

    settled("orders with the money that they should have", wrong)


def total(order: dict[str, Any]) -> int:
    """What the buyer agreed to pay."""
    [amount] = [one["amount"] for one in order["totals"] if one["type"] == "total"]
    return int(amount)


def as_it_should_be(status: str, held: int, captured: int, refunded: int, *, total: int) -> bool:
    """An order that stands is paid in full; of another one nothing is left with the shop."""
    return held + captured == total if status in PAID else (held, captured) == (0, refunded)


def test_every_shelf_holds_what_its_movements_sum_to_and_what_orders_were_promised(instance: Instance) -> None:
    shelves = accounts(items(instance, "InventoryTable"))

    assert shelves
    assert {shelf: account.faults for shelf, account in shelves.items() if account.faults} == {}
    assert all(account.on_hand >= account.available for account in shelves.values())


def test_no_log_tells_who_bought_or_how_they_paid(instance: Instance) -> None:
    logs = instance.client("logs")
    found = [
        (group["logGroupName"], secret[0])
        for groups in logs.get_paginator("describe_log_groups").paginate()
        for group in groups["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in page["events"]
        if (secret := SECRET.search(event["message"]))
    ]

    assert found == []


def test_no_event_tells_who_bought(instance: Instance) -> None:
    told = [item["detail"] for item in items(instance, "OutboxTable")]

    assert told
    assert [detail for detail in told if any(word in detail for word in ("ada@", "Sample Street", "Example"))] == []
