"""Suppliers, purchase orders and incoming stock in DynamoDB: the table `stockroom`, see docs/architecture.md."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from commerce.adapters import listing
from commerce.adapters.dynamodb import Item, Table, delete, fields, put, transact
from commerce.adapters.outbox import Outbox
from commerce.errors import Conflict, NotFound
from commerce.events import Event
from commerce.inventory.model import Incoming
from commerce.model import read_back
from commerce.purchasing.model import NEXT, PurchaseOrder, PurchaseStatus, Supplier, SupplierStatus, incoming


@dataclass(frozen=True)
class PurchasingRepository:
    """Reads suppliers and purchase orders, and changes them together with whatever must change with them."""

    table: Table
    outbox: Outbox

    # suppliers

    def supplier(self, supplier_id: str) -> Supplier:
        """The supplier. Raises NotFound."""
        item = self.table.get(f"SUPPLIER#{supplier_id}", "SUPPLIER")
        if item is None:
            raise NotFound("there is no such supplier")
        return _supplier(item)

    def suppliers(
        self, status: SupplierStatus, *, after: str | None, limit: int
    ) -> tuple[tuple[Supplier, ...], str | None]:
        """Suppliers in this status by name, and the position behind which the next page begins."""
        items, end = listing.page(self.table, f"supplier {status}", after=after, limit=limit)
        return tuple(map(_supplier, items)), end

    def save_supplier(self, old: Supplier | None, new: Supplier, *, actions: Iterable[dict[str, Any]]) -> None:
        """Writes the supplier in the place of `old`. Raises ConditionFailed where that is not the current one."""
        condition = ("version", "=", old.version) if old else ("pk", "missing")
        transact(self.table.client, [put(self.table.name, _supplier_item(new), condition), *actions])

    # purchase orders

    def get(self, order_id: str) -> PurchaseOrder:
        """The purchase order. Raises NotFound."""
        item = self.table.get(f"PURCHASE_ORDER#{order_id}", "PURCHASE_ORDER")
        if item is None:
            raise NotFound("there is no such purchase order")
        return _order(item)

    def page(
        self, status: PurchaseStatus, *, after: str | None, limit: int
    ) -> tuple[tuple[PurchaseOrder, ...], str | None]:
        """Orders in this status, the oldest first, and the position behind which the next page begins."""
        items, end = listing.page(self.table, _list(status), after=after, limit=limit)
        return tuple(map(_order, items)), end

    def add(self, order: PurchaseOrder, *, actions: Iterable[dict[str, Any]]) -> None:
        """Makes the draft. Raises ConditionFailed where it is there already."""
        transact(self.table.client, [put(self.table.name, _order_item(order), ("pk", "missing")), *actions])

    def change(
        self,
        order: PurchaseOrder,
        changed: PurchaseOrder,
        *,
        actions: Iterable[dict[str, Any]],
        events: Iterable[Event] = (),
    ) -> PurchaseOrder:
        """Writes `changed` in the place of `order`, with what is incoming by it, `actions` and `events`.

        Raises ConditionFailed where somebody else changed the order. Answers it as it is now.
        """
        if changed.status not in NEXT[order.status]:
            raise Conflict(f"a purchase order that is {order.status} cannot become {changed.status}")
        now = changed.model_copy(update={"version": order.version + 1})
        own = put(self.table.name, _order_item(now), ("version", "=", order.version))
        published = (self.outbox.action(event) for event in events)
        transact(self.table.client, [own, *self._incoming_actions(order, now), *actions, *published])
        return now

    # incoming stock

    def incoming(self, sku: str) -> Iterator[Incoming]:
        """What of the SKU is on its way by open purchase orders, in no promised order."""
        for item in self.table.query(f"INCOMING#{sku}"):
            yield Incoming.model_validate({name: item[name] for name in Incoming.model_fields})

    def _incoming_actions(self, before: PurchaseOrder, after: PurchaseOrder) -> Iterator[dict[str, Any]]:
        """Only their order writes these items, and it under its version: they need no condition of their own."""
        known, wanted = incoming(before), incoming(after)
        for sku, one in wanted.items():
            if known.get(sku) != one:
                yield put(self.table.name, {**_incoming_key(sku, after), **one.model_dump()})
        for sku in known.keys() - wanted.keys():
            key = _incoming_key(sku, before)
            yield delete(self.table.name, key["pk"], key["sk"])


def _list(status: PurchaseStatus) -> str:
    return f"purchase order {status}"


def _supplier(item: Item) -> Supplier:
    return read_back(Supplier, listing.unlisted(fields(item)))


def _supplier_item(supplier: Supplier) -> Item:
    return {
        "pk": f"SUPPLIER#{supplier.id}",
        "sk": "SUPPLIER",
        **listing.listed(f"supplier {supplier.status}", supplier.id, position=supplier.name.casefold()),
        **supplier.model_dump(exclude_none=True),
    }


def _order(item: Item) -> PurchaseOrder:
    return read_back(PurchaseOrder, listing.unlisted(fields(item)))


def _order_item(order: PurchaseOrder) -> Item:
    return {
        "pk": f"PURCHASE_ORDER#{order.id}",
        "sk": "PURCHASE_ORDER",
        **listing.listed(_list(order.status), order.id, position=order.created_at),
        **order.model_dump(exclude_none=True),
    }


def _incoming_key(sku: str, order: PurchaseOrder) -> Item:
    return {"pk": f"INCOMING#{sku}", "sk": order.id}
