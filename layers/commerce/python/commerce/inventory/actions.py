"""The actions by which stock changes, for the transactions of orders, returns and deliveries, and of the repository.

Every change of stock is an action of a transaction that also puts or moves a guard (the reservation, or `GUARD#<id>`)
under a condition, so that it cannot happen twice, and writes the movement that explains it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from commerce.adapters.dynamodb import Condition, Table, at_least, at_most, check, put, update
from commerce.clock import iso
from commerce.ids import derived_id
from commerce.inventory.model import Movement, MovementKind, Part, Reservation
from commerce.inventory.policy import needed
from commerce.supply import SellingPolicy, Supply


@dataclass(frozen=True)
class StockActions:
    """Makes actions and calls nobody: what one is refused for, the transaction finds out."""

    table: Table

    def reserve_actions(
        self,
        order_id: str,
        parts: Iterable[Part],
        *,
        deadline: datetime,
        now: datetime,
        supply: Mapping[str, Supply] = MappingProxyType({}),
    ) -> list[dict[str, Any]]:
        """Takes the parts out of what is free, until `deadline`. Refused where too little is free, or done before.

        What is sold ahead is so under the policy in `supply`, and only while that stands as it was read: one more
        action for each of those SKUs, after the parts'.
        """
        actions = []
        ahead: dict[str, SellingPolicy] = {}
        for part in parts:
            cap = 0
            if part.backordered:
                ahead[part.sku] = supply[part.sku].policy
                cap = ahead[part.sku].cap
            reservation = Reservation(
                order_id=order_id,
                sku=part.sku,
                location=part.location,
                shard=part.shard,
                quantity=part.quantity,
                status="reserved",
                deadline=iso(deadline),
            )
            guard = put(
                self.table.name,
                {**_reservation_key(order_id, part), **reservation.model_dump(exclude_none=True)},
                ("pk", "missing"),
            )
            actions += self._moved(
                part, "reserved", order_id, now, available=-part.quantity, guard=guard, least=needed(part, cap)
            )
        return [*actions, *(self._unchanged(sku, policy) for sku, policy in ahead.items())]

    def limit_actions(self, buyer: str, units: Mapping[str, int], supply: Mapping[str, Supply]) -> list[dict[str, Any]]:
        """Counts what the buyer takes of SKUs with a purchase limit. Refused where it would be more than that."""
        return [
            self._counted(buyer, sku, quantity, at_most("units", limit - quantity))
            for sku, quantity in units.items()
            if (limit := supply[sku].policy.purchase_limit) is not None
        ]

    def unlimit_actions(self, buyer: str, units: Mapping[str, int]) -> list[dict[str, Any]]:
        """Gives back what `limit_actions` counted; what guards it is the order that leaves its status."""
        return [self._counted(buyer, sku, -quantity) for sku, quantity in units.items()]

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
            guard = self._guard(f"{return_id}#{part.sku}#{part.shelf}")
            actions += self._moved(
                part, "returned", return_id, now, on_hand=part.quantity, available=part.quantity, guard=guard
            )
        return actions

    def receive_actions(
        self, order_id: str, delivery_id: str, parts: Iterable[Part], *, actor: str, now: datetime
    ) -> list[dict[str, Any]]:
        """A delivery of the purchase order is free to be sold. Its guard is the order, which moves on with it."""
        actions: list[dict[str, Any]] = []
        for part in parts:
            actions += self._changed(
                part,
                "received",
                order_id,
                now,
                on_hand=part.quantity,
                available=part.quantity,
                actor=actor,
                cause=delivery_id,
            )
        return actions

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

    def _counted(self, buyer: str, sku: str, quantity: int, *conditions: Condition) -> dict[str, Any]:
        return update(self.table.name, f"BUYER#{buyer}", f"LIMIT#{sku}", *conditions, add={"units": quantity})

    def _unchanged(self, sku: str, policy: SellingPolicy) -> dict[str, Any]:
        return check(self.table.name, *policy_key(sku), ("version", "=", policy.version))

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
        least: int | None = None,
    ) -> list[dict[str, Any]]:
        """Stock, guard and movement."""
        stock, movement = self._changed(part, kind, reference, now, on_hand=on_hand, available=available, least=least)
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
        cause: str | None = None,
        conditions: Iterable[Condition] = (),
        least: int | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Stock and movement, for a transaction that has its guard elsewhere."""
        counts = {"on_hand": on_hand, "available": available, "adjustments": adjustments}
        row = self._row(part, {name: by for name, by in counts.items() if by}, *conditions, least=least)
        entry = self._entry(
            part,
            kind,
            reference,
            now,
            on_hand=on_hand,
            available=available,
            reason=reason,
            actor=actor,
            cause=cause,
        )
        return row, entry

    def _row(
        self,
        part: Part,
        changes: Mapping[str, int],
        *conditions: Condition,
        set: Mapping[str, Any] | None = None,
        least: int | None = None,
    ) -> dict[str, Any]:
        """Adds `changes` (signed) to the part's row. No count can go below zero.

        But for `available`, where `least` says how much of it must be there at least.
        """
        enough = {name: -by for name, by in changes.items() if by < 0}
        if least is not None:
            enough["available"] = least
        never_below = (at_least(name, units) for name, units in enough.items())
        return update(
            self.table.name,
            *stock_key(part.sku, part.location, part.shard),
            *never_below,
            *conditions,
            add=changes,
            set=set,
        )

    def _entry(
        self,
        part: Part,
        kind: MovementKind,
        reference: str,
        now: datetime,
        *,
        on_hand: int,
        available: int,
        reason: str | None,
        actor: str | None,
        cause: str | None = None,
    ) -> dict[str, Any]:
        """The movement that explains a change of the part's row.

        `cause` tells it from others of the same reference, kind and row: a purchase order has many deliveries.
        """
        movement = Movement(
            id=derived_id("movement", cause or reference, kind, part.sku, part.shelf),
            sku=part.sku,
            location=part.location,
            shard=part.shard,
            kind=kind,
            on_hand=on_hand,
            available=available,
            occurred_at=iso(now),
            reference=reference,
            reason=reason,
            actor=actor,
        )
        item = {
            "pk": ledger_key(movement.sku, movement.occurred_at[:7], movement.shard),
            "sk": movement.position,
            **movement.model_dump(exclude_none=True),
        }
        return put(self.table.name, item, ("pk", "missing"))


def ledger_key(sku: str, month: str, shard: int) -> str:
    """The partition of a row's movements in `month`. Each row of a pool has one: the ledger is written as often."""
    return f"MOVEMENT#{sku}#{month}#{shard}" if shard else f"MOVEMENT#{sku}#{month}"


def stock_key(sku: str, location: str, shard: int) -> tuple[str, str]:
    """A pool's rows lie in partitions of their own: one partition key takes 1,000 write units per second."""
    return f"STOCK#{sku}#{shard}" if shard else f"STOCK#{sku}", f"LOCATION#{location}"


def policy_key(sku: str) -> tuple[str, str]:
    """Its policy stands beside its stock, so that one batch read brings both."""
    return f"STOCK#{sku}", "POLICY"


def _reservation_key(order_id: str, part: Part) -> dict[str, str]:
    return {"pk": f"ORDER#{order_id}", "sk": f"RESERVATION#{part.sku}#{part.shelf}"}
