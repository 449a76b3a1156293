"""A buyer's own orders. A guest shows the access token of the order's permalink, a customer signs in."""

from commerce.adapters import paging, tokens, wiring
from commerce.adapters.http import Api, Request, Response
from commerce.adapters.links import opens_order, order_permalink
from commerce.clock import now
from commerce.errors import Conflict, NotFound
from commerce.messages import Message, error
from commerce.orders.model import CANCELABLE_BY_BUYER, Order
from commerce.orders.service import cancel_order
from commerce.orders.view import OrderListResponse, OrderResponse, present, present_list

PAGE, MAX_PAGE = 20, 50
_ACCESS = {"access_token": "The proof in the order's permalink. Not needed by the customer whose order it is."}

api = Api("storefront", verify=tokens.verify, idempotency=wiring.personal_idempotency)
wiring.at_start(wiring.personal_stores, wiring.workflow, wiring.personal_idempotency)


@api.get("/orders/{id}", answers=OrderResponse, query=_ACCESS)
def get_order(request: Request[None]) -> Response:
    """Shows an order: its lines, what is expected, what happened, and what came back."""
    return _shown(_own_order(request))


@api.post("/orders/{id}/cancel", answers=OrderResponse, query=_ACCESS, idempotency="optional")
def cancel(request: Request[None]) -> Response:
    """Takes an order back before it is handed over; its stock is free at once, its money is let go."""
    order = _own_order(request)
    if order.status not in CANCELABLE_BY_BUYER | {"canceled"}:
        return _shown(order, (_too_late(order),))
    try:
        order = cancel_order(
            wiring.personal_stores(), wiring.workflow(), order, reason="buyer_request", actor="buyer", now=now()
        )
    except Conflict:
        order = wiring.orders(personal=True).get(order.id)
        return _shown(order, (_too_late(order),))
    return _shown(order)


@api.get(
    "/me/orders",
    auth="customer",
    answers=OrderListResponse,
    query=paging.parameters(PAGE, MAX_PAGE),
)
def my_orders(request: Request[None]) -> Response:
    """Lists the signed-in customer's orders, the newest first."""
    customer = str(request.caller.subject)
    limit, mine = paging.page_size(request, PAGE, MAX_PAGE), f"orders of {customer}"
    before = paging.position(request, of=mine)
    found = list(wiring.orders(personal=True).of_customer(customer, before=before, limit=limit + 1))
    end = found[limit - 1].placed_at if len(found) > limit else None
    page = ((order, order_permalink(order.id)) for order in found[:limit])
    return Response(present_list(page, paging.cursor(end, of=mine)))


def _own_order(request: Request[None]) -> Order:
    """Someone else's order, a wrong token and an order that never was look the same."""
    order = wiring.orders(personal=True).find(request.parameters["id"])
    if order is None or not (
        (order.customer is not None and order.customer == request.caller.subject)
        or opens_order(order.id, request.query.get("access_token", ""))
    ):
        raise NotFound("there is no such order, or the link to it is not complete")
    return order


def _too_late(order: Order) -> Message:
    content = f"The order is {order.status.replace('_', ' ')} and cannot be canceled any more."
    return error("not_cancelable", content, severity="unrecoverable")


def _shown(order: Order, messages: tuple[Message, ...] = ()) -> Response:
    return Response(present(order, order_permalink(order.id), messages), holder=order.holder)


handler = api.handler
