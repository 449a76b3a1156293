"""Stock in DynamoDB: the table `inventory`, see docs/architecture.md.

Every change of stock is an action of a transaction that also puts or moves a guard (the reservation, or `GUARD#<id>`)
under a condition, so that it cannot happen twice, and writes the movement that explains it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commerce.adapters.dynamodb import Condition, Item, Table, fields, put, transact, update
from commerce.adapters.outbox import Outbox
from commerce.clock import iso
from commerce.events import Event
from commerce.ids import derived_id
from commerce.inventory.model import Movement, MovementKind, Part, Reservation, Stock

ACTIONS_PER_PART = 3
"""Reserving, releasing, shipping and taking back each write stock, guard and movement, in this order."""


@dataclass(frozen=True)
class InventoryRepository:
    """Reads stock, and makes the actions by which other contexts' transactions change it."""

    table: Table
    outbox: Outbox
    locations: tuple[str, ...]
    """Where stock lies, the preferred location first."""

    def available(self, skus: Iterable[str]) -> dict[str, int]:
        """Units free to be sold per SKU, summed over locations; 0 where there is none. May lag by a moment."""
        stock = self.stock_of(skus, consistent=False)
        return {sku: sum(place.available for place in places) for sku, places in stock.items()}

    def stock_of(self, skus: Iterable[str], *, consistent: bool = True) -> dict[str, tuple[Stock, ...]]:
        """Every SKU's stock per location, the preferred location first. One batch read, never a scan."""
        wanted = list(dict.fromkeys(skus))
        keys = [(f"STOCK#{sku}", f"LOCATION#{location}") for sku in wanted for location in self.locations]
        found = {(item["pk"], item["sk"]): item for item in self.table.get_many(keys, consistent=consistent)}
        return {
            sku: tuple(
                _stock(sku, location, found.get((f"STOCK#{sku}", f"LOCATION#{location}"), {}))
                for location in self.locations
            )
            for sku in wanted
        }

    def stock(self, sku: str, location: str) -> Stock:
        """The SKU's stock at one location; zeros where it never had any."""
        return _stock(sku, location, self.table.get(f"STOCK#{sku}", f"LOCATION#{location}") or {})

    def reservations(self, order_id: str) -> Iterator[Reservation]:
        """What is, or was, promised to the order."""
        for item in self.table.query(f"ORDER#{order_id}", prefix="RESERVATION#", consistent=True):
            yield Reservation.model_validate(fields(item))

    def movements(self, sku: str, month: str, *, before: str | None = None, limit: int = 50) -> Iterator[Movement]:
        """The SKU's ledger in `month` (`2026-11`), the newest first, entries before the `position` of one."""
        items = self.table.query(
            f"MOVEMENT#{sku}#{month}",
            sort=("sk", "<", before) if before else None,
            limit=limit,
            descending=True,
        )
        for item in items:
            yield Movement.model_validate(fields(item))

    def reserve_actions(
        self, order_id: str, parts: Iterable[Part], *, deadline: datetime, now: datetime
    ) -> list[dict[str, Any]]:
        """Takes the parts out of what is free, until `deadline`. Refused where too little is free, or done before."""
        actions = []
        for part in parts:
            reservation = Reservation(
                order_id=order_id,
                sku=part.sku,
                location=part.location,
                quantity=part.quantity,
                status="reserved",
                deadline=iso(deadline),
            )
            guard = put(
                self.table.name,
                {**_reservation_key(order_id, part), **reservation.model_dump(exclude_none=True)},
                ("pk", "missing"),
            )
            actions += self._moved(part, "reserved", order_id, now, available=-part.quantity, guard=guard)
        return actions

    def keep_actions(self, order_id: str, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """Lifts the deadline of the order's reservations: it is paid. One action per part."""
        return [self._reservation(order_id, part) for part in parts]

    def release_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """Gives the order's parts back to what is free. Refused where they were released or shipped before."""
        actions = []
        for part in parts:
            guard = self._reservation(order_id, part, to="released")
            actions += self._moved(part, "released", order_id, now, available=part.quantity, guard=guard)
        return actions

    def ship_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """The order's parts leave the shop. Refused where they were released or shipped before."""
        actions = []
        for part in parts:
            guard = self._reservation(order_id, part, to="shipped")
            actions += self._moved(part, "shipped", order_id, now, on_hand=-part.quantity, guard=guard)
        return actions

    def return_actions(self, return_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """Goods that came back are free to be sold again. Refused where `return_id` was taken in before."""
        actions = []
        for part in parts:
            guard = self._guard(f"{return_id}#{part.sku}#{part.location}")
            actions += self._moved(
                part, "returned", return_id, now, on_hand=part.quantity, available=part.quantity, guard=guard
            )
        return actions

    def adjust(
        self,
        part: Part,
        kind: MovementKind,
        *,
        adjustment_id: str,
        reason: str,
        actor: str,
        now: datetime,
        seen: Stock | None = None,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> None:
        """Adds `part.quantity` (signed) to what is free, together with `actions` and `events`.

        Raises ConditionFailed: position 0 where the shelf would go below zero or is no longer as `seen`, 1 where
        `adjustment_id` was made before.
        """
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
            seen=seen,
        )
        self._transact([stock, self._guard(adjustment_id), movement], actions, events)

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

    def transfer_actions(
        self, part: Part, destination: str, *, transfer_id: str, reason: str, actor: str | None, now: datetime
    ) -> list[dict[str, Any]]:
        """Moves free units from one shelf to another, once: the part's shelf, guard, movement; shelf, movement."""
        out = Part(sku=part.sku, location=part.location, quantity=-part.quantity)
        into = Part(sku=part.sku, location=destination, quantity=part.quantity)
        taken, given = (
            self._changed(
                leg,
                "transferred",
                transfer_id,
                now,
                on_hand=leg.quantity,
                available=leg.quantity,
                reason=reason,
                actor=actor,
            )
            for leg in (out, into)
        )
        return [taken[0], self._guard(transfer_id), taken[1], *given]

    def done(self, change_id: str) -> bool:
        """Whether the adjustment or the transfer was made."""
        return self.table.get(f"GUARD#{change_id}", "GUARD") is not None

    def _guard(self, guard_id: str) -> dict[str, Any]:
        return put(self.table.name, {"pk": f"GUARD#{guard_id}", "sk": "GUARD"}, ("pk", "missing"))

    def _reservation(self, order_id: str, part: Part, to: str = "reserved") -> dict[str, Any]:
        """The reservation leaves `reserved` once: that is what guards the stock that moves with it."""
        key = _reservation_key(order_id, part)
        return update(
            self.table.name,
            key["pk"],
            key["sk"],
            ("status", "=", "reserved"),
            ("quantity", "=", part.quantity),
            set={"status": to},
            remove=("deadline",),
        )

    def _moved(
        self,
        part: Part,
        kind: MovementKind,
        reference: str,
        now: datetime,
        *,
        on_hand: int = 0,
        available: int = 0,
        guard: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Stock, guard and movement."""
        stock, movement = self._changed(part, kind, reference, now, on_hand=on_hand, available=available)
        return [stock, guard, movement]

    def _changed(
        self,
        part: Part,
        kind: MovementKind,
        reference: str,
        now: datetime,
        *,
        on_hand: int = 0,
        available: int = 0,
        adjustments: int = 0,
        reason: str | None = None,
        actor: str | None = None,
        seen: Stock | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Stock and movement, for a transaction that has its guard elsewhere. Neither count can go below zero."""
        changes = {name: by for name, by in (("on_hand", on_hand), ("available", available)) if by}
        never_below_zero: list[Condition] = [(name, ">=", -by) for name, by in changes.items() if by < 0]
        as_seen: list[Condition] = []
        if seen is not None:
            as_seen = [("available", "=", seen.available) if seen.known else ("available", "missing")]
        stock = update(
            self.table.name,
            f"STOCK#{part.sku}",
            f"LOCATION#{part.location}",
            *never_below_zero,
            *as_seen,
            add={**changes, "adjustments": adjustments} if adjustments else changes,
        )
        movement = Movement(
            id=derived_id("movement", reference, kind, part.sku, part.location),
            sku=part.sku,
            location=part.location,
            kind=kind,
            on_hand=on_hand,
            available=available,
            occurred_at=iso(now),
            reference=reference,
            reason=reason,
            actor=actor,
        )
        return stock, put(self.table.name, _movement_item(movement), ("pk", "missing"))

    def _transact(
        self, own: list[dict[str, Any]], actions: Iterable[dict[str, Any]], events: Iterable[Event]
    ) -> None:
        transact(self.table.client, [*own, *actions, *(self.outbox.action(event) for event in events)], attempts=16)


def _stock(sku: str, location: str, item: Item) -> Stock:
    return Stock(
        sku=sku,
        location=location,
        on_hand=item.get("on_hand", 0),
        available=item.get("available", 0),
        known=bool(item),
        adjustments=item.get("adjustments", 0),
    )


def _reservation_key(order_id: str, part: Part) -> dict[str, str]:
    return {"pk": f"ORDER#{order_id}", "sk": f"RESERVATION#{part.sku}#{part.location}"}


def _movement_item(movement: Movement) -> Item:
    return {
        "pk": f"MOVEMENT#{movement.sku}#{movement.occurred_at[:7]}",
        "sk": movement.position,
        **movement.model_dump(exclude_none=True),
    }
