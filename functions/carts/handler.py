"""Carts and checkouts, until the buyer completes one. No money moves here."""

from commerce.adapters import tokens, wiring
from commerce.adapters.environment import settings
from commerce.adapters.http import Api, Request, Response
from commerce.adapters.links import order_permalink
from commerce.carts import service as carts
from commerce.carts.model import PricedCart
from commerce.carts.request import CartRequest
from commerce.carts.service import Shelf
from commerce.carts.view import CartResponse
from commerce.carts.view import present as present_cart
from commerce.checkout import service as checkouts
from commerce.checkout.model import Checkout
from commerce.checkout.request import CheckoutCreateRequest, CheckoutUpdateRequest
from commerce.checkout.view import CheckoutResponse
from commerce.checkout.view import present as present_checkout
from commerce.clock import now
from commerce.protocol import ErrorResponse

api = Api("storefront", verify=tokens.verify, idempotency=wiring.personal_idempotency)
wiring.at_start(
    wiring.carts,
    wiring.personal_checkouts,
    wiring.catalog,
    wiring.inventory,
    wiring.discounts,
    wiring.personal_idempotency,
)


@api.post("/carts", body=CartRequest, answers=CartResponse, status=201, idempotency="optional")
def create_cart(request: Request[CartRequest]) -> Response:
    """Starts a cart."""
    made = carts.create_cart(request.body, caller=request.caller, now=now(), shelf=_shelf(), carts=wiring.carts())
    return Response(made, status=200) if isinstance(made, ErrorResponse) else _cart(made)


@api.get("/carts/{id}", answers=CartResponse)
def get_cart(request: Request[None]) -> Response:
    """Shows a cart at today's prices."""
    cart_id = request.parameters["id"]
    return _cart(carts.get_cart(cart_id, caller=request.caller, now=now(), shelf=_shelf(), carts=wiring.carts()))


@api.put("/carts/{id}", body=CartRequest, answers=CartResponse)
def replace_cart(request: Request[CartRequest]) -> Response:
    """Replaces everything in a cart."""
    return _cart(
        carts.replace_cart(
            request.parameters["id"],
            request.body,
            caller=request.caller,
            now=now(),
            shelf=_shelf(),
            carts=wiring.carts(),
        )
    )


@api.post("/carts/{id}/cancel", answers=CartResponse, idempotency="optional")
def cancel_cart(request: Request[None]) -> Response:
    """Throws a cart away, and shows it for the last time."""
    cart_id = request.parameters["id"]
    return _cart(carts.cancel_cart(cart_id, caller=request.caller, now=now(), shelf=_shelf(), carts=wiring.carts()))


@api.post(
    "/checkout-sessions", body=CheckoutCreateRequest, answers=CheckoutResponse, status=201, idempotency="optional"
)
def create_checkout(request: Request[CheckoutCreateRequest]) -> Response:
    """Starts a checkout of some items or of a cart; a cart's open checkout is answered again."""
    made = checkouts.create_checkout(
        request.body,
        caller=request.caller,
        now=now(),
        shelf=_shelf(),
        discounts=wiring.discounts(),
        carts=wiring.carts(),
        checkouts=wiring.personal_checkouts(),
    )
    return Response(made, status=200) if isinstance(made, ErrorResponse) else _checkout(made)


@api.get("/checkout-sessions/{id}", answers=CheckoutResponse)
def get_checkout(request: Request[None]) -> Response:
    """Shows a checkout; while it is open, at today's prices."""
    return _checkout(
        checkouts.get_checkout(
            request.parameters["id"],
            caller=request.caller,
            now=now(),
            shelf=_shelf(),
            discounts=wiring.discounts(),
            checkouts=wiring.personal_checkouts(),
        )
    )


@api.put("/checkout-sessions/{id}", body=CheckoutUpdateRequest, answers=CheckoutResponse)
def update_checkout(request: Request[CheckoutUpdateRequest]) -> Response:
    """Replaces everything the client may decide about a checkout."""
    return _checkout(
        checkouts.update_checkout(
            request.parameters["id"],
            request.body,
            caller=request.caller,
            now=now(),
            shelf=_shelf(),
            discounts=wiring.discounts(),
            checkouts=wiring.personal_checkouts(),
        )
    )


@api.post("/checkout-sessions/{id}/cancel", answers=CheckoutResponse, idempotency="optional")
def cancel_checkout(request: Request[None]) -> Response:
    """Gives a checkout up before it has become an order."""
    checkout_id = request.parameters["id"]
    return _checkout(
        checkouts.cancel_checkout(checkout_id, caller=request.caller, now=now(), checkouts=wiring.personal_checkouts())
    )


def _shelf() -> Shelf:
    return Shelf(wiring.catalog(), wiring.inventory(), settings())


def _cart(priced: PricedCart) -> Response:
    cart = priced.cart
    return Response(present_cart(priced, settings()), holder=cart.holder)


def _checkout(checkout: Checkout) -> Response:
    order_url = order_permalink(checkout.order_id) if checkout.status == "completed" and checkout.order_id else None
    return Response(present_checkout(checkout, settings(), order_url), holder=checkout.holder)


handler = api.handler
