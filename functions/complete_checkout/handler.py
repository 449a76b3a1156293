"""The buyer pays: takes the stock, makes the order and asks for the money, once."""

from commerce.adapters import tokens, wiring
from commerce.adapters.environment import settings
from commerce.adapters.http import Api, Request, Response
from commerce.adapters.links import order_permalink
from commerce.checkout.complete import CompleteRequest, Till, complete
from commerce.checkout.view import CheckoutResponse, present
from commerce.clock import now

api = Api("storefront", verify=tokens.verify, idempotency=wiring.personal_idempotency)
wiring.at_start(
    wiring.personal_stores, wiring.catalog, wiring.workflow, wiring.personal_idempotency, wiring.stripe
)


@api.post("/checkout-sessions/{id}/complete", body=CompleteRequest, answers=CheckoutResponse, idempotency="optional")
def complete_checkout(request: Request[CompleteRequest]) -> Response:
    """Places the order of a checkout and authorises its payment; completing again answers the same."""
    till = Till(
        stores=wiring.personal_stores(),
        checkouts=wiring.personal_checkouts(),
        catalog=wiring.catalog(),
        shelves=wiring.inventory(),
        discounts=wiring.discounts(),
        gateway=wiring.payment_gateway(),
        workflow=wiring.workflow(),
        lines=wiring.lines(),
        settings=settings(),
    )
    checkout = complete(till, request.parameters["id"], request.body.payment, caller=request.caller, now=now())
    completed = checkout.order_id if checkout.status == "completed" else None
    shown = present(checkout, settings(), order_permalink(completed) if completed else None)
    return Response(shown, holder=checkout.holder)


handler = api.handler
