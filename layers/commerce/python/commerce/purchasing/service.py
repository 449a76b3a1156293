"""Suppliers, and purchase orders from the draft to the last delivery.

Every change holds only for the order as it was read, and carries what is incoming by it in the same transaction. A
delivery may be reported twice: its id is on the order from the first time.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Invalid, StaleVersion
from commerce.events import Event, PurchaseOrderClosed, PurchaseOrderReceived, PurchaseOrderSent, at
from commerce.ids import derived_id
from commerce.inventory.model import Part
from commerce.pricing.model import Catalog
from commerce.purchasing.model import (
    OPEN,
    Delivery,
    Ending,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    ReceivedLine,
    Supplier,
    SupplierContent,
    check_receivable,
    ordered,
    parts,
    with_delivery,
)

_TRIES = 5


class Purchasing(Protocol):
    """Where suppliers and purchase orders are kept."""

    def supplier(self, supplier_id: str) -> Supplier:
        """The supplier. Raises NotFound."""

    def save_supplier(self, old: Supplier | None, new: Supplier, *, actions: Iterable[dict[str, Any]]) -> None:
        """Writes the supplier in the place of `old`. Raises ConditionFailed where that is not the current one."""

    def get(self, order_id: str) -> PurchaseOrder:
        """The purchase order. Raises NotFound."""

    def add(self, order: PurchaseOrder, *, actions: Iterable[dict[str, Any]]) -> None:
        """Makes the draft. Raises ConditionFailed where it is there already."""

    def change(
        self,
        order: PurchaseOrder,
        changed: PurchaseOrder,
        *,
        actions: Iterable[dict[str, Any]],
        events: Iterable[Event] = (),
    ) -> PurchaseOrder:
        """Writes `changed` in the place of `order`, and what is incoming by it. Raises ConditionFailed."""


class Shelves(Protocol):
    """Where stock is kept."""

    @property
    def locations(self) -> tuple[str, ...]:
        """The shop's locations."""

    def receive_actions(
        self, order_id: str, delivery_id: str, parts: Iterable[Part], *, actor: str, now: datetime
    ) -> list[dict[str, Any]]:
        """The transaction's actions that put a delivery's units on the shelf. The order's version guards them."""


# suppliers


def create_supplier(
    store: Purchasing, audit: Audit, content: SupplierContent, *, supplier_id: str, actor: str, now: datetime
) -> Supplier:
    """Makes the supplier; one that `supplier_id` made before is answered as it is."""
    supplier = Supplier(id=supplier_id, **content.model_dump())
    recorded = _supplier_recorded(audit, None, supplier, "created", actor, now)
    try:
        store.save_supplier(None, supplier, actions=[recorded])
    except ConditionFailed:
        return store.supplier(supplier_id)
    return supplier


def change_supplier(
    store: Purchasing,
    audit: Audit,
    content: SupplierContent,
    *,
    supplier_id: str,
    expected: int,
    actor: str,
    now: datetime,
) -> Supplier:
    """Replaces what staff decide about the supplier. Orders keep the currency that they were made in.

    Raises StaleVersion.
    """
    supplier = store.supplier(supplier_id)
    if supplier.version != expected:
        raise StaleVersion(f"this is version {supplier.version} by now; read it again")
    return _save_supplier(store, audit, supplier, content.model_dump(), "changed", actor, now)


def archive_supplier(
    store: Purchasing, audit: Audit, *, supplier_id: str, actor: str, now: datetime
) -> Supplier:
    """The supplier gets no new orders. Archiving again changes nothing."""
    supplier = store.supplier(supplier_id)
    if supplier.status == "archived":
        return supplier
    return _save_supplier(store, audit, supplier, {"status": "archived"}, "archived", actor, now)


def _save_supplier(
    store: Purchasing,
    audit: Audit,
    supplier: Supplier,
    fields: Mapping[str, Any],
    action: str,
    actor: str,
    now: datetime,
) -> Supplier:
    changed = supplier.model_copy(update={**fields, "version": supplier.version + 1})
    recorded = _supplier_recorded(audit, supplier, changed, action, actor, now)
    try:
        store.save_supplier(supplier, changed, actions=[recorded])
    except ConditionFailed:
        raise StaleVersion("somebody else changed the supplier at this moment; read it again") from None
    return changed


def _supplier_recorded(
    audit: Audit, old: Supplier | None, new: Supplier, action: str, actor: str, now: datetime
) -> dict[str, Any]:
    return audit.action(
        f"supplier#{new.id}",
        actor=actor,
        action=f"supplier.{action}",
        now=now,
        before=old.model_dump() if old else None,
        after=new.model_dump(),
    )


# drafts


def create_order(
    store: Purchasing,
    shelves: Shelves,
    catalog: Catalog,
    audit: Audit,
    *,
    order_id: str,
    supplier_id: str,
    location: str,
    expected_on: str,
    lines: tuple[PurchaseLine, ...],
    note: str,
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """Makes a draft; one that `order_id` made before is answered as it is. Raises Invalid, naming the field."""
    supplier = _orderable(store, supplier_id)
    _check_content(shelves, catalog, location, lines)
    order = PurchaseOrder(
        id=order_id,
        supplier_id=supplier.id,
        currency=supplier.currency,
        location=location,
        status="draft",
        lines=ordered(lines),
        expected_on=expected_on,
        note=note,
        created_at=iso(now),
        created_by=actor,
    )
    try:
        store.add(order, actions=[_recorded(audit, None, order, "created", actor, now)])
    except ConditionFailed:
        return store.get(order_id)
    return order


def change_order(
    store: Purchasing,
    shelves: Shelves,
    catalog: Catalog,
    audit: Audit,
    *,
    order_id: str,
    expected: int,
    supplier_id: str,
    location: str,
    expected_on: str,
    lines: tuple[PurchaseLine, ...],
    note: str,
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """Replaces a draft's content. Raises Invalid, StaleVersion, and Conflict for what was sent already."""
    order = _in_version(store.get(order_id), expected)
    if order.status != "draft":
        raise Conflict(f"the purchase order is {order.status}; only a draft can be changed")
    supplier = _orderable(store, supplier_id)
    _check_content(shelves, catalog, location, lines)
    changed = order.model_copy(
        update={
            "supplier_id": supplier.id,
            "currency": supplier.currency,
            "location": location,
            "expected_on": expected_on,
            "lines": ordered(lines),
            "note": note,
        }
    )
    return _change(store, audit, order, changed, "changed", actor, now)


def _orderable(store: Purchasing, supplier_id: str) -> Supplier:
    supplier = store.supplier(supplier_id)
    if supplier.status == "archived":
        raise Conflict(f"{supplier.name} is archived and gets no new orders", path="$.supplier_id")
    return supplier


def _check_content(shelves: Shelves, catalog: Catalog, location: str, lines: tuple[PurchaseLine, ...]) -> None:
    if location not in shelves.locations:
        raise Invalid(f"{location} is no location of the shop", path="$.location")
    known = catalog.offers([line.sku for line in lines])
    seen: set[str] = set()
    for position, line in enumerate(lines):
        if line.sku not in known or line.sku in seen:
            fault = "the catalogue has no such SKU" if line.sku not in known else "this SKU is named twice"
            raise Invalid(fault, path=f"$.lines[{position}].sku")
        seen.add(line.sku)


# on the way


def send_order(
    store: Purchasing, audit: Audit, *, order_id: str, expected: int | None, actor: str, now: datetime
) -> PurchaseOrder:
    """The order is with the supplier, and what it orders is incoming. Sending again changes nothing."""

    def sent(order: PurchaseOrder) -> PurchaseOrder:
        _orderable(store, order.supplier_id)
        return order.model_copy(update={"status": "sent", "sent_at": iso(now)})

    def event(order: PurchaseOrder) -> PurchaseOrderSent:
        return PurchaseOrderSent(
            occurred_at=at(now),
            subject=order.id,
            supplier_id=order.supplier_id,
            location=order.location,
            currency=order.currency,
            cost=order.cost,
            units=order.units,
            expected_on=order.expected_on,
        )

    return _step(store, audit, order_id, expected, "sent", sent, event, actor, now)


def reschedule(
    store: Purchasing, audit: Audit, *, order_id: str, expected_on: str, actor: str, now: datetime
) -> PurchaseOrder:
    """The supplier names another day. Raises Conflict where nothing is on its way."""
    order = store.get(order_id)
    if order.status not in OPEN:
        raise Conflict(f"the purchase order is {order.status}; nothing of it is on its way")
    if order.expected_on == expected_on:
        return order
    changed = order.model_copy(update={"expected_on": expected_on})
    return _change(store, audit, order, changed, "rescheduled", actor, now)


def receive(
    store: Purchasing,
    shelves: Shelves,
    audit: Audit,
    *,
    order_id: str,
    lines: tuple[ReceivedLine, ...],
    note: str,
    key: str,
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """Takes a delivery in: order, incoming, shelves, ledger, audit entry and event in one transaction.

    `key` names the delivery: the same one again changes nothing and answers the order as it is. Never takes more than
    is still to come: raises Conflict, and Invalid for a wrong line, and Contended where the order keeps changing.
    """
    delivery = Delivery(
        id=derived_id("delivery", order_id, key),
        received_at=iso(now),
        received_by=actor,
        note=note,
        lines=lines,
    )
    for _ in range(_TRIES):
        order = store.get(order_id)
        if any(known.id == delivery.id for known in order.deliveries):
            return order
        check_receivable(order, lines)
        changed = with_delivery(order, delivery)
        shelved = shelves.receive_actions(order_id, delivery.id, parts(order, lines), actor=actor, now=now)
        ended = [_closed(changed, now)] if changed.status == "received" else []
        try:
            return store.change(
                order,
                changed,
                actions=[*shelved, _recorded(audit, order, changed, "received", actor, now)],
                events=[_received(changed, delivery, now), *ended],
            )
        except ConditionFailed:
            continue
    raise Contended("the purchase order keeps changing; send the delivery again")


def end_order(
    store: Purchasing,
    audit: Audit,
    *,
    order_id: str,
    to: Ending,
    expected: int | None,
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """What has not come will not, and is not incoming any more.

    An order of which nothing came is canceled, one of which a part came is closed; else raises Conflict.
    """

    def ended(order: PurchaseOrder) -> PurchaseOrder:
        return order.model_copy(update={"status": to, "ended_at": iso(now)})

    return _step(store, audit, order_id, expected, to, ended, lambda order: _closed(order, now), actor, now)


def _step(
    store: Purchasing,
    audit: Audit,
    order_id: str,
    expected: int | None,
    to: PurchaseStatus,
    move: Callable[[PurchaseOrder], PurchaseOrder],
    event: Callable[[PurchaseOrder], Event],
    actor: str,
    now: datetime,
) -> PurchaseOrder:
    """A change of status. An order that took this step already is answered as it is."""
    order = store.get(order_id)
    if order.status == to:
        return order
    if expected is not None:
        _in_version(order, expected)
    changed = move(order)
    return _change(store, audit, order, changed, to, actor, now, events=[event(changed)])


def _change(
    store: Purchasing,
    audit: Audit,
    order: PurchaseOrder,
    changed: PurchaseOrder,
    action: str,
    actor: str,
    now: datetime,
    events: Iterable[Event] = (),
) -> PurchaseOrder:
    recorded = _recorded(audit, order, changed, action, actor, now)
    try:
        return store.change(order, changed, actions=[recorded], events=events)
    except ConditionFailed:
        raise StaleVersion("somebody else changed the purchase order at this moment; read it again") from None


def _in_version(order: PurchaseOrder, expected: int) -> PurchaseOrder:
    if order.version != expected:
        raise StaleVersion(f"this is version {order.version} by now; read it again")
    return order


def _received(order: PurchaseOrder, delivery: Delivery, now: datetime) -> PurchaseOrderReceived:
    return PurchaseOrderReceived(
        occurred_at=at(now),
        subject=order.id,
        supplier_id=order.supplier_id,
        location=order.location,
        delivery_id=delivery.id,
        units=delivery.units,
        complete=order.status == "received",
    )


def _closed(order: PurchaseOrder, now: datetime) -> PurchaseOrderClosed:
    return PurchaseOrderClosed(
        occurred_at=at(now),
        subject=order.id,
        supplier_id=order.supplier_id,
        location=order.location,
        status=order.status,
        units=order.received,
        outstanding=order.units - order.received,
    )


def _recorded(
    audit: Audit, old: PurchaseOrder | None, new: PurchaseOrder, action: str, actor: str, now: datetime
) -> dict[str, Any]:
    """What changed; of a delivery's order the delivery alone, which says it all."""
    return audit.action(
        f"purchase_order#{new.id}",
        actor=actor,
        action=f"purchase_order.{action}",
        now=now,
        before={"status": old.status, "expected_on": old.expected_on} if old else None,
        after=_told(new, action),
    )


def _told(order: PurchaseOrder, action: str) -> dict[str, Any]:
    told: dict[str, Any] = {"status": order.status, "expected_on": order.expected_on}
    if action in ("created", "changed"):
        told["lines"] = [line.model_dump(include={"sku", "quantity", "unit_cost"}) for line in order.lines]
    if action == "received":
        told["delivery"] = order.deliveries[-1].model_dump(include={"id", "note", "lines"})
    return told
