"""What is found where the shop's own records, its workflow and its providers disagree; and when it is looked for."""

from datetime import datetime, timedelta
from typing import Literal

from commerce.model import Model
from commerce.orders.model import Order

UNHEARD = timedelta(minutes=2)
"""An answer, a notice or a signal takes seconds; what has not come after this long is asked for."""
GRACE = timedelta(minutes=2)
"""After the hold the workflow ends an unpaid order by itself; the reconciler takes over when it has not done so."""
UNPUBLISHED = timedelta(minutes=10)
"""The relay is seconds behind its table; what the bus refuses it tries again for minutes."""
LOOK_BACK = timedelta(hours=1)
"""How far back the provider is asked for new charges and undelivered notices: a dozen runs."""
COMPENSATING = timedelta(minutes=15)
"""The workflow tries to give the money of an order back for this long, at least; then its execution has failed."""
STUCK = timedelta(hours=1)
"""An order that is still ahead of its execution after this long, and after a dozen signals, needs a person."""

FindingKind = Literal[
    "execution_missing",
    "payment_unheard",
    "hold_overdue",
    "signal_lost",
    "compensation_missing",
    "order_stuck",
    "event_unpublished",
    "notice_undelivered",
    "parcel_unheard",
    "orphan_charge",
    "look_broken_off",
]


class Finding(Model):
    """One disagreement. Ids and codes only, so that it may stand in a log."""

    kind: FindingKind
    subject: str
    """The id of the order or the event; of a look that was broken off, its name."""
    mended: bool
    """False where the next run must try again, and a person look where it cannot either."""
    reference: str | None = None
    """The provider's id of the intent or the notice."""
    error: str | None = None
    """The code of what kept it from being mended."""


def unheard(order: Order, now: datetime) -> bool:
    """Whether an order has waited for its payment longer than any answer takes."""
    return datetime.fromisoformat(order.placed_at) + UNHEARD <= now


def overdue(order: Order, now: datetime) -> bool:
    """Whether the hold of an unpaid order has passed without anybody ending it."""
    return datetime.fromisoformat(order.hold_until) + GRACE <= now


def caught_up(order: Order) -> bool:
    """Whether the execution has come to where the order stands. False also for one that must still be compensated."""
    match order.status:
        case "confirmed" | "picked" | "packed":
            return order.task_state == "AwaitWarehouse"
        case "shipped":
            return order.task_state == "AwaitDelivery"
    return order.settled


def waited(order: Order, now: datetime) -> timedelta:
    """How long ago the order came to its status."""
    return now - datetime.fromisoformat(order.moved_at or order.placed_at)
