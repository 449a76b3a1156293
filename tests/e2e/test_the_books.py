"""After all that the other tests did to the shop: provider, orders and shelves tell one story, and nothing leaked."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from tools.demo.watch import NotSeen, until
from tools.local.instance import Instance
from tools.wire import books
from tools.wire.books import Books, Wrong, items

SECRET = re.compile(r"ada@example\.com|1 Sample Street|\b97201\b|pm_card|sk_test|whsec_|access_token=|Bearer ey")


def settled(instance: Instance, rule: Callable[[Books], Iterator[Wrong]]) -> None:
    """Waits until nothing breaks the rule any more: webhooks and compensations may still be on their way."""
    httpx.get(f"{instance.stripe_url}/_double/idle", params={"timeout": 30}, timeout=60)

    def wrongs() -> list[Wrong]:
        return list(rule(Books.read(instance)))

    try:
        until("sound books", lambda: not wrongs(), pause=0.5)
    except NotSeen:
        pytest.fail("; ".join(map(str, wrongs())))


def test_what_was_charged_is_what_the_ledger_says_order_by_order(instance: Instance) -> None:
    settled(instance, books.money)


def test_whoever_was_charged_has_an_order_and_every_order_that_stands_is_paid(instance: Instance) -> None:
    settled(instance, books.standing)


def test_every_shelf_holds_what_its_movements_sum_to_and_what_orders_were_promised(instance: Instance) -> None:
    settled(instance, books.stock)


def test_no_checkout_led_to_two_orders(instance: Instance) -> None:
    settled(instance, books.checkouts)


def test_no_order_that_ended_holds_stock(instance: Instance) -> None:
    settled(instance, books.holds)


def test_each_e_mail_left_at_most_once_and_those_of_an_end_exactly_once(instance: Instance) -> None:
    settled(instance, books.letters)


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
