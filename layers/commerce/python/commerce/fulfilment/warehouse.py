"""The warehouse picks, packs and hands over: each location its own parcel of an order.

Every use case may run twice, late or beside another one: each change holds only for the order as it was read, and a
step that is done already answers with the order as it is. Whoever moves an order on writes it first and then wakes the
workflow (`orders.service.wake`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from heapq import merge
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.errors import ConditionFailed, Conflict, Contended
from commerce.fulfilment.model import PickedLine, missing_stock, missing_units, shipment_at, with_shipment
from commerce.inventory.service import StockLedger, adjust_stock
from commerce.orders.model import Order, Shipment, ShipmentStatus, Status, status_after
from commerce.orders.ports import Stores, Workflow
from commerce.orders.service import TRIES, cancel_order, expect_version, parts_of, wake


class Worklists(Protocol):
    """Orders by what must be done with them."""

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in this status, the oldest first, placed after the moment `after`; at least the first `limit`."""


_STAGES: Mapping[Status, ShipmentStatus] = {
    "confirmed": "pending",
    "picked": "picked",
    "packed": "packed",
    "ready_to_ship": "ready_to_ship",
}
"""Where a parcel in the warehouse is, under the name that the list has for it."""


def worklist(
    orders: Worklists, *, status: Status, after: str | None, limit: int, location: str | None = None
) -> tuple[tuple[Order, ...], str | None]:
    """A page of the orders in `status`, the oldest first, and the moment after which the next page begins.

    With `location` the orders whose parcel from there has come so far, wherever their other parcels are; a page of
    them may hold fewer than `limit`, even none, although others follow. Orders placed in the same millisecond stay on
    one page, so that the moment alone is a sound cursor.
    """
    places = [orders.listed(one, after=after, limit=limit + 1) for one in _statuses(status, location)]
    found = []
    for order in merge(*places, key=lambda order: order.placed_at):
        found.append(order)
        if len(found) > limit:
            break
    page, end = tuple(found), None
    if len(found) > limit:
        page = tuple(order for order in found if order.placed_at < found[-1].placed_at) or page
        end = page[-1].placed_at
    return tuple(order for order in page if location is None or _has_at(order, location, status)), end


def _statuses(status: Status, location: str | None) -> tuple[Status, ...]:
    """Those of orders on such a list: an order is as far as the last of its parcels, so one of them may be further."""
    stages = tuple(_STAGES)
    return stages[: stages.index(status) + 1] if location and status in stages else (status,)


def _has_at(order: Order, location: str, status: Status) -> bool:
    return any(one.location == location and one.status == _STAGES.get(status, one.status) for one in order.shipments)


def pick(
    stores: Stores,
    stock: StockLedger,
    workflow: Workflow,
    *,
    order_id: str,
    picked: tuple[PickedLine, ...],
    actor: str,
    now: datetime,
    location: str | None = None,
    expected: int | None = None,
) -> Order:
    """Records what the picker found for a location's parcel: all of it, and it is picked; less, and the order is
    canceled, for the shop does not ship half an order.

    Units that are not on the shelf then leave the stock too, so that they are not sold again. Raises Invalid for a
    count that does not fit the parcel, Conflict for one that is not to be picked, or not before its goods arrive.
    """
    order = stores.orders.get(order_id)
    shipment = shipment_at(order, location)
    missing = missing_units(shipment, picked)
    if not missing:
        _expect_arrived(stock, order, shipment)
        return _by_staff(stores, order_id, location, "pending", "picked", {}, actor, now, expected)
    if order.cancel_reason != "short_pick":
        _expect(order, shipment, "pending", expected)
        _expect_lost(stock, shipment, missing_stock(order.lines, missing))
    order = cancel_order(stores, workflow, order, reason="short_pick", actor=actor, now=now)
    _write_off(stock, stores.audit, order, shipment.location, missing_stock(order.lines, missing), actor, now)
    return order


def _expect_arrived(stock: StockLedger, order: Order, shipment: Shipment) -> None:
    """Raises Conflict for a parcel whose units were sold ahead, until so many lie there."""
    if shipment.status != "pending":
        return
    for part in parts_of(order):
        if part.backordered and part.location == shipment.location:
            there = stock.rows(part.sku, part.location)[0].on_hand
            if there < part.quantity:
                raise Conflict(
                    f"{part.sku} was sold ahead: the parcel needs {part.quantity}, and {there} lie at {part.location}; "
                    "pick it once they are received"
                )


def _expect_lost(stock: StockLedger, shipment: Shipment, missing: Mapping[str, int]) -> None:
    """Raises Conflict where more is owed than lies there: who finds too little then has found no loss, the units are
    on their way, and canceling would be for nothing.
    """
    for sku in missing:
        if stock.stock(sku, shipment.location).available < 0:
            raise Conflict(
                f"units of {sku} were sold ahead and have not arrived at {shipment.location}; "
                "pick the parcel once they are received, or cancel the order"
            )


def _write_off(
    stock: StockLedger,
    audit: Audit,
    order: Order,
    location: str,
    missing: Mapping[str, int],
    actor: str,
    now: datetime,
) -> None:
    """Runs again for a repeated short pick: the adjustment's id belongs to the order, so nothing leaves twice.

    Canceling made the units free first, and a buyer may have been quicker than this: then they are promised to that
    order already, whose picker will not find them either.
    """
    for sku, units in missing.items():
        try:
            adjust_stock(
                stock,
                audit,
                sku=sku,
                quantity=-units,
                reason="not found on the shelf",
                actor=actor,
                adjustment_id=f"{order.id}#short_pick#{sku}#{location}",
                now=now,
                location=location,
            )
        except Conflict:
            continue


def pack(
    stores: Stores,
    *,
    order_id: str,
    weight_grams: int,
    actor: str,
    now: datetime,
    location: str | None = None,
    expected: int | None = None,
) -> Order:
    """Closes a location's parcel, which weighs `weight_grams`. Raises Conflict for one that is not picked."""
    fields = {"weight_grams": weight_grams}
    return _by_staff(stores, order_id, location, "picked", "packed", fields, actor, now, expected)


def hand_over(
    stores: Stores,
    workflow: Workflow,
    *,
    order_id: str,
    actor: str,
    now: datetime,
    location: str | None = None,
    expected: int | None = None,
) -> Order:
    """A location's parcel stands ready for the carrier. The order's last one wakes the workflow, which buys the labels
    and captures.

    Handing over again wakes it again, in case the first signal was lost.
    """
    order = _by_staff(stores, order_id, location, "packed", "ready_to_ship", {}, actor, now, expected)
    if order.status == "ready_to_ship":
        wake(stores.orders, workflow, order_id)
    return order


def _by_staff(
    stores: Stores,
    order_id: str,
    location: str | None,
    leaves: ShipmentStatus,
    to: ShipmentStatus,
    fields: dict[str, Any],
    actor: str,
    now: datetime,
    expected: int | None,
) -> Order:
    """One step of a parcel, with its audit entry; the order follows the last of its parcels.

    A parcel that took this very step already is left as it is. Two locations may work on an order at the same time.
    """
    for _ in range(TRIES):
        order = stores.orders.get(order_id)
        shipment = shipment_at(order, location)
        moved = shipment.model_copy(update={"status": to, **fields})
        if moved == shipment and order.status in _STAGES:
            return order
        _expect(order, shipment, leaves, expected)
        shipments = with_shipment(order, moved)
        recorded = stores.audit.action(
            f"order#{order.id}",
            actor=actor,
            action=f"parcel.{to}",
            now=now,
            before={"location": shipment.location, "status": shipment.status},
            after={"location": shipment.location, "status": to, **fields},
        )
        try:
            return stores.orders.change(
                order,
                to=status_after(order, shipments),
                now=now,
                fields={"shipments": shipments},
                actions=[recorded],
            )
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; send the step again")


def _expect(order: Order, shipment: Shipment, stage: ShipmentStatus, version: int | None) -> None:
    expect_version(order, version)
    if order.status not in _STAGES or shipment.status != stage:
        raise Conflict(
            f"the order is {order.status}, its parcel at {shipment.location} {shipment.status}; "
            f"this can only be done in the warehouse, while the parcel is {stage}"
        )
