"""The rules of a stock count: what a difference is, and what posting makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.errors import Invalid
from commerce.inventory.model import Stock
from commerce.stockroom.model import CountLine, Entry, check_entries, settled, tally, to_post
from commerce.stockroom.view import line_view

units = st.integers(0, 1000)


def line(counted: int, on_hand: int = 10, sku: str = "MUG", **changes: object) -> CountLine:
    fields = {"adjustments": 0, "counted_at": "2026-11-26T10:00:00.000Z", "counted_by": "anna", **changes}
    return CountLine(sku=sku, counted=counted, on_hand=on_hand, **fields)


def shelf(on_hand: int, available: int, adjustments: int = 0) -> Stock:
    return Stock(sku="MUG", location="main", on_hand=on_hand, available=available, adjustments=adjustments)


def test_a_difference_corrects_the_shelf_by_as_much() -> None:
    done = settled(line(counted=8), shelf(10, 10))

    assert (done.outcome, done.posted, done.short) == ("adjusted", -2, 0)


def test_goods_that_moved_since_do_not_count_as_a_difference() -> None:
    sold_four_since = shelf(6, 6)

    assert settled(line(counted=9), sold_four_since).posted == -1


def test_promised_units_stay_in_the_books_and_are_told() -> None:
    done = settled(line(counted=1), shelf(on_hand=10, available=4))

    assert (done.outcome, done.posted, done.short) == ("short", -4, 5)


def test_where_everything_is_promised_nothing_is_taken() -> None:
    done = settled(line(counted=1), shelf(on_hand=10, available=0))

    assert (done.outcome, done.posted, done.short) == ("short", 0, 9)


def test_a_shelf_that_is_sold_beyond_what_it_holds_gives_nothing_more() -> None:
    done = settled(line(counted=0, on_hand=3), shelf(on_hand=3, available=-2))

    assert (done.outcome, done.posted, done.short) == ("short", 0, 3)


def test_a_count_is_worthless_once_somebody_corrected_the_shelf() -> None:
    done = settled(line(counted=8), shelf(8, 8, adjustments=1))

    assert (done.outcome, done.posted, done.short) == ("outdated", 0, 0)


@given(counted=units, on_hand=units, reserved=units)
def test_posting_never_takes_what_is_promised_and_never_more_than_is_missing(
    counted: int, on_hand: int, reserved: int
) -> None:
    before = shelf(on_hand, max(on_hand - reserved, 0))

    done = settled(line(counted, on_hand), before)

    assert before.available + done.posted >= 0
    assert on_hand + done.posted >= counted
    assert done.short == on_hand + done.posted - counted


def test_only_what_differs_and_was_not_posted_is_posted() -> None:
    lines = [line(10, sku="SAME"), line(8, sku="LESS"), line(7, sku="DONE", outcome="adjusted", posted=-3)]

    assert [one.sku for one in to_post(lines)] == ["LESS"]


def test_a_count_in_figures() -> None:
    lines = [
        line(10, sku="SAME"),
        line(12, sku="MORE", outcome="adjusted", posted=2),
        line(5, sku="SHORT", outcome="short", posted=-2),
        line(9, sku="OLD", outcome="outdated"),
    ]

    figures = tally(lines)

    assert figures.model_dump() == {
        "lines": 4,
        "differing": 3,
        "over": 2,
        "under": 6,
        "adjusted": 1,
        "short": 3,
        "outdated": 1,
    }
    assert [line_view(one).variance for one in lines] == [0, 2, -5, -1]


@pytest.mark.parametrize(
    ("skus", "path"),
    [
        (("MUG", "MUG"), "$.entries[1].sku"),
        (("MUG", "HAT"), "$.entries[1].sku"),
        (("MUG", "GONE"), "$.entries[1].sku"),
    ],
    ids=["named twice", "not listed", "not in the catalogue"],
)
def test_an_entry_that_does_not_belong_is_named(skus: tuple[str, ...], path: str) -> None:
    entries = [Entry(sku=sku, counted=1) for sku in skus]

    with pytest.raises(Invalid) as refused:
        check_entries(entries, listed={"MUG", "GONE"}, known={"MUG", "HAT"})

    assert refused.value.path == path
