"""What codes take off: how much, off which lines, in which order; and what a buyer is told of those that fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.checkout import NOW
from builders.discounts import NOT_YET, OVER, USED_UP, discount, offered
from commerce.discounts.model import Discount, DiscountedLines, state_of
from commerce.discounts.policy import buyer_limit_messages, discounted, unknown_codes
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


def taken(reduced: DiscountedLines) -> list[int]:
    return [-amount_of(one.totals, "items_discount") for one in reduced.lines]


def told(reduced: DiscountedLines) -> list[tuple[str, str | None]]:
    return [(message.code, message.path) for message in reduced.messages]


def test_a_share_is_taken_of_each_line_and_an_amount_is_spread_across_them() -> None:
    lines = (line(1999), line(1000, 2, number=2))
    tenth = discounted(lines, ["SPRING"], offered(), "USD", NOW)
    assert (taken(tenth), tenth.applied[0].method) == ([200, 200], "each")

    fiver = discounted(lines, ["FIVER"], offered("FIVER", amounts={"USD": 500}), "USD", NOW)
    assert (taken(fiver), fiver.applied[0].method) == ([250, 250], "across")
    assert [(one.path, one.amount) for one in fiver.applied[0].allocations] == [
        ("$.line_items[0]", 250),
        ("$.line_items[1]", 250),
    ]


def test_the_smallest_priority_goes_first_and_the_next_takes_of_what_is_left() -> None:
    codes = {**offered("HALF", basis_points=5000, priority=2), **offered("FIVER", amounts={"USD": 500}, priority=1)}
    reduced = discounted([line(2500)], ["half", "fiver"], codes, "USD", NOW)
    assert [(one.code, one.amount) for one in reduced.applied] == [("FIVER", 500), ("HALF", 1000)]
    assert amount_of(reduced.lines[0].totals, "total") == 1000


def test_a_discount_is_confined_to_its_products() -> None:
    lines = (line(1000), line(1000, product_id="mug", number=2))
    reduced = discounted(lines, ["SPRING"], offered(product_ids=("mug",)), "USD", NOW)
    assert taken(reduced) == [0, 100]
    none = discounted(lines[:1], ["SPRING"], offered(product_ids=("mug",)), "USD", NOW)
    assert (none.applied, told(none)) == ((), [("discount_code_invalid", "$.discounts.codes[0]")])


def test_no_more_is_taken_off_than_there_is() -> None:
    reduced = discounted([line(300)], ["FIVER"], offered("FIVER", amounts={"USD": 500}), "USD", NOW)
    assert (taken(reduced), reduced.applied[0].amount) == ([300], 300)


@pytest.mark.parametrize(
    ("discounts", "code"),
    [
        ({}, "discount_code_invalid"),
        (offered(**NOT_YET), "discount_code_invalid"),
        (offered(**OVER), "discount_code_expired"),
        (offered(**USED_UP), "discount_code_usage_limit_reached"),
        (offered(minimum={"USD": 2501}), "discount_code_minimum_not_met"),
        (offered(amounts={"EUR": 500}), "discount_code_invalid"),
        (offered(minimum={"EUR": 1}), "discount_code_invalid"),
    ],
    ids=["unknown", "not yet", "over", "used up", "too little", "other currency", "other minimum"],
)
def test_a_code_that_does_not_work_is_a_warning_and_the_others_work(discounts: dict[str, Discount], code: str) -> None:
    reduced = discounted([line(2500)], ["SPRING", "other"], {**discounts, **offered("OTHER")}, "USD", NOW)
    assert told(reduced) == [(code, "$.discounts.codes[0]")]
    assert reduced.messages[0].type == "warning"
    assert [one.code for one in reduced.applied] == ["OTHER"]


def test_a_code_that_comes_one_day_is_as_unknown_as_any_other() -> None:
    texts = {
        discounted([line(2500)], ["SPRING"], discounts, "USD", NOW).messages[0].content
        for discounts in ({}, offered(**NOT_YET))
    }
    assert len(texts) == 1


def test_a_code_counts_once_however_it_is_written() -> None:
    reduced = discounted([line(1000)], ["spring", "SPRING "], offered(), "USD", NOW)
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


def test_only_codes_that_are_new_and_unknown_are_guesses_and_those_to_come_are_unknown() -> None:
    codes = ["SPRING", "guess", "GUESS", "other", "soon"]
    assert unknown_codes(codes, ["Other"], {**offered(), **offered("SOON", **NOT_YET)}, NOW) == 2


def test_equal_priorities_go_by_code_and_the_answer_says_them() -> None:
    codes = {**offered("FIVER", amounts={"USD": 500}), **offered("EIGHTH", basis_points=1250)}
    applied = discounted([line(2000)], ["fiver", "eighth"], codes, "USD", NOW).applied
    assert [(one.code, one.amount, one.priority) for one in applied] == [("EIGHTH", 250, 100), ("FIVER", 500, 100)]


def test_who_has_used_a_code_is_told_which_one_to_take_out() -> None:
    codes = {**offered("ONCE", limit_per_buyer=1), **offered("TWICE", limit_per_buyer=2)}
    told = buyer_limit_messages(["twice", "once"], {"ONCE"}, codes)
    assert [(one.type, one.code, one.path) for one in told] == [
        ("error", "discount_code_user_ineligible", "$.discounts.codes[1]")
    ]


prices = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 99), st.sampled_from(["a", "b"])), min_size=1)
kinds = st.one_of(
    st.builds(lambda share: {"basis_points": share}, st.integers(1, 10_000)),
    st.builds(lambda amount: {"amounts": {"USD": amount}}, st.integers(1, 10**9)),
)
deals = st.lists(st.tuples(kinds, st.sampled_from([(), ("a",)]), st.integers(1, 3)), max_size=5)


@given(prices, deals)
def test_what_is_taken_off_adds_up_whatever_is_bought(bought: list[Any], wanted: list[Any]) -> None:
    lines = [line(price, count, product_id=one, number=n) for n, (price, count, one) in enumerate(bought)]
    discounts: dict[str, Discount] = {}
    for number, (kind, product_ids, priority) in enumerate(wanted):
        discounts |= offered(f"CODE-{number}", product_ids=product_ids, priority=priority, **kind)

    reduced = discounted(lines, list(discounts), discounts, "USD", NOW)

    for one in reduced.lines:
        assert amount_of(one.totals, "items_discount") <= 0 <= amount_of(one.totals, "total")
        assert sum(total.amount for total in one.totals if total.type != "total") == amount_of(one.totals, "total")
    for one in reduced.applied:
        assert one.amount == sum(part.amount for part in one.allocations) > 0
    assert sum(taken(reduced)) == sum(one.amount for one in reduced.applied)
    assert amount_of(ledger(reduced.lines), "items_discount") == -sum(taken(reduced))
    assert len(reduced.applied) + len(reduced.messages) == len(discounts)
