"""What codes take off: how much, off which lines, in which order; and what a buyer is told of those that fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.checkout import NOW
from builders.discounts import coupon, discount
from commerce.discounts.model import Coupon, Reduced, state_of
from commerce.discounts.policy import reduce, wrong_codes
from commerce.pricing.model import PricedLine, amount_of
from commerce.pricing.service import ledger, line_totals


def line(price: int, quantity: int = 1, *, product_id: str = "shirt", number: int = 1) -> PricedLine:
    return PricedLine(
        id=f"line_{number}",
        sku=f"SKU-{number}",
        product_id=product_id,
        title="Shirt",
        quantity=quantity,
        unit_price=price,
        totals=line_totals(price, quantity),
    )


def taken(reduced: Reduced) -> list[int]:
    return [-amount_of(one.totals, "items_discount") for one in reduced.lines]


def told(reduced: Reduced) -> list[tuple[str, str | None]]:
    return [(message.code, message.path) for message in reduced.messages]


def test_a_share_is_taken_of_each_line_and_an_amount_is_spread_across_them() -> None:
    lines = (line(1999), line(1000, 2, number=2))
    tenth = reduce(lines, ["SPRING"], coupon(), "USD")
    assert (taken(tenth), tenth.applied[0].method) == ([200, 200], "each")

    fiver = reduce(lines, ["FIVER"], coupon("FIVER", amounts={"USD": 500}), "USD")
    assert (taken(fiver), fiver.applied[0].method) == ([250, 250], "across")
    assert [(one.path, one.amount) for one in fiver.applied[0].allocations] == [
        ("$.line_items[0]", 250),
        ("$.line_items[1]", 250),
    ]


def test_the_smallest_priority_goes_first_and_the_next_takes_of_what_is_left() -> None:
    codes = {**coupon("HALF", basis_points=5000, priority=2), **coupon("FIVER", amounts={"USD": 500}, priority=1)}
    reduced = reduce([line(2500)], ["half", "fiver"], codes, "USD")
    assert [(one.code, one.amount) for one in reduced.applied] == [("FIVER", 500), ("HALF", 1000)]
    assert amount_of(reduced.lines[0].totals, "total") == 1000


def test_a_discount_is_confined_to_its_products() -> None:
    lines = (line(1000), line(1000, product_id="mug", number=2))
    reduced = reduce(lines, ["SPRING"], coupon(product_ids=("mug",)), "USD")
    assert taken(reduced) == [0, 100]
    none = reduce(lines[:1], ["SPRING"], coupon(product_ids=("mug",)), "USD")
    assert (none.applied, told(none)) == ((), [("discount_code_invalid", "$.discounts.codes[0]")])


def test_no_more_is_taken_off_than_there_is() -> None:
    reduced = reduce([line(300)], ["FIVER"], coupon("FIVER", amounts={"USD": 500}), "USD")
    assert (taken(reduced), reduced.applied[0].amount) == ([300], 300)


@pytest.mark.parametrize(
    ("coupons", "code"),
    [
        ({}, "discount_code_invalid"),
        (coupon(state="scheduled"), "discount_code_invalid"),
        (coupon(state="ended"), "discount_code_expired"),
        (coupon(state="used_up"), "discount_code_usage_limit_reached"),
        (coupon(spent=True, limit_per_buyer=1), "discount_code_usage_limit_reached"),
        (coupon(minimum={"USD": 2501}), "discount_code_minimum_not_met"),
        (coupon(amounts={"EUR": 500}), "discount_code_invalid"),
    ],
    ids=["unknown", "not yet", "over", "used up", "spent", "too little", "other currency"],
)
def test_a_code_that_does_not_work_is_a_warning_and_the_others_work(coupons: dict[str, Coupon], code: str) -> None:
    reduced = reduce([line(2500)], ["SPRING", "other"], {**coupons, **coupon("OTHER")}, "USD")
    assert told(reduced) == [(code, "$.discounts.codes[0]")]
    assert reduced.messages[0].type == "warning"
    assert [one.code for one in reduced.applied] == ["OTHER"]


def test_a_code_that_comes_one_day_is_as_unknown_as_any_other() -> None:
    texts = {
        reduce([line(2500)], ["SPRING"], coupons, "USD").messages[0].content
        for coupons in ({}, coupon(state="scheduled"))
    }
    assert len(texts) == 1


def test_a_code_counts_once_however_it_is_written() -> None:
    reduced = reduce([line(1000)], ["spring", "SPRING "], coupon(), "USD")
    assert (taken(reduced), told(reduced)) == (
        [100],
        [("discount_code_already_applied", "$.discounts.codes[1]")],
    )


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "active"),
        ({"starts_at": "2026-11-22T08:15:31Z"}, "scheduled"),
        ({"starts_at": "2026-11-22T08:15:30Z", "ends_at": "2026-11-22T09:15:31+01:00"}, "active"),
        ({"ends_at": "2026-11-22T09:15:30+01:00"}, "ended"),
        ({"limit": 2, "uses": 1}, "active"),
        ({"limit": 2, "uses": 2}, "used_up"),
    ],
)
def test_what_has_become_of_a_discount(changes: dict[str, Any], state: str) -> None:
    assert state_of(discount(**changes), NOW) == state


def test_only_codes_that_are_new_and_unknown_are_guesses() -> None:
    assert wrong_codes(["SPRING", "guess", "GUESS", "other"], ["Other"], coupon()) == 1


prices = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 99), st.sampled_from(["a", "b"])), min_size=1)
kinds = st.one_of(
    st.builds(lambda share: {"basis_points": share}, st.integers(1, 10_000)),
    st.builds(lambda amount: {"amounts": {"USD": amount}}, st.integers(1, 10**9)),
)
offers = st.lists(st.tuples(kinds, st.sampled_from([(), ("a",)]), st.integers(1, 3)), max_size=5)


@given(prices, offers)
def test_what_is_taken_off_adds_up_whatever_is_bought(bought: list[Any], offered: list[Any]) -> None:
    lines = [line(price, count, product_id=one, number=n) for n, (price, count, one) in enumerate(bought)]
    coupons: dict[str, Coupon] = {}
    for number, (kind, product_ids, priority) in enumerate(offered):
        coupons |= coupon(f"CODE-{number}", product_ids=product_ids, priority=priority, **kind)

    reduced = reduce(lines, list(coupons), coupons, "USD")

    for one in reduced.lines:
        assert amount_of(one.totals, "items_discount") <= 0 <= amount_of(one.totals, "total")
        assert sum(total.amount for total in one.totals if total.type != "total") == amount_of(one.totals, "total")
    for one in reduced.applied:
        assert one.amount == sum(part.amount for part in one.allocations) > 0
    assert sum(taken(reduced)) == sum(one.amount for one in reduced.applied)
    assert amount_of(ledger(reduced.lines), "items_discount") == -sum(taken(reduced))
    assert len(reduced.applied) + len(reduced.messages) == len(coupons)
