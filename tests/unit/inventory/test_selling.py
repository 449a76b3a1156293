"""On which terms a SKU is sold: from the shelf, ahead of it, so many to one buyer."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.pricing import offer, settings, wanted
from builders.stock import CHRISTMAS, TODAY, backorder, place, preorder, supply
from commerce.carts.model import line_messages
from commerce.errors import Invalid
from commerce.inventory.allocation import allocate
from commerce.inventory.model import OutOfStock, Part, summed
from commerce.inventory.policy import buyer_key, check_terms, needed, supply_of
from commerce.supply import SellingPolicy, SellingTerms, Supply


def test_the_shelf_alone_decides_unless_staff_do() -> None:
    assert [supply(units, low=5).availability for units in (9, 6, 5, 1, 0)] == [
        "in_stock",
        "in_stock",
        "low_stock",
        "low_stock",
        "out_of_stock",
    ]


def test_a_sku_can_have_a_threshold_of_its_own() -> None:
    assert supply(8, SellingPolicy(low_stock=10), low=5).availability == "low_stock"
    assert supply(1, SellingPolicy(low_stock=0), low=5).availability == "in_stock"


def test_what_is_sold_ahead_is_called_so_only_when_the_shelf_is_empty() -> None:
    assert [supply(units, backorder(3)).availability for units in (1, 0, -2, -3)] == [
        "in_stock",
        "backorder",
        "backorder",
        "out_of_stock",
    ]
    assert supply(0, preorder()).availability == "preorder"


def test_the_cap_counts_what_is_owed_already() -> None:
    assert [supply(units, backorder(3)).left for units in (2, 0, -1, -3)] == [5, 3, 2, 0]


def test_a_cap_below_what_is_owed_sells_nothing_more() -> None:
    assert supply(-5, backorder(3)).left == 0


def test_a_preorder_ends_with_its_day() -> None:
    def on(day: date) -> Supply:
        return supply_of([place(0)], preorder(), low_stock=0, today=day)

    assert on(CHRISTMAS).availability == "preorder"
    assert on(CHRISTMAS + timedelta(days=1)).availability == "out_of_stock"


def test_a_backorder_goes_on_after_its_day_which_nobody_is_told_any_more() -> None:
    late = supply_of([place(0)], backorder(expected_on=TODAY), low_stock=0, today=TODAY + timedelta(days=1))

    assert (late.availability, late.expected_on) == ("backorder", None)


def test_units_elsewhere_are_sold_before_any_are_owed() -> None:
    stock = [place(-2, "main"), place(4, "annex")]

    there = supply_of(stock, backorder(3, location="main"), low_stock=0, today=TODAY)

    assert (there.free, there.ahead) == (4, 1)


@pytest.mark.parametrize(
    ("path", "terms"),
    [
        ("$.cap", {"cap": 5}),
        ("$.expected_on", {"expected_on": CHRISTMAS}),
        ("$.cap", {"mode": "backorder"}),
        ("$.cap", {"mode": "preorder", "expected_on": CHRISTMAS}),
        ("$.expected_on", {"mode": "preorder", "cap": 5}),
        ("$.expected_on", {"mode": "backorder", "cap": 5, "expected_on": TODAY - timedelta(days=1)}),
    ],
)
def test_terms_that_contradict_themselves_are_refused(path: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        check_terms(SellingTerms(**terms), TODAY)

    assert refused.value.path == path


@pytest.mark.parametrize("email", ["ADA@example.com", " ada@example.com", "ada+again@example.com"])
def test_one_mailbox_is_one_buyer_and_the_key_does_not_show_it(email: str) -> None:
    assert buyer_key(None, email) == buyer_key(None, "ada@example.com")
    assert "ada" not in buyer_key(None, email)


def test_buyers_are_told_apart() -> None:
    buyers = ((None, "a@example.com"), (None, "b@example.com"), ("a@example.com", None))

    assert len({buyer_key(subject, email) for subject, email in buyers}) == 3


def said(quantities: list[int], there: Supply) -> list[tuple[str, str]]:
    lines = [wanted(quantity=quantity, id=f"line_{number}") for number, quantity in enumerate(quantities)]
    offers = {"SHIRT-M": offer(title="Shirt")}
    return [(m.code, m.content) for m in line_messages(lines, offers, {"SHIRT-M": there}, "USD", settings())]


def test_a_line_says_what_of_it_comes_later_and_when() -> None:
    there = supply(2, backorder(expected_on=CHRISTMAS))

    assert said([2], there) == []
    assert said([3], there) == [
        ("backorder", "1 of 3 Shirt: expected on 24 December 2026, sent as soon as it is here.")
    ]
    assert said([2, 1], there) == [("backorder", "Shirt: expected on 24 December 2026, sent as soon as it is here.")]
    assert said([1], supply(0, backorder())) == [
        ("backorder", "Shirt: not in stock at this moment, sent as soon as it is here.")
    ]
    assert [code for code, _ in said([1], supply(0, preorder()))] == ["preorder"]


def test_more_than_the_cap_is_out_of_stock() -> None:
    assert [code for code, _ in said([4], supply(0, backorder(3)))] == ["out_of_stock"]


def test_how_many_are_left_is_said_only_where_it_is_few() -> None:
    assert said([9], supply(3, low=5)) == [("out_of_stock", "Only 3 left of Shirt.")]
    assert said([9], supply(8, low=5)) == [("out_of_stock", "There are not so many of Shirt; take fewer.")]
    assert said([9], supply(0, low=5)) == [("out_of_stock", "Shirt is sold out.")]
    assert said([1], supply(3, low=5)) == [("low_stock", "Only a few of Shirt are left.")]


def test_more_than_one_buyer_may_have_is_refused_with_the_limit() -> None:
    there = supply(100, SellingPolicy(purchase_limit=2))

    assert said([2], there) == []
    assert said([1, 2], there) == [
        ("purchase_limit", "One buyer may have at most 2 of Shirt, earlier orders included.")
    ]


shelves = st.lists(st.integers(-4, 6), min_size=1, max_size=3)


@given(quantities=st.lists(st.integers(1, 6), min_size=1, max_size=4), shelves=shelves, cap=st.integers(0, 12))
def test_an_order_takes_the_shelves_first_and_owes_the_rest_at_one_place_within_the_cap(
    quantities: list[int], shelves: list[int], cap: int
) -> None:
    lines = [wanted(quantity=quantity, id=f"line_{number}") for number, quantity in enumerate(quantities)]
    stock = [place(available, f"place {number}") for number, available in enumerate(shelves)]
    owing = stock[0]
    policy = backorder(cap, location=owing.location) if cap else SellingPolicy()
    there = supply_of(stock, policy, low_stock=0, today=TODAY)
    free, asked = sum(max(one.available, 0) for one in stock), sum(quantities)

    try:
        parts = allocate(lines, {"SHIRT-M": stock}, [one.location for one in stock], {"SHIRT-M": there})
    except OutOfStock:
        assert asked > there.left
        return

    taken = {part.location: part for part in summed(part for own in parts.values() for part in own)}
    assert sum(part.quantity for part in taken.values()) == asked
    assert sum(part.backordered for part in taken.values()) == max(asked - free, 0)
    assert {part.location for part in taken.values() if part.backordered} <= {owing.location}
    for one in stock:
        part = taken.get(one.location, Part(sku="SHIRT-M", location=one.location, quantity=0))
        assert part.quantity - part.backordered <= max(one.available, 0)
        assert one.available - part.quantity >= min(one.available, -cap if part.backordered else 0)
        assert not part.quantity or one.available >= needed(part, policy.cap)


@given(quantity=st.integers(1, 9), backordered=st.integers(0, 9), cap=st.integers(0, 9), available=st.integers(-9, 9))
def test_the_condition_of_a_part_keeps_the_cap_and_what_the_buyer_was_told(
    quantity: int, backordered: int, cap: int, available: int
) -> None:
    part = Part(sku="SHIRT-M", location="main", quantity=quantity, backordered=min(backordered, quantity, cap))
    holds = available >= needed(part, cap)

    owed = max(quantity - max(available, 0), 0)
    if holds:
        assert available - quantity >= -cap
        assert owed <= part.backordered
