"""The payment provider's news: signed, in any order, any number of times."""

from commerce.adapters import wiring
from commerce.adapters.http import Api, Request, Response
from commerce.adapters.log import logger
from commerce.clock import now
from commerce.errors import Invalid, Unauthenticated
from commerce.model import Model
from commerce.orders.payment import apply_notice

api = Api("storefront")
wiring.at_start(wiring.stores, wiring.workflow, wiring.stripe)


class Receipt(Model):
    """The shop has taken note; there is nothing to send again."""

    received: bool = True


@api.post("/webhooks/stripe", auth="signature", answers=Receipt)
def receive(request: Request[None]) -> Response:
    """Takes in what happened to a payment, once the signature holds."""
    gateway = wiring.payment_gateway()
    try:
        notice = gateway.construct_event(request.raw_body, request.headers.get("stripe-signature", ""))
    except Unauthenticated as error:
        raise Invalid(error.content) from None
    apply_notice(wiring.stores(), wiring.workflow(), gateway, notice, now=now())
    logger().info("payment notice", notice=notice.id, type=notice.type, order_id=notice.order_id)
    return Response(Receipt())


handler = api.handler
