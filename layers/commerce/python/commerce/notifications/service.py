"""Tells the buyer what happened: at most one e-mail per event, however often the event comes."""

from datetime import datetime
from typing import Literal, Protocol

from commerce.events import Event, OrderCanceled
from commerce.notifications.model import KINDS, Email, Kind, due
from commerce.orders.model import Order

Outcome = Literal["sent", "not_due", "sent_before", "no_recipient", "fate_unknown"]


class Orders(Protocol):
    """Where the order is read from: events hold no names and addresses."""

    def get(self, order_id: str) -> Order:
        """The order. Raises NotFound."""


class Claims(Protocol):
    """Who may send which e-mail."""

    def take(self, order_id: str, kind: Kind, event_id: str, now: datetime) -> bool:
        """The right to send this e-mail; False where somebody has or had it."""

    def keep(self, order_id: str, kind: Kind, event_id: str, *, message_id: str, now: datetime) -> None:
        """Remembers that it left."""

    def release(self, order_id: str, kind: Kind, event_id: str) -> None:
        """Gives the right back."""

    def any(self, order_id: str) -> bool:
        """Whether the buyer was written to about this order at all."""


class Renderer(Protocol):
    """Turns an event and its order into an e-mail."""

    def __call__(self, kind: Kind, event: Event, order: Order, recipient: str) -> Email:
        """The e-mail as it will be read."""


class Refused(Exception):
    """The mail service certainly did not send it. `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FateUnknown(Exception):
    """The mail service's answer got lost: it may have been sent."""


class Mailer(Protocol):
    """The mail service."""

    def send(self, email: Email, kind: Kind) -> str:
        """Sends it once, and answers its id there. Raises Refused or FateUnknown."""


def notify(event: Event, *, orders: Orders, claims: Claims, render: Renderer, mailer: Mailer, now: datetime) -> Outcome:
    """Writes to the buyer about the event, if there is something to say.

    Raises Refused when the e-mail was not sent and can be tried again; everything is then as before.
    """
    kind = KINDS.get(type(event))
    if kind is None:
        return "not_due"
    order = orders.get(event.subject)
    # Only whether a cancellation is told depends on it: no look for all others.
    written_before = isinstance(event, OrderCanceled) and claims.any(order.id)
    if not due(event, order, written_before=written_before):
        return "not_due"
    recipient = order.buyer.email
    if not recipient:
        return "no_recipient"
    email = render(kind, event, order, recipient)
    if not claims.take(order.id, kind, event.id, now):
        return "sent_before"
    try:
        message_id = mailer.send(email, kind)
    except Refused:
        claims.release(order.id, kind, event.id)
        raise
    except FateUnknown:
        return "fate_unknown"
    claims.keep(order.id, kind, event.id, message_id=message_id, now=now)
    return "sent"
