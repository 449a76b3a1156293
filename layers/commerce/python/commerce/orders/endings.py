"""How orders end that did not go well: what the workflow undoes, and what the sweep finds."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, Protocol

from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.events import CancelReason
from commerce.orders.model import Order, Status, status_after
from commerce.orders.payment import release_payment, settle_authorization
from commerce.orders.ports import Stores, Workflow
from commerce.orders.service import TRIES, cancel_order, journey_ended
from commerce.payments.model import balance
from commerce.payments.service import PaymentGateway

GRACE = timedelta(minutes=2)
"""After the hold the workflow ends an unpaid order by itself; the sweep takes over when it has not done so by then."""

Outcome = Literal["compensated", "carry_on"]


class Pending(Protocol):
    """The orders that wait for something."""

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in this status, the oldest first."""


def compensate(
    stores: Stores, workflow: Workflow, gateway: PaymentGateway, *, order_id: str, error: str, now: datetime
) -> Outcome:
    """Does what an order that failed still lacks: cancels and releases, marks lost, voids, refunds.

    `error` names what the workflow saw; what counts is the order. An order that is alive after all (its payment came in
    the second of the timeout, a signal got lost) carries on. Every step may be repeated. Raises Unavailable and
    Contended, which the workflow tries again, and Conflict where the provider refuses to give the money back: a person
    must, and what they do at the provider is taken in before the workflow is redriven.
    """
    order = stores.orders.get(order_id)
    if order.status == "pending_payment":
        order = _unpaid(stores, workflow, gateway, order, error, now)
    if order.status == "shipped" and error == "ParcelLost":
        order = _lost(stores, order, now)
    if order.status not in ("canceled", "lost"):
        return "carry_on"
    release_payment(stores, gateway, order, now=now)
    if owed := balance(stores.payments.of(order.id)).refundable:
        raise Conflict(f"the payment provider refuses to give {owed} minor units back; a person must")
    return "compensated"


def _unpaid(
    stores: Stores, workflow: Workflow, gateway: PaymentGateway, order: Order, error: str, now: datetime
) -> Order:
    """The provider has the last word on whether the payment came: its notice may be on the way still."""
    if order.payment_intent is not None:
        authorization = gateway.retrieve(order.payment_intent)
        if authorization.outcome == "unknown":
            raise Unavailable("the payment provider does not say whether the payment came")
        if authorization.outcome in ("authorized", "captured", "declined"):
            return settle_authorization(stores, workflow, gateway, order, authorization, now=now)
    reason: CancelReason = "payment_declined" if error == "PaymentDeclined" else "payment_timeout"
    return cancel_order(stores, workflow, order, reason=reason, actor="workflow", now=now)


def _lost(stores: Stores, order: Order, now: datetime) -> Order:
    """What has not arrived by now will not."""
    for _ in range(TRIES):
        if order.status != "shipped":
            return order
        given_up = {"status": "lost", "ended_at": iso(now)}
        shipments = tuple(
            one if one.status == "delivered" else one.model_copy(update=given_up) for one in order.shipments
        )
        to = status_after(order, shipments) or order.status
        try:
            return stores.orders.change(
                order, to=to, fields={"shipments": shipments}, events=[journey_ended(order, to, now)]
            )
        except ConditionFailed:
            order = stores.orders.get(order.id)
    raise Contended("the order keeps changing; compensate it again")


def sweep(stores: Stores, pending: Pending, workflow: Workflow, *, limit: int, now: datetime) -> tuple[str, ...]:
    """Ends the unpaid orders whose hold passed without anybody ending them; answers their ids, at most `limit`.

    Starts the execution first, in case it never was: it does what the order then still lacks. Of a lost authorisation's
    money the compensation lets go.
    """
    ended: list[str] = []
    for order in pending.listed("pending_payment", limit=limit):
        if len(ended) == limit or datetime.fromisoformat(order.hold_until) + GRACE > now:
            break
        workflow.start(order.id)
        try:
            cancel_order(
                stores, workflow, stores.orders.get(order.id), reason="payment_timeout", actor="sweep", now=now
            )
        except Conflict:
            continue
        ended.append(order.id)
    return tuple(ended)
