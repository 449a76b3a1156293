"""The warehouse picks, packs and hands over.

Every use case may run twice, late or beside another one: each change holds only for the order as it was read, and a
step that is done already answers with the order as it is. Whoever moves an order on writes it first and then wakes the
workflow, with the token that stands on the order *after* the write: a token stored later than that is not needed,
because the condition under which the workflow stores it fails, and it goes on by itself.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.errors import ConditionFailed, Conflict
from commerce.fulfilment.model import PickedLine, missing_stock, missing_units
from commerce.inventory.service import StockLedger, adjust_stock
from commerce.orders.model import Order, Status
from commerce.orders.ports import Stores, Workflow
from commerce.orders.service import cancel_order, expect_status


class Worklists(Protocol):
    """Orders by what must be done with them."""

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in this status, the oldest first, placed after the moment `after`; at least the first `limit`."""


def worklist(
    orders: Worklists, *, status: Status, after: str | None, limit: int
) -> tuple[tuple[Order, ...], str | None]:
    """A page of the orders in `status`, the oldest first, and the moment after which the next page begins.

    Orders placed in the same millisecond stay on one page, so that the moment alone is a sound cursor.
    """
    found = []
    for order in orders.listed(status, after=after, limit=limit + 1):
        found.append(order)
        if len(found) > limit:
            break
    if len(found) <= limit:
        return tuple(found), None
    page = tuple(order for order in found if order.placed_at < found[-1].placed_at) or tuple(found)
    return page, page[-1].placed_at


def pick(
    stores: Stores,
    stock: StockLedger,
    workflow: Workflow,
    *,
    order_id: str,
    picked: tuple[PickedLine, ...],
    actor: str,
    now: datetime,
    expected: int | None = None,
) -> Order:
    """Records what the picker found: all of it, and the order is picked; less, and it is canceled.

    Units that are not on the shelf then leave the stock too, so that they are not sold again. Raises Invalid for a
    count that does not fit the order, Conflict for an order that is not to be picked.
    """
    order = stores.orders.get(order_id)
    missing = missing_units(order, picked)
    if not missing:
        return _by_staff(stores, order, "confirmed", "picked", {}, actor, now, expected)
    if order.cancel_reason != "short_pick":
        expect_status(order, "confirmed", expected)
    order = cancel_order(stores, workflow, order, reason="short_pick", actor=actor, now=now)
    _write_off(stock, stores.audit, order, missing_stock(order.lines, missing), actor, now)
    return order


def _write_off(
    stock: StockLedger,
    audit: Audit,
    order: Order,
    missing: Mapping[tuple[str, str], int],
    actor: str,
    now: datetime,
) -> None:
    """Runs again for a repeated short pick: the adjustment's id belongs to the order, so nothing leaves twice.

    Canceling made the units free first, and a buyer may have been quicker than this: then they are promised to that
    order already, whose picker will not find them either.
    """
    for (sku, location), units in missing.items():
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
    expected: int | None = None,
) -> Order:
    """Closes the parcel, which weighs `weight_grams`. Raises Conflict for an order that is not picked."""
    fields = {"weight_grams": weight_grams}
    order = stores.orders.get(order_id)
    return _by_staff(stores, order, "picked", "packed", fields, actor, now, expected)


def hand_over(
    stores: Stores,
    workflow: Workflow,
    *,
    order_id: str,
    actor: str,
    now: datetime,
    expected: int | None = None,
) -> Order:
    """The parcel stands ready for the carrier: wakes the workflow, which buys the label and captures.

    Handing over again wakes it again, in case the first signal was lost.
    """
    order = stores.orders.get(order_id)
    order = _by_staff(stores, order, "packed", "ready_to_ship", {}, actor, now, expected)
    workflow.succeed(stores.orders.get(order_id).task_token, {"status": order.status})
    return order


def _by_staff(
    stores: Stores,
    order: Order,
    leaves: Status,
    to: Status,
    fields: dict[str, Any],
    actor: str,
    now: datetime,
    expected: int | None,
) -> Order:
    """One step of the warehouse, with its audit entry. An order that took this very step already is left as it is."""
    if order.status == to and all(getattr(order, name) == value for name, value in fields.items()):
        return order
    expect_status(order, leaves, expected)
    recorded = stores.audit.action(
        f"order#{order.id}",
        actor=actor,
        action=to,
        now=now,
        before={"status": order.status},
        after={"status": to, **fields},
    )
    try:
        return stores.orders.change(order, to=to, fields=fields, actions=[recorded])
    except ConditionFailed:
        raise Conflict("somebody else changed the order at this moment; read it again") from None
