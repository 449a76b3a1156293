"""Hot SKUs: laying a SKU's stock over many rows, and back, while it is sold.

One row takes at most 500 reservations per second (1,000 write units, a transaction costs double), and far fewer before
buyers' transactions collide. Nothing here is in a buyer's way: every step is a transaction of its own, each row can be
sold from at every moment, and a step that loses a race is taken by the next run.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended
from commerce.events import StockEvent
from commerce.ids import new_id
from commerce.inventory.model import Part, Pool, Stock, by_location
from commerce.inventory.policy import StockChange, level
from commerce.inventory.pool import Moves, drained, empty, gathered, levelled, spread
from commerce.inventory.selling import notice

_TRIES = 5


class Pools(Protocol):
    """Where stock and its pools are kept."""

    @property
    def locations(self) -> tuple[str, ...]:
        """The shop's locations."""

    def rows(self, sku: str, location: str) -> tuple[Stock, ...]:
        """The SKU's own row at one location, then its pool's."""

    def pools(self) -> Iterator[tuple[str, str]]:
        """SKU and location of every pool there is."""

    def change_pool(
        self,
        own: Stock,
        pool: Pool,
        moves: Iterable[Part] = (),
        *,
        transfer_id: str,
        reason: str,
        actor: str,
        now: datetime,
        actions: Iterable[dict[str, Any]] = (),
    ) -> None:
        """Makes the pool what `pool` says and moves units between its rows. Raises ConditionFailed."""

    def thresholds(self, skus: Iterable[str]) -> dict[str, int]:
        """From how many free units on each SKU is low."""

    def watch_pool(self, own: Stock, free: int, told: StockEvent | None) -> None:
        """Writes down that so many units were seen to be free, and publishes what that tells. Raises ConditionFailed
        where somebody was quicker, or units moved.
        """

    def close_pool(self, own: Stock) -> None:
        """Takes the pool's rows away. Raises ConditionFailed where one is not empty, or the pool is on again."""


def switch_on(pools: Pools, audit: Audit, *, sku: str, shards: int, actor: str, now: datetime) -> None:
    """Lays the SKU's free units over `shards` rows at every location that knows it. On already changes nothing.

    A pool may grow; raises Conflict for fewer rows than it has, for a SKU that no location knows, and Contended where
    orders keep changing its stock.
    """
    known = [location for location in pools.locations if pools.rows(sku, location)[0].known]
    if not known:
        raise Conflict(f"no location has stock of {sku}; receive some first")
    for location in known:
        _open(pools, audit, sku, location, shards, actor, now)


def switch_off(pools: Pools, audit: Audit, *, sku: str, actor: str, now: datetime) -> None:
    """Free units go back to the SKU's own rows; rows with promised units stay until they are empty.

    Off already changes nothing. What a rush leaves behind here, the reconciler (`tend_all`) brings in.
    """
    for location in pools.locations:
        own = pools.rows(sku, location)[0]
        if own.pool and own.pool.shards and not own.pool.draining:
            _close(pools, audit, own, actor, now)
        tend(pools, sku, location, actor=actor, now=now)


def tend_all(pools: Pools, *, now: datetime) -> int:
    """Tends every pool there is; answers how many. For the reconciler: a row that ran dry is refilled within a minute.

    A pool whose units keep moving is left to the next run.
    """
    every = tuple(pools.pools())
    for sku, location in every:
        with suppress(Contended):
            tend(pools, sku, location, actor="reconciler", now=now)
    return len(every)


def tend(pools: Pools, sku: str, location: str, *, actor: str, now: datetime) -> None:
    """Refills the rows that ran dry; of a pool that is off, brings free units home and ends it once it is empty.

    Tells first which line all its free units have crossed: of what its rows give each other nobody need hear.
    """
    rows = pools.rows(sku, location)
    pool = rows[0].pool
    if pool is None or not pool.shards:
        return
    _watch(pools, rows, pool, now)
    if not pool.draining:
        _carry_out(pools, rows[0], levelled(rows), "refilled", actor, now)
        return
    _carry_out(pools, rows[0], drained(rows), "pool switched off", actor, now)
    rows = pools.rows(sku, location)
    if rows[0].pool and rows[0].pool.draining and empty(rows):
        with suppress(ConditionFailed, Contended):
            pools.close_pool(rows[0])


def _watch(pools: Pools, rows: tuple[Stock, ...], pool: Pool, now: datetime) -> None:
    [place] = by_location(rows)
    low = pools.thresholds([place.sku])[place.sku]
    if pool.watched is not None and level(pool.watched, low) == level(place.available, low):
        return
    change = StockChange(
        id=f"pool {pool.transfers}",
        sku=place.sku,
        location=place.location,
        before=pool.watched,
        after=place.available,
        occurred_at=iso(now),
    )
    with suppress(ConditionFailed, Contended):
        pools.watch_pool(rows[0], place.available, notice(change, low))


def gather(pools: Pools, sku: str, location: str, units: int, *, actor: str, now: datetime) -> None:
    """Brings free units of a pooled SKU into its own row until `units` lie there, as far as there are so many."""
    rows = pools.rows(sku, location)
    _carry_out(pools, rows[0], gathered(rows, units), "gathered", actor, now)


def _open(pools: Pools, audit: Audit, sku: str, location: str, shards: int, actor: str, now: datetime) -> None:
    for _ in range(_TRIES):
        own = pools.rows(sku, location)[0]
        before = own.pool or Pool(shards=0, ledgers=0)
        watched = before.watched if before.shards else own.available
        if before.shards == shards and not before.draining:
            return
        if shards < before.shards:
            raise Conflict(
                f"{sku} has a pool of {before.shards} rows at {location}; switch it off first, or take as many",
                path="$.shards",
            )
        after = Pool(shards=shards, ledgers=max(shards, before.ledgers), watched=watched)
        transfer_id = new_id("transfer")
        try:
            pools.change_pool(
                own,
                after,
                spread(own, shards),
                transfer_id=transfer_id,
                reason="pool switched on",
                actor=actor,
                now=now,
                actions=[_entry(audit, own, "stock.pooled", after, actor, now)],
            )
        except ConditionFailed:
            continue
        return
    raise Contended(f"orders keep changing the stock of {sku}; switch it on again")


def _close(pools: Pools, audit: Audit, own: Stock, actor: str, now: datetime) -> None:
    """From here on nothing is moved into the pool. Who lost a race finds it off, or on with another size: as asked."""
    assert own.pool is not None
    after = own.pool.model_copy(update={"draining": True})
    with suppress(ConditionFailed):
        pools.change_pool(
            own,
            after,
            transfer_id=new_id("transfer"),
            reason="pool switched off",
            actor=actor,
            now=now,
            actions=[_entry(audit, own, "stock.unpooled", after, actor, now)],
        )


def _carry_out(pools: Pools, own: Stock, moves: Iterable[Moves], reason: str, actor: str, now: datetime) -> None:
    """Each of the moves that still can be made; buyers may have been quicker."""
    for move in moves:
        assert own.pool is not None
        with suppress(ConditionFailed, Contended):
            pools.change_pool(
                own, own.pool, move, transfer_id=new_id("transfer"), reason=reason, actor=actor, now=now
            )


def _entry(audit: Audit, own: Stock, action: str, after: Pool, actor: str, now: datetime) -> dict[str, Any]:
    return audit.action(
        f"stock#{own.sku}",
        actor=actor,
        action=action,
        now=now,
        before={"location": own.location, "shards": own.shards},
        after={"location": own.location, "shards": 0 if after.draining else after.shards},
    )
