"""How orders end that did not go well: what the workflow undoes."""

from datetime import datetime
from typing import Literal

from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Unavailable
from commerce.events import CancelReason
from commerce.orders.model import Order, status_after
from commerce.orders.payment import release_payment, settle_authorization
from commerce.orders.ports import Stores, Workflow
from commerce.orders.service import TRIES, cancel_order, journey_ended
from commerce.payments.model import balance
from commerce.payments.service import PaymentGateway

Outcome = Literal["compensated", "carry_on"]


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
        reason: CancelReason = "payment_declined" if error == "PaymentDeclined" else "payment_timeout"
        order = end_unpaid(stores, workflow, gateway, order, reason=reason, actor="workflow", now=now)
    if order.status == "shipped" and error == "ParcelLost":
        order = _lost(stores, order, now)
    if order.status not in ("canceled", "lost"):
        return "carry_on"
    release_payment(stores, gateway, order, now=now)
    if owed := balance(stores.payments.of(order.id)).refundable:
        raise Conflict(f"the payment provider refuses to give {owed} minor units back; a person must")
    stores.orders.followed(order)
    return "compensated"


def end_unpaid(
    stores: Stores,
    workflow: Workflow,
    gateway: PaymentGateway,
    order: Order,
    *,
    reason: CancelReason,
    actor: str,
    now: datetime,
) -> Order:
    """Cancels an order whose payment did not come, if it really did not: the provider has the last word on that.

    Its notice may be on the way still. Answers the order as it is then. Raises Unavailable where it does not say.
    """
    if order.payment_intent is not None:
        authorization = gateway.retrieve(order.payment_intent)
        if authorization.outcome == "unknown":
            raise Unavailable("the payment provider does not say whether the payment came")
        if authorization.outcome in ("authorized", "captured", "declined"):
            return settle_authorization(stores, workflow, gateway, order, authorization, now=now)
    return cancel_order(stores, workflow, order, reason=reason, actor=actor, now=now)


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
                order, to=to, now=now, fields={"shipments": shipments}, events=[journey_ended(order, to, now)]
            )
        except ConditionFailed:
            order = stores.orders.get(order.id)
    raise Contended("the order keeps changing; compensate it again")
