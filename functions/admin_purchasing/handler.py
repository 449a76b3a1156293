"""Suppliers and purchase orders for staff. Every write leaves an entry in the audit trail."""

from typing import Any, get_args

from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response, versioned
from commerce.clock import now
from commerce.ids import derived_id
from commerce.purchasing import service
from commerce.purchasing.model import Ending, PurchaseOrder, PurchaseStatus, Supplier, SupplierContent, SupplierStatus
from commerce.purchasing.request import DeliveryRequest, ExpectedRequest, PurchaseOrderRequest
from commerce.purchasing.view import (
    PurchaseOrdersResponse,
    PurchaseOrderView,
    SuppliersResponse,
    order_view,
)

PAGE, MAX_PAGE = 50, 100
STAFF = ("warehouse", "catalogue")
BUYERS = ("catalogue",)
"""Who decides what is bought, and from whom; the warehouse takes in what comes."""

api = Api("admin", idempotency=wiring.idempotency)
wiring.at_start(wiring.purchasing, wiring.inventory, wiring.catalog, wiring.audit, wiring.idempotency)


@api.get(
    "/admin/suppliers",
    groups=STAFF,
    answers=SuppliersResponse,
    query={"status": "`active` (the default) or `archived`.", **paging.parameters(PAGE, MAX_PAGE)},
)
def list_suppliers(request: Request[None]) -> Response:
    """Lists the suppliers by name."""
    status: SupplierStatus = request.choice("status", get_args(SupplierStatus), "active")
    limit, these = paging.page_size(request, PAGE, MAX_PAGE), f"{status} suppliers"
    after = paging.position(request, of=these)
    suppliers, end = wiring.purchasing().suppliers(status, after=after, limit=limit)
    return Response(SuppliersResponse(suppliers=suppliers, cursor=paging.cursor(end, of=these)))


@api.post(
    "/admin/suppliers", groups=BUYERS, body=SupplierContent, answers=Supplier, status=201, idempotency="required"
)
def create_supplier(request: Request[SupplierContent]) -> Response:
    """Makes a supplier."""
    supplier = service.create_supplier(
        wiring.purchasing(),
        wiring.audit(),
        request.body,
        supplier_id=_new(request, "supplier"),
        actor=request.actor,
        now=now(),
    )
    return versioned(supplier, supplier.version)


@api.get("/admin/suppliers/{id}", groups=STAFF, answers=Supplier)
def show_supplier(request: Request[None]) -> Response:
    """Shows a supplier; its ETag is its version."""
    supplier = wiring.purchasing().supplier(request.parameters["id"])
    return versioned(supplier, supplier.version)


@api.put("/admin/suppliers/{id}", groups=BUYERS, body=SupplierContent, answers=Supplier)
def replace_supplier(request: Request[SupplierContent]) -> Response:
    """Replaces what staff decide about a supplier: read it, change it, send it back."""
    supplier = service.change_supplier(
        wiring.purchasing(),
        wiring.audit(),
        request.body,
        supplier_id=request.parameters["id"],
        expected=request.expected_version(),
        actor=request.actor,
        now=now(),
    )
    return versioned(supplier, supplier.version)


@api.post("/admin/suppliers/{id}/archive", groups=BUYERS, answers=Supplier)
def archive_supplier(request: Request[None]) -> Response:
    """The supplier gets no new orders; those it has go on."""
    supplier = service.archive_supplier(
        wiring.purchasing(),
        wiring.audit(),
        supplier_id=request.parameters["id"],
        actor=request.actor,
        now=now(),
    )
    return versioned(supplier, supplier.version)


@api.get(
    "/admin/purchase-orders",
    groups=STAFF,
    answers=PurchaseOrdersResponse,
    query={
        "status": "Which orders: `sent` (the default), `partly_received`, `draft`, `received`, `closed`, `canceled`.",
        **paging.parameters(PAGE, MAX_PAGE),
    },
)
def list_purchase_orders(request: Request[None]) -> Response:
    """Lists the purchase orders in a status, the oldest first."""
    status: PurchaseStatus = request.choice("status", get_args(PurchaseStatus), "sent")
    limit, these = paging.page_size(request, PAGE, MAX_PAGE), f"{status} purchase orders"
    after = paging.position(request, of=these)
    orders, end = wiring.purchasing().page(status, after=after, limit=limit)
    return Response(
        PurchaseOrdersResponse(
            purchase_orders=tuple(map(order_view, orders)), cursor=paging.cursor(end, of=these)
        )
    )


@api.post(
    "/admin/purchase-orders",
    groups=BUYERS,
    body=PurchaseOrderRequest,
    answers=PurchaseOrderView,
    status=201,
    idempotency="required",
)
def create_purchase_order(request: Request[PurchaseOrderRequest]) -> Response:
    """Makes a draft of a purchase order, in its supplier's currency."""
    return _shown(
        service.create_order(
            wiring.purchasing(),
            wiring.inventory(),
            wiring.catalog(),
            wiring.audit(),
            order_id=_new(request, "po"),
            supplier_id=request.body.supplier_id,
            location=request.body.location,
            expected_on=request.body.expected_on,
            lines=request.body.lines,
            note=request.body.note,
            actor=request.actor,
            now=now(),
        )
    )


@api.get("/admin/purchase-orders/{id}", groups=STAFF, answers=PurchaseOrderView)
def show_purchase_order(request: Request[None]) -> Response:
    """Shows a purchase order with its deliveries; its ETag is its version."""
    return _shown(wiring.purchasing().get(request.parameters["id"]))


@api.put("/admin/purchase-orders/{id}", groups=BUYERS, body=PurchaseOrderRequest, answers=PurchaseOrderView)
def replace_purchase_order(request: Request[PurchaseOrderRequest]) -> Response:
    """Replaces a draft's content. What was sent cannot be changed: cancel or close it, and order anew."""
    return _shown(
        service.change_order(
            wiring.purchasing(),
            wiring.inventory(),
            wiring.catalog(),
            wiring.audit(),
            order_id=request.parameters["id"],
            expected=request.expected_version(),
            supplier_id=request.body.supplier_id,
            location=request.body.location,
            expected_on=request.body.expected_on,
            lines=request.body.lines,
            note=request.body.note,
            actor=request.actor,
            now=now(),
        )
    )


@api.post(
    "/admin/purchase-orders/{id}/send", groups=BUYERS, answers=PurchaseOrderView, idempotency="required"
)
def send_purchase_order(request: Request[None]) -> Response:
    """Marks a draft as sent to its supplier: what it orders is incoming stock from now on."""
    return _shown(
        service.send_order(
            wiring.purchasing(),
            wiring.audit(),
            order_id=request.parameters["id"],
            expected=request.version_if_sent(),
            actor=request.actor,
            now=now(),
        )
    )


@api.post(
    "/admin/purchase-orders/{id}/expected",
    groups=STAFF,
    body=ExpectedRequest,
    answers=PurchaseOrderView,
    idempotency="required",
)
def reschedule_purchase_order(request: Request[ExpectedRequest]) -> Response:
    """Moves the day on which the goods are expected."""
    return _shown(
        service.reschedule(
            wiring.purchasing(),
            wiring.audit(),
            order_id=request.parameters["id"],
            expected_on=request.body.expected_on,
            actor=request.actor,
            now=now(),
        )
    )


@api.post(
    "/admin/purchase-orders/{id}/deliveries",
    groups=STAFF,
    body=DeliveryRequest,
    answers=PurchaseOrderView,
    status=201,
    idempotency="required",
)
def receive_delivery(request: Request[DeliveryRequest]) -> Response:
    """Takes a delivery in: its units are on hand and free to be sold, and no longer incoming.

    Never more than is still to come. The Idempotency-Key stands for the delivery: under the same key it comes once.
    """
    actor = request.actor
    return _shown(
        service.receive(
            wiring.purchasing(),
            wiring.inventory(),
            wiring.audit(),
            order_id=request.parameters["id"],
            lines=request.body.lines,
            note=request.body.note,
            key=f"{actor} {request.headers['idempotency-key']}",
            actor=actor,
            now=now(),
        )
    )


@api.post("/admin/purchase-orders/{id}/close", groups=BUYERS, answers=PurchaseOrderView, idempotency="required")
def close_purchase_order(request: Request[None]) -> Response:
    """Ends an order that was received in part: the rest will not come."""
    return _ended(request, "closed", request.version_if_sent())


@api.post("/admin/purchase-orders/{id}/cancel", groups=BUYERS, answers=PurchaseOrderView, idempotency="required")
def cancel_purchase_order(request: Request[None]) -> Response:
    """Ends a draft, or an order of which nothing has come."""
    return _ended(request, "canceled", request.version_if_sent())


def _ended(request: Request[None], to: Ending, expected: int | None) -> Response:
    return _shown(
        service.end_order(
            wiring.purchasing(),
            wiring.audit(),
            order_id=request.parameters["id"],
            to=to,
            expected=expected,
            actor=request.actor,
            now=now(),
        )
    )


def _shown(order: PurchaseOrder) -> Response:
    return versioned(order_view(order), order.version)


def _new(request: Request[Any], prefix: str) -> str:
    """The id of what the request makes: the same for the same request."""
    return derived_id(prefix, request.actor, request.headers["idempotency-key"])


handler = api.handler
