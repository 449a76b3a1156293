"""What the shop does when money moved, or did not: for the completion, the provider's webhook, the workflow and staff.

News comes twice, late and in any order. So nothing here believes a notice about the state of a payment: the provider is
asked how it stands now, and the order's ledger takes each piece of news once, by its key.
"""

from datetime import datetime
from typing import get_args

from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.events import CancelReason, PaymentDisputed, PaymentRefunded, PaymentRefundFailed, RefundReason, at
from commerce.ids import derived_id
from commerce.orders.model import Adjustment, Order, Status
from commerce.orders.ports import Books, Stores, Workflow
from commerce.orders.service import TRIES, ask_buyer, cancel_order, confirm_order, record_payment
from commerce.payments.model import PaymentEvent, PaymentEventType, balance, event_key, payment_event
from commerce.payments.service import Authorization, PaymentGateway, PaymentNotice, Risk

_ON_ITS_WAY: frozenset[Status] = frozenset({"confirmed", "picked", "packed", "ready_to_ship", "shipped", "delivered"})


def too_risky(risk: Risk) -> bool:
    """The merchant's fraud rule: what the provider takes for certain fraud is not sent out."""
    return risk == "highest"


def settle_authorization(
    stores: Stores,
    workflow: Workflow,
    gateway: PaymentGateway,
    order: Order,
    authorization: Authorization,
    *,
    now: datetime,
) -> Order:
    """Draws the consequence of how the order's payment stands: confirmed, canceled, waiting for the buyer, or nothing.

    Money that is held for an order that is canceled is let go at once. Answers the order as it is then.
    """
    order = _consequence(stores, workflow, order, authorization, now)
    if order.status == "canceled" and authorization.outcome in ("authorized", "captured"):
        release_payment(stores, gateway, order, now=now)
    return order


def _consequence(
    stores: Stores, workflow: Workflow, order: Order, authorization: Authorization, now: datetime
) -> Order:
    def news(kind: PaymentEventType, amount: int) -> PaymentEvent:
        return payment_event(
            kind,
            authorization.intent_id,
            amount,
            order.currency,
            now,
            reference=authorization.charge_id,
            reason=authorization.decline_code,
        )

    def cancel(reason: CancelReason, payment: PaymentEvent) -> Order:
        return cancel_order(stores, workflow, order, reason=reason, actor="payment", now=now, payment=payment)

    match authorization.outcome:
        case "authorized" | "captured":
            held = news("authorized", authorization.amount_capturable or authorization.amount_captured or order.total)
            if too_risky(authorization.risk) and order.status == "pending_payment":
                return cancel("fraud", held)
            return confirm_order(stores, workflow, order, held, now=now)
        case "action_required":
            payment = news("action_required", order.total)
            return ask_buyer(stores, order, payment, authorization.redirect_url or "", now=now)
        case "declined" if order.status == "pending_payment":
            return cancel("payment_declined", news("declined", order.total))
        case "voided" if order.status == "pending_payment":
            return cancel("payment_declined", news("voided", 0))
    return order


def apply_notice(
    stores: Stores, workflow: Workflow, gateway: PaymentGateway, notice: PaymentNotice, *, now: datetime
) -> Order | None:
    """Takes in what the provider tells; answers the order that learnt something by it, as it is then.

    What is not about an order of this shop, or no news to it, is left alone. Raises Unavailable where the provider must
    send it again.
    """
    if notice.kind in ("other", "refund_pending") or notice.intent_id is None:
        return None
    order_id = notice.order_id or _order_of(gateway, notice.intent_id)
    order = stores.orders.find(order_id) if order_id else None
    if order is None or order.payment_intent != notice.intent_id or _known(stores, order, notice):
        return None
    told = _taken_in(stores, workflow, gateway, order, notice, now)
    return told if told.version != order.version else None


def _taken_in(
    stores: Stores, workflow: Workflow, gateway: PaymentGateway, order: Order, notice: PaymentNotice, now: datetime
) -> Order:
    match notice.kind:
        case "refunded" | "refund_failed":
            return conclude_refund(
                stores,
                order.id,
                failed=notice.kind == "refund_failed",
                provider_refund=notice.reference or notice.id,
                amount=notice.amount,
                reason=notice.reason,
                now=now,
            )
        case "disputed":
            return _dispute(stores, order, notice, now)
        case _:
            authorization = _present_state(gateway, order.payment_intent or "")
            order = settle_authorization(stores, workflow, gateway, order, authorization, now=now)
            _record_end(stores, order, authorization, now)
            return order


def _known(books: Books, order: Order, notice: PaymentNotice) -> bool:
    """Whether the shop knew before the provider told it, as it does of most payments: it asked for them itself.

    An order that goes its way was confirmed in one transaction with its authorisation, and one that has left was
    captured before. Neither may have missed anything: one that ended badly may still owe money, and one whose workflow
    waits for the payment may have lost the signal.
    """
    if order.status not in _ON_ITS_WAY or order.task_state == "AwaitPayment":
        return False
    if notice.kind == "captured":
        key = event_key("captured", order.payment_intent or "")
        return order.status in ("shipped", "delivered") or books.payments.recorded(order.id, key)
    return notice.kind == "authorized"


def _present_state(gateway: PaymentGateway, intent_id: str) -> Authorization:
    authorization = gateway.retrieve(intent_id)
    if authorization.outcome == "unknown":
        raise Unavailable("the payment provider does not say how the payment stands; send this again")
    return authorization


def _order_of(gateway: PaymentGateway, intent_id: str) -> str | None:
    """Disputes, and refunds made by hand, do not name the order; their intent does."""
    return _present_state(gateway, intent_id).order_id


def _record_end(books: Books, order: Order, authorization: Authorization, now: datetime) -> None:
    """A capture or void whose answer never reached the shop."""
    if authorization.outcome == "captured":
        _record_capture(books, order, authorization.amount_captured, authorization.charge_id, now)
    elif authorization.outcome == "voided":
        _record_void(books, order, now)


def _dispute(books: Books, order: Order, notice: PaymentNotice, now: datetime) -> Order:
    dispute_id, reason = notice.reference or notice.id, notice.reason or "unknown"
    return record_payment(
        books,
        order,
        payment_event("disputed", dispute_id, notice.amount, order.currency, now, reference=dispute_id, reason=reason),
        events=[
            PaymentDisputed(
                occurred_at=at(now),
                subject=order.id,
                currency=order.currency,
                total=order.total,
                dispute_id=dispute_id,
                amount=notice.amount,
                reason=reason,
            )
        ],
    )


def release_payment(books: Books, gateway: PaymentGateway, order: Order, *, now: datetime) -> None:
    """Gives the buyer back whatever the shop holds or has taken for an order that will not be delivered.

    A refund that was begun before is asked for again under its key: the provider may never have heard of it. Raises
    Unavailable where the provider gave no trustworthy answer: doing it again is harmless.
    """
    if order.payment_intent is None:
        return
    if not balance(books.payments.of(order.id)).captured:
        void = gateway.void(order.payment_intent, key=f"{order.id}:void")
        if void.outcome == "unknown":
            raise Unavailable("the payment provider gave no answer about letting go of the payment")
        if void.outcome == "voided":
            return _record_void(books, order, now)
        _record_capture(books, order, void.amount_captured, None, now)
    ledger = books.payments.of(order.id)
    owed = balance(ledger).refundable
    begun = [(request.subject, request.amount) for request in _unended(ledger)]
    fresh = [(derived_id("refund", order.id, order.status, str(owed)), owed)] if owed else []
    for refund_id, amount in (*begun, *fresh):
        refund(
            books,
            gateway,
            order_id=order.id,
            amount=amount,
            reason="order_lost" if order.status == "lost" else "order_canceled",
            refund_id=refund_id,
            actor="workflow",
            now=now,
        )


def _record_void(books: Books, order: Order, now: datetime) -> None:
    """Only what was held can be let go: an intent that was never authorised leaves no entry."""
    held = balance(books.payments.of(order.id)).held
    if held and order.payment_intent:
        books.payments.append(order.id, payment_event("voided", order.payment_intent, held, order.currency, now))


def _record_capture(books: Books, order: Order, amount: int, charge_id: str | None, now: datetime) -> None:
    if order.payment_intent:
        captured = payment_event("captured", order.payment_intent, amount, order.currency, now, reference=charge_id)
        books.payments.append(order.id, captured)


def refund(
    books: Books,
    gateway: PaymentGateway,
    *,
    order_id: str,
    amount: int,
    reason: RefundReason,
    refund_id: str,
    actor: str,
    now: datetime,
    note: str | None = None,
) -> PaymentEvent:
    """Gives `amount` back, once per `refund_id`, and never more than was captured and is not on its way back.

    The request is written under the order's version before the provider is asked, so that of two refunds at once the
    second one counts the first. `note` is what staff say about it. Answers the last event of the refund:
    `refund_requested` while the provider works on it (a notice brings the end), `refunded` or `refund_failed`. Raises
    Conflict where less is left to give back, and Unavailable where the provider may not know of the refund: nobody asks
    for it again but the caller, and asking again is harmless.
    """
    order = books.orders.get(order_id)
    asked = payment_event("refund_requested", refund_id, amount, order.currency, now, reason=reason, note=note)
    requested = _request(books, order_id, asked, actor, now)
    if requested.type != "refund_requested" or order.payment_intent is None:
        return requested
    answer = gateway.refund(order.payment_intent, requested.amount, key=f"{order_id}:refund:{refund_id}")
    if answer.outcome == "unknown":
        raise Unavailable("the payment provider gave no answer about the refund; ask for it again")
    if answer.outcome == "pending":
        return requested
    conclude_refund(
        books,
        order_id,
        failed=answer.outcome == "failed",
        provider_refund=answer.refund_id or refund_id,
        amount=requested.amount,
        reason=requested.reason,
        refund_id=refund_id,
        now=now,
    )
    return _state_of(books.payments.of(order_id), refund_id) or requested


def _request(books: Books, order_id: str, asked: PaymentEvent, actor: str, now: datetime) -> PaymentEvent:
    for _ in range(TRIES):
        order = books.orders.get(order_id)
        events = books.payments.of(order_id)
        if known := _state_of(events, asked.subject):
            return known
        left = balance(events).refundable
        if asked.amount > left:
            raise Conflict(f"{left} minor units are left to give back, not {asked.amount}", path="$.amount")
        recorded = books.audit.action(
            f"order#{order_id}",
            actor=actor,
            action="refund.requested",
            now=now,
            after={
                "refund_id": asked.subject,
                "amount": asked.amount,
                "reason": asked.reason,  # not the note: what is said about a person must be erasable
            },
        )
        try:
            books.orders.change(order, actions=[*books.payments.append_actions(order_id, [asked]), recorded])
        except ConditionFailed:
            continue
        return asked
    raise Contended("the order keeps changing; ask for the refund again")


def _state_of(events: list[PaymentEvent], refund_id: str) -> PaymentEvent | None:
    """The refund's last event; its end counts more than its beginning, whatever the clocks said."""
    order_of: dict[str, int] = {"refund_requested": 0, "refunded": 1, "refund_failed": 2}
    own = [event for event in events if event.subject == refund_id and event.type in order_of]
    return max(own, key=lambda event: order_of[event.type], default=None)


def conclude_refund(
    books: Books,
    order_id: str,
    *,
    failed: bool,
    provider_refund: str,
    amount: int,
    reason: str | None,
    now: datetime,
    refund_id: str | None = None,
) -> Order:
    """Writes down how a refund ended: ledger, adjustment and event, once per refund of the provider's.

    A notice does not name the shop's `refund_id`: it ends the oldest open request of the same amount, and one that fits
    none was made by hand at the provider.
    """
    kind: PaymentEventType = "refund_failed" if failed else "refunded"
    for _ in range(TRIES):
        order = books.orders.get(order_id)
        events = books.payments.of(order_id)
        if any(event.type == kind and event.reference == provider_refund for event in events):
            return order
        subject = _refund_meant(events, provider_refund, amount, refund_id)
        asked = _asked(events, subject)
        why, note = (asked.reason, asked.note) if asked else (reason, None)
        ended = payment_event(
            kind, subject, amount, order.currency, now, reference=provider_refund, reason=why, note=note
        )
        if any(event.key == ended.key for event in events):
            return order
        adjustment = Adjustment(
            id=subject,
            type="refund",
            occurred_at=iso(now),
            status="failed" if failed else "completed",
            amount=-amount,
            description=note or (why and why.replace("_", " ").capitalize()),
        )
        try:
            return books.orders.change(
                order,
                fields={"adjustments": (*(one for one in order.adjustments if one.id != subject), adjustment)},
                actions=books.payments.append_actions(order_id, [ended]),
                events=[_refund_ended(order, subject, amount, _code(asked), now, failed=failed)],
            )
        except ConditionFailed:
            continue
    raise Contended("the order keeps changing; send the news again")


def _unended(events: list[PaymentEvent]) -> list[PaymentEvent]:
    """The requests for refunds that were neither made nor refused so far, the oldest first."""
    ended = {event.subject for event in events if event.type in ("refunded", "refund_failed")}
    return [event for event in events if event.type == "refund_requested" and event.subject not in ended]


def _refund_meant(events: list[PaymentEvent], provider_refund: str, amount: int, refund_id: str | None) -> str:
    waiting = _unended(events)
    candidates = (
        *(event.subject for event in events if event.reference == provider_refund),
        *(event.subject for event in waiting if event.subject == refund_id),
        *(event.subject for event in waiting if event.amount == amount),
        provider_refund,
    )
    return candidates[0]


def _asked(events: list[PaymentEvent], subject: str) -> PaymentEvent | None:
    """The shop's own request for the refund; None for one that was made by hand at the provider."""
    return next((event for event in events if event.type == "refund_requested" and event.subject == subject), None)


def _code(asked: PaymentEvent | None) -> RefundReason:
    """Why, as events may say it: what people write about a refund may name somebody."""
    if asked is None:
        return "by_hand"
    codes: tuple[RefundReason, ...] = get_args(RefundReason)
    return next((code for code in codes if code == asked.reason), "support")


def _refund_ended(
    order: Order, refund_id: str, amount: int, reason: RefundReason, now: datetime, *, failed: bool
) -> PaymentRefunded | PaymentRefundFailed:
    return (PaymentRefundFailed if failed else PaymentRefunded)(
        occurred_at=at(now),
        subject=order.id,
        currency=order.currency,
        total=order.total,
        refund_id=refund_id,
        amount=amount,
        reason=reason,
    )
