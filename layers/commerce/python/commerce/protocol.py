"""The envelope of the Universal Commerce Protocol that stands on every answer.

Source: UCP 2026-08-25, ucp.json and service.json.
"""

from typing import Any, Literal

from commerce.messages import Message
from commerce.model import Model

VERSION = "2026-08-25"

CART = "dev.ucp.shopping.cart"
CHECKOUT = "dev.ucp.shopping.checkout"
FULFILLMENT = "dev.ucp.shopping.fulfillment"
DISCOUNT = "dev.ucp.shopping.discount"
ORDER = "dev.ucp.shopping.order"
SEARCH = "dev.ucp.shopping.catalog.search"
LOOKUP = "dev.ucp.shopping.catalog.lookup"

PAYMENT_HANDLER = "com.stripe.card"
"""The payment handler's name in profiles; its instances take a Stripe payment method as token credential."""
PAYMENT_HANDLER_ID = "stripe"


class Envelope(Model):
    """`capabilities` and `payment_handlers` are keyed by reverse-domain name, each a list of declarations."""

    version: str = VERSION
    status: Literal["success", "error"] = "success"
    capabilities: dict[str, list[dict[str, Any]]] | None = None
    payment_handlers: dict[str, list[dict[str, Any]]] | None = None


class ErrorResponse(Model):
    """A business outcome without a resource: nothing was made, and the messages say why."""

    ucp: Envelope = Envelope(status="error")
    messages: tuple[Message, ...]


def envelope(*capabilities: str, payment: bool = False) -> Envelope:
    """The envelope of an answer that speaks these capabilities."""
    return Envelope(
        capabilities={name: [{"version": VERSION}] for name in capabilities},
        payment_handlers={PAYMENT_HANDLER: [payment_handler()]} if payment else None,
    )


def payment_handler() -> dict[str, Any]:
    """How the shop is paid: a card that Stripe has tokenised; the shop never sees its number."""
    return {
        "id": PAYMENT_HANDLER_ID,
        "version": VERSION,
        "available_instruments": [{"type": "card"}],
    }
