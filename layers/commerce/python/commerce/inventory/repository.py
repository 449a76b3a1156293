"""Stock in DynamoDB: the table `inventory`, see docs/architecture.md. How it changes is said in `actions.py`."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from commerce.adapters.dynamodb import Condition, Item, at_least, check, delete, fields, put, transact
from commerce.adapters.outbox import Outbox
from commerce.errors import ConditionFailed, Contended
from commerce.events import Event, StockEvent
from commerce.inventory.actions import StockActions, ledger_key, policy_key, stock_key
from commerce.inventory.model import Movement, MovementKind, Part, Pool, Reservation, Stock, by_location
from commerce.inventory.policy import supply_of, threshold
from commerce.model import read_back
from commerce.supply import SellingPolicy, Supply

_ATTEMPTS = 16
"""Of staff's changes, against the orders that take from the same rows."""
_LOOKS = 5
"""At a pool whose units move between its rows while it is read."""
_REMEMBERED_SECONDS = 1.0
_POOLS = "POOLS"


@dataclass(frozen=True)
class InventoryRepository(StockActions):
    """Reads stock, and makes the changes that staff ask for. Others' transactions change it by the actions it makes."""

    outbox: Outbox
    locations: tuple[str, ...]
    """Where stock lies, the preferred location first."""
    low_stock: int = 0
    """The shop's threshold for SKUs that have none of their own."""
    clock: Callable[[], float] = time.monotonic
    looks: dict[str, "_Look"] = field(default_factory=dict)
    """By pooled SKU: what this process saw last. A partition key serves 3,000 reads per second: were every buyer to
    read every row, reading would be the ceiling."""

    def supply(self, skus: Iterable[str], now: datetime) -> dict[str, Supply]:
        """What can be sold of every SKU. May lag by a moment."""
        wanted = list(skus)
        return (self.remembered(wanted, now) or self.shelves(wanted, now, consistent=False))[1]

    def shelves(
        self, skus: Iterable[str], now: datetime, *, consistent: bool = True
    ) -> tuple[dict[str, tuple[Stock, ...]], dict[str, Supply]]:
        """The stock of `stock_of`, and what can be sold of it. The policies come with the same batch read."""
        wanted = list(dict.fromkeys(skus))
        stock, policies = self._look(wanted, consistent)
        self._remember(stock, policies)
        return stock, self._supply(stock, policies, now)

    def remembered(
        self, skus: Iterable[str], now: datetime
    ) -> tuple[dict[str, tuple[Stock, ...]], dict[str, Supply]] | None:
        """As `shelves`, if all SKUs are pooled and this process saw them a moment ago. Costs nothing."""
        looks = {sku: self.looks.get(sku) for sku in skus}
        fresh = {sku: look for sku, look in looks.items() if look and look.until > self.clock()}
        if not looks or len(fresh) < len(looks):
            return None
        stock = {sku: look.rows for sku, look in fresh.items()}
        return stock, self._supply(stock, {sku: look.policy for sku, look in fresh.items()}, now)

    def rows_last_seen(self, sku: str) -> int:
        """Over how many rows the SKU's stock is spread, as far as is known without looking."""
        look = self.looks.get(sku)
        return sum(1 for row in look.rows if row.shard) if look else 1

    def stock_of(self, skus: Iterable[str]) -> dict[str, tuple[Stock, ...]]:
        """Every SKU's stock: its own row at every location, the preferred one first, then the rows of its pools.

        One batch read, and two more where a SKU is pooled; never a scan.
        """
        wanted = list(dict.fromkeys(skus))
        return self._look(wanted, consistent=True)[0]

    def stock(self, sku: str, location: str) -> Stock:
        """The SKU's stock at one location, all rows summed; zeros where it never had any."""
        [place] = by_location(self.rows(sku, location))
        return place

    def rows(self, sku: str, location: str) -> tuple[Stock, ...]:
        """The SKU's own row at one location, then its pool's."""
        own = [_stock(sku, location, 0, self.table.get(*stock_key(sku, location, 0)) or {})]
        return tuple(self._with_pools(own, consistent=True) if own[0].shards else own)

    def pools(self) -> Iterator[tuple[str, str]]:
        """SKU and location of every pool there is."""
        for item in self.table.query(_POOLS, consistent=True):
            yield item["sku"], item["location"]

    def reservations(self, order_id: str) -> Iterator[Reservation]:
        """What is, or was, promised to the order."""
        for item in self.table.query(f"ORDER#{order_id}", prefix="RESERVATION#", consistent=True):
            yield read_back(Reservation, fields(item))

    def movements(self, sku: str, month: str, *, before: str | None = None, limit: int = 50) -> Iterator[Movement]:
        """The SKU's ledger in `month` (`2026-11`), the newest first, entries before the `position` of one."""
        own = self.table.get_many(stock_key(sku, location, 0) for location in self.locations)
        ledgers = 1 + max((item.get("ledgers", 0) for item in own), default=0)

        def ledger(shard: int) -> Iterator[Item]:
            return self.table.query(
                ledger_key(sku, month, shard),
                sort=("sk", "<", before) if before else None,
                limit=limit,
                descending=True,
            )

        merged = heapq.merge(*map(ledger, range(ledgers)), key=lambda item: str(item["sk"]), reverse=True)
        for item in islice(merged, limit):
            yield read_back(Movement, fields(item))

    def policy(self, sku: str) -> SellingPolicy:
        """How the SKU may be sold."""
        return _policy(self.table.get(*policy_key(sku)) or {})

    def thresholds(self, skus: Iterable[str]) -> dict[str, int]:
        """From how many free units on each SKU is low. May lag by a moment."""
        wanted = list(dict.fromkeys(skus))
        found = self._items(map(policy_key, wanted), consistent=False)
        policies = {sku: _policy(found.get(policy_key(sku), {})) for sku in wanted}
        return {sku: threshold(policy, self.low_stock) for sku, policy in policies.items()}

    def done(self, change_id: str) -> bool:
        """Whether the adjustment or the transfer was made."""
        return self.table.get(f"GUARD#{change_id}", "GUARD") is not None

    def tell(self, event: Event) -> None:
        """Publishes an event that goes with no change. Told again, it changes nothing."""
        with suppress(ConditionFailed):
            transact(self.table.client, [self.outbox.action(event)])

    def save_policy(
        self, sku: str, old: SellingPolicy, new: SellingPolicy, *, actions: Iterable[dict[str, Any]] = ()
    ) -> None:
        """Replaces `old` by `new`, together with `actions`.

        Raises ConditionFailed: 0 where it is not `old` any more, 1 where units are still owed at the place that the
        new one leaves.
        """
        pk, sk = policy_key(sku)
        item = {"pk": pk, "sk": sk, **new.model_dump(mode="json", exclude_none=True)}
        unchanged: Condition = ("version", "=", old.version) if old.version else ("pk", "missing")
        own = [put(self.table.name, item, unchanged)]
        if old.location not in ("", new.location):
            nothing_owed = at_least("available", 0)
            own.append(check(self.table.name, *stock_key(sku, old.location, 0), nothing_owed))
        transact(self.table.client, [*own, *actions])

    def adjust(
        self,
        part: Part,
        kind: MovementKind,
        *,
        adjustment_id: str,
        reason: str,
        actor: str,
        now: datetime,
        seen: Sequence[Stock] = (),
        adjustments: int | None = None,
        cap: int = 0,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> None:
        """Adds `part.quantity` (signed) to what is free, together with `actions` and `events`.

        Raises ConditionFailed: position 0 where more than `cap` units would be owed, the shelf would go below zero, its
        row is no longer as `seen`, or was adjusted another time than these `adjustments`; 1 where `adjustment_id` was
        made before, 3 and more where another row is no longer as seen.
        """
        conditions = [_as_seen(row) for row in seen if row.shard == part.shard]
        if adjustments is not None:
            conditions.append(("adjustments", "=", adjustments) if adjustments else ("adjustments", "missing"))
        stock, movement = self._changed(
            part,
            kind,
            adjustment_id,
            now,
            on_hand=part.quantity,
            available=part.quantity,
            adjustments=1,
            reason=reason,
            actor=actor,
            conditions=conditions,
            least=-part.quantity - cap if part.quantity < 0 else None,
        )
        others = [
            check(self.table.name, *stock_key(row.sku, row.location, row.shard), _as_seen(row))
            for row in seen
            if row.shard != part.shard
        ]
        self._transact([stock, self._guard(adjustment_id), movement, *others], actions, events)

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
        """Makes the pool beside the SKU's `own` row what `pool` says, and moves free units between its rows.

        `moves` are signed and sum to zero; a row that gets nothing is written all the same. Raises ConditionFailed
        where the pool is no longer as `own` says, a row has fewer units free than leave it, or `transfer_id` was made.
        """
        by_row = {move.shard: move for move in moves}
        by_row.setdefault(0, Part(sku=own.sku, location=own.location, quantity=0))
        rows = [
            self._row(
                move,
                {"on_hand": move.quantity, "available": move.quantity, **({} if shard else {"transfers": 1})},
                *(() if shard else _pool_as_seen(own)),
                set={} if shard else _pool_changes(own.pool, pool),
            )
            for shard, move in sorted(by_row.items())
        ]
        entries = [
            self._entry(
                move,
                "transferred",
                transfer_id,
                now,
                on_hand=move.quantity,
                available=move.quantity,
                reason=reason,
                actor=actor,
            )
            for move in by_row.values()
            if move.quantity
        ]
        listed = put(self.table.name, {**_pool_key(own), "sku": own.sku, "location": own.location})
        self._transact([*rows, self._guard(transfer_id), listed, *entries], actions)

    def watch_pool(self, own: Stock, free: int, told: StockEvent | None) -> None:
        """Writes down that so many units of the pool were seen to be free, and publishes what that tells.

        Raises ConditionFailed where somebody was quicker, or units moved.
        """
        nothing = Part(sku=own.sku, location=own.location, quantity=0)
        row = self._row(nothing, {"transfers": 1}, *_pool_as_seen(own), *_unmoved(own), set={"watched": free})
        self._transact([row], events=[told] if told else [])

    def close_pool(self, own: Stock) -> None:
        """Takes the pool's rows away. Raises ConditionFailed where one is not empty, or the pool is on again.

        That nothing moved since also tells this from an earlier closing: a transaction that were the same to the
        letter would be taken for that one, and done with, for ten minutes.
        """
        empty: list[Condition] = [("on_hand", "=", 0), ("available", "=", 0)]
        rows = [
            delete(self.table.name, *stock_key(own.sku, own.location, shard), *empty)
            for shard in range(1, own.shards + 1)
        ]
        closed = self._row(
            Part(sku=own.sku, location=own.location, quantity=0),
            {"transfers": 1},
            *_pool_as_seen(own),
            *_unmoved(own),
            set={"shards": 0, "draining": False},
        )
        self._transact([closed, *rows, delete(self.table.name, **_pool_key(own))])

    def transfer(
        self,
        part: Part,
        destination: str,
        *,
        transfer_id: str,
        reason: str,
        actor: str,
        now: datetime,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> None:
        """Moves the part to the location `destination`, together with `actions` and `events`.

        Raises ConditionFailed: position 0 where too few units are free, 1 where `transfer_id` was made before.
        """
        own = self.transfer_actions(part, destination, transfer_id=transfer_id, reason=reason, actor=actor, now=now)
        self._transact(own, actions, events)

    def _supply(
        self, stock: Mapping[str, tuple[Stock, ...]], policies: Mapping[str, SellingPolicy], now: datetime
    ) -> dict[str, Supply]:
        return {
            sku: supply_of(rows, policies[sku], low_stock=self.low_stock, today=now.date())
            for sku, rows in stock.items()
        }

    def _remember(self, stock: Mapping[str, tuple[Stock, ...]], policies: Mapping[str, SellingPolicy]) -> None:
        until = self.clock() + _REMEMBERED_SECONDS
        for sku, rows in stock.items():
            self.looks.pop(sku, None)
            if any(row.shard for row in rows):
                self.looks[sku] = _Look(until, rows, policies[sku])

    def _look(
        self, skus: list[str], consistent: bool
    ) -> tuple[dict[str, tuple[Stock, ...]], dict[str, SellingPolicy]]:
        places = [(sku, location, 0) for sku in skus for location in self.locations]
        found = self._items([*(stock_key(*place) for place in places), *map(policy_key, skus)], consistent)
        own = [_stock(*place, found.get(stock_key(*place), {})) for place in places]
        rows = self._with_pools(own, consistent) if any(row.shards for row in own) else own
        stock = {sku: tuple(row for row in rows if row.sku == sku) for sku in skus}
        return stock, {sku: _policy(found.get(policy_key(sku), {})) for sku in skus}

    def _with_pools(self, own: list[Stock], consistent: bool) -> list[Stock]:
        """The SKUs' `own` rows and their pools' rows.

        Units that move between rows while these are read could be missed in both, and the last ones taken for sold: a
        consistent look holds only if the own rows, read before and after it, say that nothing moved in between.
        """
        for _ in range(_LOOKS):
            keys = [(row.sku, row.location, shard) for row in own for shard in range(1, row.shards + 1)]
            pool = self._rows(keys, consistent)
            if not consistent:
                return own + pool
            again = self._rows([(row.sku, row.location, 0) for row in own], consistent)
            if [row.pool for row in again] == [row.pool for row in own]:
                return again + pool
            own = again
        raise Contended("the stock is being moved at this moment; send the request again")

    def _rows(self, keys: Iterable[tuple[str, str, int]], consistent: bool) -> list[Stock]:
        wanted = list(keys)
        found = self._items([stock_key(*key) for key in wanted], consistent)
        return [_stock(*key, found.get(stock_key(*key), {})) for key in wanted]

    def _items(self, keys: Iterable[tuple[str, str]], consistent: bool) -> dict[tuple[str, str], Item]:
        return {(item["pk"], item["sk"]): item for item in self.table.get_many(keys, consistent=consistent)}

    def _transact(
        self, own: list[dict[str, Any]], actions: Iterable[dict[str, Any]] = (), events: Iterable[Event] = ()
    ) -> None:
        published = (self.outbox.action(event) for event in events)
        transact(self.table.client, [*own, *actions, *published], attempts=_ATTEMPTS)


@dataclass(frozen=True)
class _Look:
    """A pooled SKU as this process saw it. Good enough to choose a row, until (the clock's seconds)."""

    until: float
    rows: tuple[Stock, ...]
    policy: SellingPolicy


def _pool_key(own: Stock) -> dict[str, str]:
    return {"pk": _POOLS, "sk": f"{own.sku}#{own.location}"}


def _stock(sku: str, location: str, shard: int, item: Item) -> Stock:
    return Stock(
        sku=sku,
        location=location,
        shard=shard,
        pool=Pool(**{name: item[name] for name in Pool.model_fields if name in item}) if "shards" in item else None,
        on_hand=item.get("on_hand", 0),
        available=item.get("available", 0),
        known=bool(item),
        adjustments=item.get("adjustments", 0),
    )


def _as_seen(row: Stock) -> Condition:
    return ("available", "=", row.available) if row.known else ("available", "missing")


def _pool_as_seen(own: Stock) -> tuple[Condition, ...]:
    if own.pool is None:
        return (("shards", "missing"),)
    return ("shards", "=", own.pool.shards), ("draining", "=", own.pool.draining)


def _pool_changes(old: Pool | None, new: Pool) -> dict[str, Any]:
    """What is written to make the pool another one; nothing where units only move in it."""
    before = old.model_dump() if old else {}
    wanted = new.model_dump(exclude={"transfers"}, exclude_none=True)
    return {name: value for name, value in wanted.items() if before.get(name) != value}


def _unmoved(own: Stock) -> tuple[Condition, ...]:
    return (("transfers", "=", own.pool.transfers),) if own.pool else ()


def _policy(item: Item) -> SellingPolicy:
    return read_back(SellingPolicy, fields(item))
