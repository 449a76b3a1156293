"""The port through which money moves. `gateway.py` implements it with Stripe.

Every call is idempotent by its key: repeating one that went through answers as the first did and moves nothing.
`unknown` means that no trustworthy answer came, so money may or may not have moved: repeat the call with the same
key, or `retrieve`; never assume either. Amounts are minor units of the intent's currency.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Protocol

from commerce.model import Model

AuthorizationOutcome = Literal[
    "authorized", "action_required", "declined", "unconfirmed", "captured", "voided", "unknown"
]
"""`confirm` answers with the first three or `unknown`, unless somebody was quicker; `retrieve` with any."""

Risk = Literal["normal", "elevated", "highest"]

NoticeKind = Literal[
    "authorized",
    "action_required",
    "declined",
    "captured",
    "voided",
    "refund_pending",
    "refunded",
    "refund_failed",
    "disputed",
    "other",
]


class Authorization(Model):
    """Where an intent stands: whether the buyer's money is held for the shop."""

    outcome: AuthorizationOutcome
    intent_id: str
    order_id: str | None = None
    charge_id: str | None = None
    redirect_url: str | None = None
    """Where the buyer's bank asks for confirmation, while the outcome is action_required."""
    decline_code: str | None = None
    message: str | None = None
    """A sentence for the buyer on a decline."""
    risk: Risk = "normal"
    amount_capturable: int = 0
    amount_captured: int = 0


class Capture(Model):
    """The held money was taken (`captured`), or can never be taken any more (`failed`)."""

    outcome: Literal["captured", "failed", "unknown"]
    charge_id: str | None = None
    amount: int = 0
    """What was really taken."""
    reason: str | None = None


class Void(Model):
    """The held money was let go. `captured` means it was taken before: it needs a refund instead."""

    outcome: Literal["voided", "captured", "unknown"]
    amount_captured: int = 0


class Refund(Model):
    """Money on its way back. `pending` becomes refunded or failed later, told by a notice."""

    outcome: Literal["refunded", "pending", "failed", "unknown"]
    refund_id: str | None = None
    amount: int = 0
    reason: str | None = None


class PaymentNotice(Model):
    """What the payment provider tells by webhook. It may come twice, late, and before older ones: apply it by
    `reference`, and where it matters ask `retrieve` for the present state.
    """

    id: str
    """The provider's id of the notice; the same when it is sent again."""
    kind: NoticeKind
    type: str
    """The provider's own name, for logs."""
    occurred_at: str
    """RFC 3339."""
    intent_id: str | None = None
    order_id: str | None = None
    """None where the provider leaves it out (disputes, refunds made by hand): `retrieve(intent_id)` knows it."""
    reference: str | None = None
    """What the event is about: the charge, refund or dispute id, else the intent's."""
    amount: int = 0
    redirect_url: str | None = None
    decline_code: str | None = None
    reason: str | None = None


class PaymentGateway(Protocol):
    """Authorise, then capture or void, then perhaps refund."""

    def create_intent(self, order_id: str, amount: int, currency: str) -> str:
        """An intent id for the order, the same however often it is asked but after an outage; nothing is held yet.

        The caller stores the first id before `confirm` and confirms no other, so that an intent whose answer got lost
        can never hold money.
        Raises Unavailable where no answer came, Invalid where the provider refuses the amount or currency.
        """

    def confirm(self, intent_id: str, payment_method: str, return_url: str, key: str) -> Authorization:
        """Asks the buyer's bank to hold the money. A token that cannot be used is a decline."""

    def retrieve(self, intent_id: str) -> Authorization:
        """The intent's present state."""

    def recent(self, *, since: datetime, until: datetime) -> Iterator[Authorization]:
        """The intents made between the two, the newest first, as they stand now. Raises Unavailable."""

    def undelivered(self, *, since: datetime, until: datetime) -> Iterator[PaymentNotice]:
        """The notices of things that happened between the two which no webhook has taken. Raises Unavailable."""

    def capture(self, intent_id: str, amount: int, key: str) -> Capture:
        """Takes `amount` of what is held and lets the rest go; an intent is captured once."""

    def void(self, intent_id: str, key: str) -> Void:
        """Lets go of what is held; an intent that is not confirmed can never be confirmed after this."""

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        """Gives back `amount`. More than is left of what was captured is `failed`."""

    def construct_event(self, payload: bytes, signature: str) -> PaymentNotice:
        """The notice in a webhook's raw body. Raises Unauthenticated where the signature does not hold."""
