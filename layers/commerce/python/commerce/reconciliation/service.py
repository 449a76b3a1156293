"""Finds what no event will ever tell: signals, answers and notices that got lost on their way.

Each look asks one place that knows better than the shop, or where the shop keeps what is not finished yet; none reads
what is behind the shop. What is found is put right by the use case that the lost event would have called, so mending
twice, or beside the event that comes after all, changes nothing. What cannot be put right safely is left to a person.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Protocol

from commerce.clock import epoch
from commerce.errors import CommerceError, Contended, Unavailable
from commerce.fulfilment.model import TrackingEvent
from commerce.fulfilment.tracking import knows, track
from commerce.orders.endings import compensate, end_unpaid
from commerce.orders.model import Label, Order, Status
from commerce.orders.payment import apply_notice, settle_authorization
from commerce.orders.ports import Running, Stores, Workflow
from commerce.orders.service import cancel_order, wake
from commerce.payments.service import Authorization, PaymentGateway
from commerce.reconciliation.model import (
    COMPENSATING,
    LOOK_BACK,
    STUCK,
    UNHEARD,
    UNPUBLISHED,
    Finding,
    FindingKind,
    caught_up,
    overdue,
    unheard,
    waited,
)


class Unfinished(Protocol):
    """The orders that wait for something."""

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in this status, the oldest first; the first `limit` for sure."""

    def under_way(self, *, turn: int) -> Iterator[Order]:
        """Shipped orders, those whose turn it is: with each turn others, and all in eight."""

    def ahead(self, *, before: datetime, limit: int) -> Iterator[str]:
        """Ids of orders that came to their status before then, and whose executions have not followed since."""


class Outbox(Protocol):
    """The events that a transaction published, and the bus did not hear of."""

    def unpublished(self, *, before: datetime, limit: int) -> Iterator[str]:
        """Ids of events that happened before then, the oldest first; the first `limit` for sure."""

    def publish(self, event_id: str) -> bool:
        """Puts the event on the bus; False where the bus does not take it."""


class Carrier(Protocol):
    """Who knows where the parcels are."""

    def latest(self, parcels: Sequence[tuple[Order, Label]], *, until: datetime) -> Iterator[TrackingEvent]:
        """The last news of each of these parcels, if they are from before then. Asks once for a hundred.

        Raises Unavailable.
        """


@dataclass(frozen=True)
class Rounds:
    """Everything that the reconciler asks, and mends with."""

    stores: Stores
    unfinished: Unfinished
    outbox: Outbox
    workflow: Workflow
    gateway: PaymentGateway
    carrier: Callable[[], Carrier]
    """Asked for only where a parcel is under way: its package takes its time to load."""


Look = Callable[[Rounds, int, datetime], Iterator[Finding]]
"""Finds one thing after the other; of the shop's own lists it reads no more than so many entries."""


def reconcile(rounds: Rounds, looks: Iterable[Look], *, limit: int, now: datetime) -> Iterator[Finding]:
    """What is wrong, one after the other as it is mended: at most `limit` things of each look.

    A provider that is silent ends the look that asked it, and none of the others.
    """
    for look in looks:
        try:
            yield from islice(look(rounds, limit, now), limit)
        except CommerceError as error:
            yield Finding(kind="look_broken_off", subject=look.__name__.strip("_"), mended=False, error=error.code)


def _unpaid_orders(rounds: Rounds, limit: int, now: datetime) -> Iterator[Finding]:
    """Orders that nobody started, whose hold nobody ended, or whose payment nobody heard of."""
    for order in islice(rounds.unfinished.listed("pending_payment", limit=limit), limit):
        if not unheard(order, now):
            return
        if order.task_state is None:
            rounds.workflow.start(order.id)
            yield Finding(kind="execution_missing", subject=order.id, mended=True)
        if overdue(order, now):
            yield _mended("hold_overdue", order, partial(_end, rounds, order, now))
        elif order.payment_intent is not None:
            yield from _heard(rounds, order, rounds.gateway.retrieve(order.payment_intent), now)


def _end(rounds: Rounds, order: Order, now: datetime) -> None:
    """The goods are free again even while the provider is silent: of money that came, the compensation lets go.

    What others keep changing at this moment is left to the next run, for it may be paid.
    """
    stores, workflow = rounds.stores, rounds.workflow
    try:
        end_unpaid(stores, workflow, rounds.gateway, order, reason="payment_timeout", actor="reconciler", now=now)
    except Contended:
        raise
    except Unavailable:
        cancel_order(stores, workflow, order, reason="payment_timeout", actor="reconciler", now=now)


def _heard(rounds: Rounds, order: Order, standing: Authorization, now: datetime) -> Iterator[Finding]:
    """The provider's last word on a payment whose answer and notice may both be lost."""
    if standing.outcome in ("unknown", "unconfirmed"):
        return
    if standing.outcome == "action_required" and order.escalation_url is not None:
        return
    yield _mended(
        "payment_unheard",
        order,
        lambda: settle_authorization(rounds.stores, rounds.workflow, rounds.gateway, order, standing, now=now),
    )


def _orders_ahead(rounds: Rounds, limit: int, now: datetime) -> Iterator[Finding]:
    """Orders that moved on without their executions: the signal got lost, the execution failed, or never was."""
    for order_id in islice(rounds.unfinished.ahead(before=now - UNHEARD, limit=limit), limit):
        order = rounds.stores.orders.get(order_id)
        if caught_up(order):
            rounds.stores.orders.followed(order)
        elif order.status in ("canceled", "lost") and waited(order, now) >= COMPENSATING:
            yield _mended("compensation_missing", order, partial(_compensate, rounds, order, now))
        else:
            rounds.workflow.start(order.id)
            wake(rounds.stores.orders, rounds.workflow, order.id)
            stuck = waited(order, now) >= STUCK
            yield Finding(kind="order_stuck" if stuck else "signal_lost", subject=order.id, mended=not stuck)


def _compensate(rounds: Rounds, order: Order, now: datetime) -> None:
    compensate(rounds.stores, Running(), rounds.gateway, order_id=order.id, error="", now=now)


def _unpublished_events(rounds: Rounds, limit: int, now: datetime) -> Iterator[Finding]:
    """What the outbox's stream missed. Its relay tries for longer than an answer takes, so this waits longer, too."""
    for event_id in islice(rounds.outbox.unpublished(before=now - UNPUBLISHED, limit=limit), limit):
        yield Finding(kind="event_unpublished", subject=event_id, mended=rounds.outbox.publish(event_id))


def _parcels_under_way(rounds: Rounds, _limit: int, now: datetime) -> Iterator[Finding]:
    """What the carrier could not tell. Its list of news does not say what they are about, so it is asked about the
    parcels, in each minute about an eighth of them.
    """
    orders = {order.id: order for order in rounds.unfinished.under_way(turn=epoch(now) // 60)}
    parcels = [
        (order, parcel.label)
        for order in orders.values()
        for parcel in order.shipments
        if parcel.label and parcel.status == "shipped"
    ]
    if not parcels:
        return
    for news in rounds.carrier().latest(parcels, until=now - UNHEARD):
        order = orders[news.order_id]
        if not knows(order, news):
            yield _mended(
                "parcel_unheard", order, partial(track, rounds.stores.orders, rounds.workflow, news, now=now)
            )


def _undelivered_notices(rounds: Rounds, _limit: int, now: datetime) -> Iterator[Finding]:
    """What the payment provider could not tell: its webhook did not get through.

    It shows a notice for an hour, also after this took it in; so all are looked at, and only what is news counts.
    """
    for notice in rounds.gateway.undelivered(since=now - LOOK_BACK, until=now - UNHEARD):
        order = apply_notice(rounds.stores, rounds.workflow, rounds.gateway, notice, now=now)
        if order is not None:
            yield Finding(kind="notice_undelivered", subject=order.id, mended=True, reference=notice.id)


def _recent_charges(rounds: Rounds, _limit: int, now: datetime) -> Iterator[Finding]:
    """Money that no order knows of. Held for an order that pays under another intent, it is let go at once."""
    for charge in rounds.gateway.recent(since=now - LOOK_BACK, until=now - UNHEARD):
        if charge.order_id is None or charge.outcome not in ("authorized", "captured"):
            continue
        order = rounds.stores.orders.find(charge.order_id)
        if order is not None and order.payment_intent == charge.intent_id:
            continue
        let_go = order is not None and charge.outcome == "authorized" and _let_go(rounds, charge)
        yield Finding(kind="orphan_charge", subject=charge.order_id, mended=let_go, reference=charge.intent_id)


def _let_go(rounds: Rounds, charge: Authorization) -> bool:
    return rounds.gateway.void(charge.intent_id, key=f"{charge.intent_id}:void").outcome == "voided"


def _mended(kind: FindingKind, order: Order, mend: Callable[[], object]) -> Finding:
    """Mends, or says why it could not: one order's trouble keeps nobody from the others."""
    try:
        mend()
    except CommerceError as error:
        return Finding(kind=kind, subject=order.id, mended=False, error=error.code)
    return Finding(kind=kind, subject=order.id, mended=True)


EVERY_MINUTE: tuple[Look, ...] = (_unpaid_orders, _orders_ahead, _unpublished_events, _parcels_under_way)
"""Looks that ask providers about what stands in our own tables, and find nothing at next to no cost."""
EVERYWHERE: tuple[Look, ...] = (*EVERY_MINUTE, _undelivered_notices, _recent_charges)
"""These, and the payment provider's lists."""
