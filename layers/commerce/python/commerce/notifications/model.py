"""Which event makes which e-mail, and when it is better not to write."""

from typing import Literal

from commerce.events import (
    Event,
    OrderCanceled,
    OrderConfirmed,
    OrderDelivered,
    OrderLost,
    OrderShipped,
    PaymentActionRequired,
    PaymentRefunded,
)
from commerce.model import Model
from commerce.orders.model import Order

Kind = Literal[
    "order_confirmed",
    "payment_action_required",
    "order_shipped",
    "order_delivered",
    "order_canceled",
    "order_lost",
    "payment_refunded",
]

KINDS: dict[type[Event], Kind] = {
    OrderConfirmed: "order_confirmed",
    PaymentActionRequired: "payment_action_required",
    OrderShipped: "order_shipped",
    OrderDelivered: "order_delivered",
    OrderCanceled: "order_canceled",
    OrderLost: "order_lost",
    PaymentRefunded: "payment_refunded",
}
"""The events that buyers hear of. A kind is also the name of its templates."""

TOLD_AT_ONCE = frozenset({"payment_declined", "buyer_request"})
"""Reasons for a cancellation that the buyer read on the screen, as the answer to a request of their own."""


class Email(Model):
    """A rendered e-mail. Personal: never log it."""

    recipient: str
    subject: str
    html: str
    text: str


def due(event: Event, order: Order, *, written_before: bool) -> bool:
    """Whether the buyer should be written to, now that the order is as it is.

    Events come late and in any order, so the order itself is asked whether the news is still true.
    `written_before` says whether the buyer has had any e-mail about this order.
    """
    match event:
        case OrderConfirmed():
            return order.status != "canceled"
        case PaymentActionRequired():
            return order.status == "pending_payment"
        case OrderCanceled(confirmed=False, reason=reason) if reason in TOLD_AT_ONCE:
            # Nobody was told that there is an order, unless the bank's confirmation was asked for by e-mail.
            return written_before
    return type(event) in KINDS
