"""Requests of people about their own data, and what the shop has of a person.

Sources: General Data Protection Regulation, articles 15 (access), 17 (erasure) and 12 (3) (within one month).
"""

from datetime import timedelta
from typing import Any, Literal

from commerce.carts.model import Cart
from commerce.checkout.model import Checkout
from commerce.model import Model
from commerce.orders.model import TERMINAL, Order

Kind = Literal["export", "erase"]
State = Literal["accepted", "waiting", "ready", "done"]
"""An export is `ready` at once. An erasure is `accepted`, `waiting` while goods or money are under way, then `done`."""


EXPORTS_FOR = timedelta(days=30)
"""How long after the request a person's data may be read for them."""


class PersonRequest(Model):
    """Somebody asked for their data, or to be forgotten. It names them by a digest alone once that is done."""

    id: str
    kind: Kind
    state: State
    digest: str
    """The digest of their e-mail address (docs/decisions/0027)."""
    email: str | None = None
    """Stored sealed; gone when they are erased."""
    reference: str
    """Where the shop wrote down that they asked, such as a ticket's number."""
    actor: str
    requested_at: str
    waits_for: tuple[str, ...] = ()
    """The orders that are still on their way."""
    done_at: str | None = None


class Account(Model):
    """A customer's account in the user pool."""

    subject: str
    attributes: dict[str, str]


class KnownOrder(Model):
    """An order with what happened around it: its money, and when the buyer was written to."""

    order: Order
    payments: tuple[dict[str, Any], ...] = ()
    emails: tuple[dict[str, Any], ...] = ()


class PersonFile(Model):
    """All that the shop has of a person."""

    email: str
    account: Account | None = None
    carts: tuple[Cart, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    orders: tuple[KnownOrder, ...] = ()
    holders: tuple[str, ...] = ()
    """Whose keys seal what is known of them: their carts and checkouts, whether or not these are still there."""


def on_their_way(orders: tuple[KnownOrder, ...]) -> tuple[str, ...]:
    """The orders whose goods or money have not come to their end: without an address nobody could bring them there."""
    return tuple(
        known.order.id
        for known in orders
        if known.order.status not in TERMINAL
        or (known.order.status == "delivered" and not known.order.settled)
        or any(one.status == "pending" for one in known.order.adjustments)
    )
