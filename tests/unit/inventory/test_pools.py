"""How a hot SKU's units lie over the rows of its pool."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from builders.checkout import NOW
from builders.pricing import wanted
from builders.stock import supplied
from commerce.errors import ConditionFailed, Contended
from commerce.inventory.allocation import allocate
from commerce.inventory.model import MAX_SHARDS, Part, Pool, Stock, by_location, summed
from commerce.inventory.pool import Moves, drained, empty, gathered, levelled, spread
from commerce.inventory.pooling import tend_all

counts = st.integers(min_value=0, max_value=60)
pools = st.lists(counts, min_size=3, max_size=MAX_SHARDS + 1)


def rows(*free: int, promised: int = 0) -> tuple[Stock, ...]:
    """The SKU's own row, then its pool's; each has as many promised units."""
    return tuple(
        Stock(
            sku="SHIRT-M",
            location="main",
            shard=shard,
            pool=None if shard else Pool(shards=len(free) - 1, ledgers=len(free) - 1),
            on_hand=units + promised,
            available=units,
        )
        for shard, units in enumerate(free)
    )


def filled(quantity: int, *free: int, start: int = 0) -> tuple[Part, ...]:
    """Which rows give an order so many units."""
    stock = {"SHIRT-M": rows(*free)}
    return allocate([wanted(quantity=quantity)], stock, ["main"], supplied(stock), start=start)["line_1"]


def after(stock: Iterable[Stock], moves: Iterable[Moves]) -> list[int]:
    """What is free in each row once the moves are made, none of which may take more than is there."""
    free = Counter({row.shard: row.available for row in stock})
    for move in moves:
        assert sum(part.quantity for part in move) == 0
        for part in move:
            free[part.shard] += part.quantity
            assert free[part.shard] >= 0
    return [free[shard] for shard in sorted(free)]


@given(counts, st.integers(min_value=2, max_value=MAX_SHARDS))
def test_a_spread_leaves_no_row_with_two_more_than_another(units: int, shards: int) -> None:
    own, *pool = after(rows(units), [spread(rows(units)[0], shards)])

    assert (own, sum(pool), len(pool)) == (0, units, shards)
    assert max(pool) - min(pool) <= 1


def test_what_is_owed_to_backorders_is_not_spread() -> None:
    assert {part.quantity for part in spread(rows(-3)[0], 4)} == {0}


@given(pools)
def test_draining_brings_every_free_unit_home(free: list[int]) -> None:
    own, *pool = after(rows(*free), drained(rows(*free)))

    assert (own, sum(pool)) == (sum(free), 0)


@given(pools)
def test_levelling_loses_no_unit_and_leaves_no_row_dry_while_others_could_share(free: list[int]) -> None:
    own, *pool = levels = after(rows(*free), levelled(rows(*free)))

    assert sum(levels) == sum(free)
    assert own == 0
    dry_before, dry = free[1:].count(0), pool.count(0)
    could_share = free[0] or sum(units > 1 for units in free[1:])
    assert dry == max(0, dry_before - could_share)


@given(pools, counts)
def test_as_many_units_are_gathered_as_are_needed_and_there(free: list[int], needed: int) -> None:
    own, *_ = after(rows(*free), gathered(rows(*free), needed))

    assert own == max(free[0], min(needed, sum(free)))


def test_units_that_were_sold_ahead_are_made_up_for_before_a_dry_row_is_filled() -> None:
    [(given, taken)] = levelled(rows(-3, 0, 8))

    assert (given.shard, given.quantity, taken.shard, taken.quantity) == (2, -4, 0, 4)


def test_a_pool_with_promised_units_is_not_empty() -> None:
    assert empty(rows(5, 0, 0))
    assert not empty(rows(0, 0, 0, promised=1))


@given(pools, st.integers(min_value=1, max_value=2_000), st.integers(min_value=0, max_value=10**9))
def test_every_unit_of_a_pool_can_be_sold_and_no_row_gives_more_than_it_has(
    free: list[int], quantity: int, start: int
) -> None:
    assume(quantity <= sum(free))

    parts = filled(quantity, *free, start=start)

    assert sum(part.quantity for part in parts) == quantity
    assert summed(parts) == parts
    assert all(part.quantity <= free[part.shard] for part in parts)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_buyer_starts_at_a_row_of_their_own_and_skips_those_that_ran_dry(start: int) -> None:
    [part] = filled(1, 9, 3, 0, 3, 3, start=start)

    assert part.shard == {0: 1, 1: 3, 2: 3, 3: 4}[start % 4]


def test_the_skus_own_row_is_left_to_the_last() -> None:
    [part] = filled(2, 2, 1, 1)

    assert part.shard == 0


def test_a_location_is_the_sum_of_its_rows() -> None:
    [place] = by_location(rows(1, 2, 3, promised=1))

    assert (place.available, place.on_hand, place.reserved, place.shards) == (6, 9, 3, 2)


class PoolsAtWork:
    """Two pools: the units of the first keep moving, the second has a row that ran dry."""

    def __init__(self) -> None:
        self.refilled: list[str] = []

    def pools(self) -> Iterator[tuple[str, str]]:
        yield from (("MUG", "main"), ("SHIRT-M", "main"))

    def rows(self, sku: str, location: str) -> tuple[Stock, ...]:
        if sku == "MUG":
            raise Contended("the stock is being moved at this moment")
        return rows(0, 8, 0)

    def thresholds(self, skus: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(skus, 5)

    def watch_pool(self, *_: Any) -> None:
        raise ConditionFailed(())

    def change_pool(self, own: Stock, *_: Any, **__: Any) -> None:
        self.refilled.append(own.sku)


def test_a_pool_that_cannot_be_tended_now_keeps_no_other_pool_waiting() -> None:
    pools: Any = PoolsAtWork()

    assert tend_all(pools, now=NOW) == 2

    assert pools.refilled == ["SHIRT-M"]
