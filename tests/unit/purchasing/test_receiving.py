"""The rules of a purchase order: what is on its way, what may come, and when it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.errors import Conflict, Invalid
from commerce.purchasing.model import (
    MAX_DELIVERIES,
    NEXT,
    OPEN,
    Delivery,
    OrderedLine,
    PurchaseOrder,
    ReceivedLine,
    check_receivable,
    incoming,
    with_delivery,
)

SKUS = ("MUG", "HAT")


def order(status: str = "sent", *, deliveries: int = 0, **quantities: int) -> PurchaseOrder:
    """An order of 10 mugs and 4 hats."""
    lines = tuple(
        OrderedLine(sku=sku, quantity=quantity, unit_cost=700)
        for sku, quantity in (quantities or {"MUG": 10, "HAT": 4}).items()
    )
    return PurchaseOrder(
        id="po_7k2m9qxa0c",
        supplier_id="supplier_1",
        currency="EUR",
        location="main",
        status=status,
        lines=lines,
        expected_on="2026-12-24",
        created_at="2026-11-26T10:00:00.000Z",
        created_by="anna",
        deliveries=tuple(delivery(f"delivery_{number}", MUG=1) for number in range(deliveries)),
    )


def delivery(delivery_id: str = "delivery_1", **quantities: int) -> Delivery:
    return Delivery(
        id=delivery_id,
        received_at="2026-11-27T10:00:00.000Z",
        received_by="carl",
        note="",
        lines=tuple(received(**quantities)),
    )


def received(**quantities: int) -> list[ReceivedLine]:
    return [ReceivedLine(sku=sku, quantity=quantity) for sku, quantity in quantities.items()]


def test_people_know_an_order_by_its_label_and_what_it_costs() -> None:
    assert (order().label, order().cost, order().units) == ("PO-7K2M9QXA", 9800, 14)


@pytest.mark.parametrize("status", NEXT)
def test_only_of_an_open_order_something_is_on_its_way(status: str) -> None:
    assert bool(incoming(order(status))) == (status in OPEN)


def test_a_part_of_it_leaves_the_order_open_and_all_of_it_ends_it() -> None:
    part = with_delivery(order(), delivery(MUG=10))
    whole = with_delivery(part, delivery("delivery_2", HAT=4))

    assert (part.status, part.ended_at, set(incoming(part))) == ("partly_received", None, {"HAT"})
    assert (whole.status, whole.ended_at, incoming(whole)) == ("received", "2026-11-27T10:00:00.000Z", {})


@given(st.lists(st.fixed_dictionaries({sku: st.integers(0, 5) for sku in SKUS}), max_size=6))
def test_what_has_come_and_what_is_on_its_way_are_what_was_ordered(boxes: list[dict[str, int]]) -> None:
    now = order()
    for number, box in enumerate(boxes):
        lines = received(**{sku: units for sku, units in box.items() if units})
        try:
            check_receivable(now, lines)
        except Conflict:
            continue
        if lines:
            now = with_delivery(now, delivery(f"delivery_{number}", **{line.sku: line.quantity for line in lines}))

    assert now.received + sum(one.quantity for one in incoming(now).values()) == now.units
    assert all(0 <= line.received <= line.quantity for line in now.lines)


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        (received(MUG=11), "$.lines[0].quantity"),
        (received(MUG=1, SHOE=1), "$.lines[1].sku"),
        ([*received(MUG=1), *received(MUG=1)], "$.lines[1].sku"),
    ],
    ids=["more than was ordered", "not ordered", "named twice"],
)
def test_a_delivery_that_does_not_fit_names_its_line(lines: list[ReceivedLine], path: str) -> None:
    with pytest.raises((Conflict, Invalid)) as refused:
        check_receivable(order(), lines)

    assert refused.value.path == path


def test_an_order_remembers_so_many_deliveries_and_no_more() -> None:
    with pytest.raises(Conflict, match="close it"):
        check_receivable(order("partly_received", deliveries=MAX_DELIVERIES), received(MUG=1))
