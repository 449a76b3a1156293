"""Suppliers and purchase orders as staff see them."""

from commerce.model import Model
from commerce.money import Currency
from commerce.purchasing.model import Delivery, PurchaseOrder, PurchaseStatus, Supplier


class SuppliersResponse(Model):
    """A page of the suppliers in a status, by name."""

    suppliers: tuple[Supplier, ...]
    cursor: str | None


class PurchaseLineView(Model):
    """A line: what was ordered, what has come, what is still to come. `unit_cost` in minor units."""

    sku: str
    quantity: int
    unit_cost: int
    received: int
    outstanding: int


class PurchaseOrderView(Model):
    """A purchase order. `cost` is what was ordered, in minor units of its currency."""

    id: str
    label: str
    supplier_id: str
    status: PurchaseStatus
    location: str
    currency: Currency
    cost: int
    expected_on: str
    note: str
    created_at: str
    created_by: str
    sent_at: str | None
    ended_at: str | None
    lines: tuple[PurchaseLineView, ...]
    deliveries: tuple[Delivery, ...]


class PurchaseOrdersResponse(Model):
    """A page of the purchase orders in a status, the oldest first."""

    purchase_orders: tuple[PurchaseOrderView, ...]
    cursor: str | None


def order_view(order: PurchaseOrder) -> PurchaseOrderView:
    """The whole order."""
    lines = tuple(
        PurchaseLineView(**{name: getattr(line, name) for name in PurchaseLineView.model_fields})
        for line in order.lines
    )
    fields = {name: getattr(order, name) for name in PurchaseOrderView.model_fields if name != "lines"}
    return PurchaseOrderView(**fields, lines=lines)
