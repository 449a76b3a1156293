"""Payment is an append-only list of typed events per order. Balances are derived from it, and stored nowhere."""

from collections.abc import Iterable, Set
from datetime import datetime
from typing import Literal

from commerce.clock import iso
from commerce.model import Model
from commerce.money import Amount, Currency

PaymentEventType = Literal[
    "authorized",
    "action_required",
    "declined",
    "captured",
    "capture_failed",
    "voided",
    "refund_requested",
    "refunded",
    "refund_failed",
    "disputed",
]


def event_key(type: PaymentEventType, subject: str) -> str:
    """The key of the news that this happened to `subject`."""
    return f"{type}#{subject}"


class PaymentEvent(Model):
    """Something that happened to an order's money. `amount` in minor units, never negative."""

    type: PaymentEventType
    subject: str
    """What it happened to: the intent, the refund (the shop's id, shared by its request and its end) or the dispute."""
    amount: Amount
    currency: Currency
    occurred_at: str
    reference: str | None = None
    """The provider's id of the charge, refund or dispute."""
    reason: str | None = None
    """As a code."""
    note: str | None = None
    """What staff wrote about it, for the order and its buyer: it may name somebody, and goes into no event."""

    @property
    def key(self) -> str:
        """The same news has the same key, whoever brings it: it is recorded once."""
        return event_key(self.type, self.subject)


class Balance(Model):
    """Where an order's money is. All amounts in minor units of its currency."""

    authorized: int = 0
    captured: int = 0
    voided: bool = False
    refunded: int = 0
    refund_pending: int = 0
    """Asked for, and neither made nor failed so far."""
    disputed: int = 0

    @property
    def refundable(self) -> int:
        """What may still be given back: never more than was captured, counting what is on its way."""
        return max(0, self.captured - self.refunded - self.refund_pending)

    @property
    def held(self) -> int:
        """What the buyer's bank holds for the shop, neither taken nor let go."""
        return 0 if self.voided or self.captured else self.authorized


def balance(events: Iterable[PaymentEvent]) -> Balance:
    """The sums of an order's events, in whatever order they came. A refund that failed in the end gave nothing back."""
    news = list(events)
    failed = {event.subject for event in news if event.type == "refund_failed"}
    ended = failed | {event.subject for event in news if event.type == "refunded"}

    def total(kind: PaymentEventType, without: Set[str] = frozenset()) -> int:
        return sum(event.amount for event in news if event.type == kind and event.subject not in without)

    return Balance(
        authorized=total("authorized"),
        captured=total("captured"),
        voided=any(event.type == "voided" for event in news),
        refunded=total("refunded", without=failed),
        refund_pending=total("refund_requested", without=ended),
        disputed=total("disputed"),
    )


def payment_event(
    type: PaymentEventType,
    subject: str,
    amount: int,
    currency: str,
    now: datetime,
    *,
    reference: str | None = None,
    reason: str | None = None,
    note: str | None = None,
) -> PaymentEvent:
    """An event that happens `now`."""
    return PaymentEvent(
        type=type,
        subject=subject,
        amount=amount,
        currency=currency,
        occurred_at=iso(now),
        reference=reference,
        reason=reason,
        note=note,
    )
