"""The payment provider behind the port `commerce.payments.service.PaymentGateway`: intents, holds, captures, refunds.

It answers as `StripeGateway` does on an account of `tools.doubles.stripe` (a test sends both the same requests), and
tells the shop by notices as Stripe's webhooks do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Protocol, TypeVar

from commerce.clock import iso
from commerce.errors import Unauthenticated, Unavailable
from commerce.payments.service import (
    Authorization,
    AuthorizationOutcome,
    Capture,
    NoticeKind,
    PaymentNotice,
    Refund,
    Void,
)
from tools.doubles.stripe.cards import CARDS
from tools.simulation import checks, virtual
from tools.simulation.boundary import Boundaries

T = TypeVar("T")
SIGNATURE = "signed"
"""What providers sign their news with."""
_SECONDS = 0.15


class Watch(Protocol):
    """Who checks what the provider did."""

    def money(self) -> None:
        """A charge changed."""

    def overdrawn(self) -> None:
        """A refund was larger than what is left."""


@dataclass
class Intent:
    """A payment intent with its one charge. Amounts in minor units."""

    id: str
    order_id: str
    amount: int
    outcome: AuthorizationOutcome = "unconfirmed"
    card: str = "pm_card_visa"
    held: int = 0
    captured: int = 0
    disputed: bool = False
    refunds: dict[str, Refund] = field(default_factory=dict)
    """By the shop's key."""

    @property
    def given_back(self) -> int:
        """What went back, or is on its way."""
        return sum(refund.amount for refund in self.refunds.values() if refund.outcome != "failed")


class BankLine:
    """What reaches the shop where no trustworthy answer came."""

    def throttled(self) -> Exception:
        """A 429, however often it was tried."""
        return Unavailable("the payment provider does not answer")

    conflict = unanswered = throttled


@dataclass
class Bank:
    """The provider of one world. `tell` sends a notice on its way."""

    boundaries: Boundaries
    watch: Watch
    tell: Callable[[PaymentNotice], None]
    known: dict[str, Intent] = field(default_factory=dict)
    _told: dict[str, PaymentNotice] = field(default_factory=dict)
    """All notices, by id."""
    _untold: dict[str, tuple[float, PaymentNotice]] = field(default_factory=dict)
    """Notices that no webhook has taken, by id, with the moment at which they arose."""
    slow_answer: bool = False
    """Whether the present answer lets the news that it caused arrive first."""
    _answers: dict[str, tuple[str, Authorization | None]] = field(default_factory=dict)
    """Of confirmations, by idempotency key: the card, and what was answered; None to one that was refused."""
    _refused: set[str] = field(default_factory=set)
    """Keys of refunds that were refused: so they are from then on."""
    _made: dict[str, str] = field(default_factory=dict)
    """By order: the intent that was made under its key."""
    _numbers: "count[int]" = field(default_factory=count)

    # --- the port ---------------------------------------------------------------------------------------------------

    def create_intent(self, order_id: str, amount: int, currency: str) -> str:
        """As the port says; after an outage that Stripe remembers under the order's key, another intent."""

        def make() -> str:
            known = self._made.get(order_id)
            if known is None:
                known = self._made[order_id] = self._new(order_id, amount)
            return known

        def forgetting() -> str:
            make()
            return self._new(order_id, amount)

        return self._call("create_intent", make, after_outage=forgetting)

    def confirm(self, intent_id: str, payment_method: str, return_url: str, key: str) -> Authorization:
        """Holds the money, asks the buyer's bank, or declines."""
        intent = self.known[intent_id]
        try:
            return self._call("confirm", lambda: self._confirmed(intent, payment_method, key))
        except Unavailable:
            return _unknown(intent_id)

    def retrieve(self, intent_id: str) -> Authorization:
        """The intent's present state."""
        try:
            return self._call("retrieve", lambda: self._shown(self.known[intent_id]))
        except Unavailable:
            return _unknown(intent_id)

    def recent(self, *, since: datetime, until: datetime) -> Iterator[Authorization]:
        """Every intent: a schedule has few."""
        return iter(self._call("recent", lambda: [self._shown(intent) for intent in self.known.values()]))

    def undelivered(self, *, since: datetime, until: datetime) -> Iterator[PaymentNotice]:
        """What arose between the two and was never taken."""
        low, high = since.timestamp(), until.timestamp()
        return iter(
            self._call(
                "undelivered", lambda: [notice for moment, notice in self._untold.values() if low <= moment <= high]
            )
        )

    def capture(self, intent_id: str, amount: int, key: str) -> Capture:
        """Takes what is held."""
        intent = self.known[intent_id]
        try:
            return self._call("capture", lambda: self._captured(intent, amount))
        except Unavailable:
            return Capture(outcome="unknown")

    def void(self, intent_id: str, key: str) -> Void:
        """Lets go of what is held."""
        intent = self.known[intent_id]
        try:
            return self._call("void", lambda: self._voided(intent))
        except Unavailable:
            return Void(outcome="unknown")

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        """Gives back, once per key."""
        intent = self.known[intent_id]
        try:
            return self._call("refund", lambda: self._given_back(intent, amount, key))
        except Unavailable:
            return Refund(outcome="unknown")

    def construct_event(self, payload: bytes, signature: str) -> PaymentNotice:
        """The notice of which the payload is the id. Raises Unauthenticated."""
        if signature != SIGNATURE:
            raise Unauthenticated("the webhook's signature does not hold")
        return self._told[payload.decode()]

    # --- what others do ---------------------------------------------------------------------------------------------

    def authenticate(self, intent_id: str, *, passed: bool) -> None:
        """What the buyer did on the bank's page. Doing it again changes nothing."""
        intent = self.known[intent_id]
        if intent.outcome == "action_required":
            (self._hold if passed else self._decline)(intent)

    def dispute(self, intent_id: str) -> None:
        """The buyer tells the bank that the payment is not right."""
        intent = self.known[intent_id]
        intent.disputed = True
        self._tell("disputed", intent, intent.captured, f"dp_{intent_id}", order_id=None, reason="fraudulent")

    def delivered(self, notice_id: str, success: bool) -> None:
        """Whether the shop took a notice."""
        if success:
            self._untold.pop(notice_id, None)

    def untold(self, since: float) -> list[float]:
        """When the notices arose since that moment which were never taken."""
        return [moment for moment, _ in self._untold.values() if moment >= since]

    def charges(self) -> list[checks.Charge]:
        """Every charge there is."""
        return [
            checks.Charge(one.order_id, one.amount, one.captured, one.given_back, one.disputed)
            for one in self.known.values()
            if one.held or one.captured
        ]

    def intents(self) -> list[checks.Intent]:
        """Every intent there is."""
        return [
            checks.Intent(one.id, one.order_id, one.held, one.captured, one.given_back) for one in self.known.values()
        ]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _new(self, order_id: str, amount: int) -> str:
        intent = Intent(f"pi_{next(self._numbers)}", order_id, amount)
        self.known[intent.id] = intent
        return intent.id

    def _confirmed(self, intent: Intent, card: str, key: str) -> Authorization:
        """A key answers as it did, whatever became of the intent. Who is refused asks how the intent stands."""
        if key in self._answers:
            with_card, answer = self._answers[key]
            return answer if answer and with_card == card else self._shown(intent)
        if intent.outcome not in ("unconfirmed", "declined", "action_required"):
            self._answers[key] = card, None
            return self._shown(intent)
        intent.card = card
        if CARDS[card].authenticates:
            intent.outcome = "action_required"
            self._tell("action_required", intent, intent.amount)
        elif CARDS[card].decline:
            self._decline(intent)
        else:
            self._hold(intent)
        answer = self._shown(intent)
        self._answers[key] = card, answer
        return answer

    def _hold(self, intent: Intent) -> None:
        intent.outcome, intent.held = "authorized", intent.amount
        self._tell("authorized", intent, intent.amount)

    def _decline(self, intent: Intent) -> None:
        intent.outcome, intent.held = "declined", 0
        self._tell("declined", intent, intent.amount)

    def _captured(self, intent: Intent, amount: int) -> Capture:
        if intent.outcome == "captured":
            return Capture(outcome="captured", charge_id=f"ch_{intent.id}", amount=intent.captured)
        if intent.outcome != "authorized":
            return Capture(outcome="failed", reason=intent.outcome)
        if CARDS[intent.card].capture != "works":
            self._decline(intent)
            return Capture(outcome="failed", reason="card_declined")
        intent.outcome, intent.held, intent.captured = "captured", 0, amount
        self.watch.money()
        self._tell("captured", intent, amount, f"ch_{intent.id}")
        return Capture(outcome="captured", charge_id=f"ch_{intent.id}", amount=amount)

    def _voided(self, intent: Intent) -> Void:
        if intent.outcome == "captured":
            return Void(outcome="captured", amount_captured=intent.captured)
        if intent.outcome != "voided":
            intent.outcome, intent.held = "voided", 0
            self._tell("voided", intent, intent.amount)
        return Void(outcome="voided")

    def _given_back(self, intent: Intent, amount: int, key: str) -> Refund:
        known = intent.refunds.get(key)
        if known is not None:
            return known
        if key in self._refused:
            return Refund(outcome="failed", reason="refused")
        if intent.disputed or intent.outcome != "captured" or amount > intent.captured - intent.given_back:
            if intent.outcome == "captured" and not intent.disputed:
                self.watch.overdrawn()
            self._refused.add(key)
            return Refund(outcome="failed", reason="refused")
        made = Refund(outcome="refunded", refund_id=f"re_{next(self._numbers)}", amount=amount)
        intent.refunds[key] = made
        self.watch.money()
        self._tell("refunded", intent, amount, made.refund_id, order_id=None)
        pending = CARDS[intent.card].refund == "pending"
        return made.model_copy(update={"outcome": "pending"}) if pending else made

    def _shown(self, intent: Intent) -> Authorization:
        return Authorization(
            outcome=intent.outcome,
            intent_id=intent.id,
            order_id=intent.order_id,
            charge_id=f"ch_{intent.id}" if intent.held or intent.captured else None,
            redirect_url="https://bank/page" if intent.outcome == "action_required" else None,
            decline_code="generic_decline" if intent.outcome == "declined" else None,
            amount_capturable=intent.held,
            amount_captured=intent.captured,
        )

    def _tell(
        self, kind: NoticeKind, intent: Intent, amount: int, reference: str | None = None, **more: Any
    ) -> None:
        notice = PaymentNotice(
            id=f"evt_{next(self._numbers)}",
            kind=kind,
            type=kind,
            occurred_at=iso(virtual.now()),
            intent_id=intent.id,
            reference=reference or intent.id,
            amount=amount,
            **{"order_id": intent.order_id, **more},
        )
        self._told[notice.id] = notice
        self._untold[notice.id] = self.boundaries.scheduler.now, notice
        self.tell(notice)

    def _call(self, operation: str, do: Callable[[], T], after_outage: Callable[[], T] | None = None) -> T:
        """Raises Unavailable where no trustworthy answer comes. After a 500 the provider was asked how it stands."""
        boundary = f"bank.{operation}"
        reads = operation in ("retrieve", "recent", "undelivered")
        kind = self.boundaries.strike(boundary, "bank.read" if reads else "bank.write", seconds=_SECONDS)
        if kind is None:
            answer = do()
        elif kind == "outage_after":
            self.boundaries.fired(kind, boundary)
            answer = (after_outage or do)()
        elif kind == "key_expired":
            self.boundaries.fired(kind, boundary)
            do()
            self._answers.clear()
            self._refused.clear()
            self._made.clear()
            raise BankLine().unanswered()
        else:
            answer = self.boundaries.fail(kind, boundary, do, BankLine(), attempts=1)
        if self.slow_answer:
            self.slow_answer = False
            self.boundaries.scheduler.sleep(4.0)
        return answer


def _unknown(intent_id: str) -> Authorization:
    return Authorization(outcome="unknown", intent_id=intent_id)
