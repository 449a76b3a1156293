"""The carrier's news about parcels: signed, in any order, any number of times."""

from commerce.adapters import wiring
from commerce.adapters.http import Api, Request, Response
from commerce.adapters.log import logger
from commerce.clock import now
from commerce.fulfilment.tracking import track
from commerce.model import Model

api = Api("storefront")
wiring.at_start(wiring.orders, wiring.workflow)


class Receipt(Model):
    """The shop has taken note; there is nothing to send again."""

    received: bool = True


@api.post("/webhooks/carrier", auth="signature", answers=Receipt)
def receive(request: Request[None]) -> Response:
    """Records what happened to a parcel, once the signature holds."""
    news = wiring.carrier().construct_event(request.raw_body, request.headers)
    if news is not None:
        order = track(wiring.orders(), wiring.workflow(), news, now=now())
        logger().info("tracking", order_id=news.order_id, status=news.status, known=order is not None)
    return Response(Receipt())


handler = api.handler
