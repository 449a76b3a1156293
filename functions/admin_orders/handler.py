"""Orders for staff: the warehouse's list, one order's story, and every step that people take with it.

A step holds only while the order is where the step expects it; `If-Match` may pin it to a version besides. Each writes
an audit entry in its transaction, and each may be sent again: a step that was taken answers with the order as it is.
"""

from typing import get_args

from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response, versioned
from commerce.clock import now
from commerce.fulfilment import tracking, warehouse
from commerce.fulfilment.request import CancelRequest, HandOverRequest, PackRequest, ParcelRequest, PickRequest
from commerce.fulfilment.view import OrderStory, StaffOrder, WorklistResponse, staff_order, story, summary
from commerce.orders import service as orders
from commerce.orders.model import Order, Status
from commerce.returns import service as returns
from commerce.returns.request import ReturnRequest

PAGE, MAX_PAGE = 50, 100

api = Api("admin", idempotency=wiring.personal_idempotency)
wiring.at_start(wiring.personal_stores, wiring.workflow, wiring.personal_idempotency)


@api.get(
    "/admin/orders",
    groups=("warehouse", "support"),
    answers=WorklistResponse,
    query={
        "status": "Which orders; `confirmed`, the default, are to be picked.",
        "location": "Only orders with a parcel from this location, and the status is this parcel's.",
        **paging.parameters(PAGE, MAX_PAGE),
    },
)
def list_orders(request: Request[None]) -> Response:
    """Lists the orders in a status, the oldest first."""
    status: Status = request.choice("status", get_args(Status), "confirmed")
    location = request.query.get("location")
    limit, these = paging.page_size(request, PAGE, MAX_PAGE), f"{status} orders of {location or 'all locations'}"
    after = paging.position(request, of=these)
    page, end = warehouse.worklist(wiring.orders(), status=status, after=after, limit=limit, location=location)
    return Response(
        WorklistResponse(orders=tuple(summary(order) for order in page), cursor=paging.cursor(end, of=these))
    )


@api.get("/admin/orders/{id}", groups=("warehouse", "support"), answers=OrderStory)
def show_order(request: Request[None]) -> Response:
    """Tells an order's whole story: the order, its money and its stock."""
    order = wiring.orders(personal=True).get(request.parameters["id"])
    told = story(order, wiring.payments().of(order.id), wiring.inventory().reservations(order.id))
    return versioned(told, order.version)


@api.post(
    "/admin/orders/{id}/pick", groups=("warehouse",), body=PickRequest, answers=StaffOrder, idempotency="required"
)
def pick_order(request: Request[PickRequest]) -> Response:
    """Records the picker's count of a parcel. Less than was ordered cancels the order and takes what is missing out of
    stock.
    """
    return _shown(
        warehouse.pick(
            wiring.personal_stores(),
            wiring.inventory(),
            wiring.workflow(),
            order_id=request.parameters["id"],
            picked=request.body.lines,
            location=request.body.location,
            actor=request.actor,
            now=now(),
            expected=request.version_if_sent(),
        )
    )


@api.post(
    "/admin/orders/{id}/pack", groups=("warehouse",), body=PackRequest, answers=StaffOrder, idempotency="required"
)
def pack_order(request: Request[PackRequest]) -> Response:
    """Records that the parcel is closed, and what it weighs."""
    return _shown(
        warehouse.pack(
            wiring.personal_stores(),
            order_id=request.parameters["id"],
            weight_grams=request.body.weight_grams,
            location=request.body.location,
            actor=request.actor,
            now=now(),
            expected=request.version_if_sent(),
        )
    )


@api.post(
    "/admin/orders/{id}/ship", groups=("warehouse",), body=HandOverRequest, answers=StaffOrder, idempotency="required"
)
def ship_order(request: Request[HandOverRequest]) -> Response:
    """Hands a parcel over. After the order's last one the workflow buys the labels, captures the payment and marks the
    order shipped.
    """
    return _shown(
        warehouse.hand_over(
            wiring.personal_stores(),
            wiring.workflow(),
            order_id=request.parameters["id"],
            location=request.body.location,
            actor=request.actor,
            now=now(),
            expected=request.version_if_sent(),
        )
    )


@api.post(
    "/admin/orders/{id}/parcel", groups=("support",), body=ParcelRequest, answers=StaffOrder, idempotency="required"
)
def end_journey(request: Request[ParcelRequest]) -> Response:
    """Says what became of a parcel that the carrier is silent about: it was delivered, or is lost and refunded."""
    return _shown(
        tracking.end_journey(
            wiring.personal_stores(),
            wiring.workflow(),
            order_id=request.parameters["id"],
            ending=request.body.status,
            location=request.body.location,
            actor=request.actor,
            now=now(),
            expected=request.version_if_sent(),
        )
    )


@api.post(
    "/admin/orders/{id}/cancel", groups=("support",), body=CancelRequest, answers=StaffOrder, idempotency="required"
)
def cancel_order(request: Request[CancelRequest]) -> Response:
    """Cancels an order that has not left: its stock is free at once, its money goes back."""
    return _shown(
        orders.cancel_order(
            wiring.personal_stores(),
            wiring.workflow(),
            wiring.orders(personal=True).get(request.parameters["id"]),
            reason=request.body.reason,
            actor=request.actor,
            now=now(),
            expected=request.version_if_sent(),
        )
    )


@api.post(
    "/admin/orders/{id}/returns",
    groups=("warehouse", "support"),
    body=ReturnRequest,
    answers=StaffOrder,
    idempotency="required",
)
def receive_return(request: Request[ReturnRequest]) -> Response:
    """Takes goods back, and puts on the shelf what can be sold again. The refund is a step of its own."""
    return _shown(
        returns.receive(
            wiring.orders(personal=True),
            wiring.inventory(),
            wiring.audit(),
            order_id=request.parameters["id"],
            lines=request.body.lines,
            key=f"{request.actor} {request.headers['idempotency-key']}",
            actor=request.actor,
            now=now(),
        )
    )


def _shown(order: Order) -> Response:
    return versioned(staff_order(order), order.version, holder=order.holder)


handler = api.handler
