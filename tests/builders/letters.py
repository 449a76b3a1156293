"""E-mails: events that buyers hear of, a mail service in memory, and the shop's own templates."""

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from builders.pricing import settings
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
from commerce.notifications.model import Email, Kind
from commerce.notifications.rendering import Templates

EMAILS = Path(__file__).resolve().parents[2] / "emails"

_MORE: dict[type[Event], dict[str, Any]] = {
    OrderConfirmed: {"lines": ()},
    OrderShipped: {"carrier": "USPS", "tracking_number": "1Z-TEST-1"},
    OrderCanceled: {"reason": "merchant_request", "confirmed": True},
    PaymentRefunded: {"refund_id": "refund_1", "amount": 1250, "reason": "support"},
}

HEARD_OF = (
    OrderConfirmed,
    OrderShipped,
    OrderDelivered,
    OrderCanceled,
    OrderLost,
    PaymentActionRequired,
    PaymentRefunded,
)


def happened(kind: type[Event], **changes: Any) -> Event:
    """The event, about the order that the fulfilment builders make."""
    common = {"occurred_at": "2026-11-22T08:15:30.250Z", "subject": "order_1", "currency": "USD", "total": 3998}
    return kind(**{**common, **_MORE.get(kind, {}), **changes})


def templates(**changes: Any) -> Templates:
    """The shop's templates, of the shop that the pricing builders make."""
    return Templates(
        FileSystemLoader(EMAILS),
        settings(**changes),
        lambda order: f"https://shop.example/orders/{order}?access_token=t",
    )


class Post:
    """A mail service. `answers` are what it does with the next e-mails: an exception to raise, or None to send."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.sent: list[Email] = []

    def send(self, email: Email, kind: Kind) -> str:
        """Sends, or does what was prepared."""
        if self.answers and (error := self.answers.pop(0)):
            raise error
        self.sent.append(email)
        return f"message-{len(self.sent)}"
