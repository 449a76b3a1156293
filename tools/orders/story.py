"""An order's story: everything that the shop's tables and its workflow know, told in the order of time.

It shows no names and addresses, so it can be passed on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from commerce.adapters.dynamodb import Item
from commerce.clock import iso
from commerce.inventory.model import Movement, Reservation
from commerce.money import display
from commerce.orders.model import Order
from commerce.payments.model import PaymentEvent
from tools.local.steps import say


@dataclass(frozen=True)
class Fact:
    """One line of the story. `moment` is RFC 3339."""

    moment: str
    about: str
    what: str


@dataclass(frozen=True)
class Execution:
    """The order's way through its workflow."""

    order_id: str
    arn: str
    status: str
    started: datetime
    ended: datetime | None
    entered: tuple[tuple[datetime, str], ...]
    """When it entered which state, the first first."""
    error: str = ""
    """Why it failed, in the state machine's or a function's words."""
    correlation_id: str = ""
    """What started it, as logs name it."""

    @property
    def state(self) -> str:
        """The latest state."""
        return self.entered[-1][1] if self.entered else "no state"


@dataclass(frozen=True)
class Records:
    """All that the shop's tables and its workflow know of an order."""

    order: Order
    payments: tuple[PaymentEvent, ...]
    movements: tuple[Movement, ...]
    reservations: tuple[Reservation, ...]
    emails: tuple[Item, ...]
    audit: tuple[Item, ...]
    execution: Execution | None
    events: tuple[tuple[str, str, str], ...] = ()
    """(moment, type, id) of what went over the bus, where that was asked for."""


def story(records: Records) -> list[Fact]:
    """The facts, the oldest first. The carrier's news have the time that the carrier says."""
    facts = (
        *_of_order(records.order),
        *_of_money(records.payments),
        *(_of_stock(movement) for movement in records.movements),
        *(_of_staff(entry) for entry in records.audit),
        *_of_workflow(records.execution),
        *(_of_email(claim) for claim in records.emails),
        *(Fact(moment, "event", f"{kind}, {event_id}") for moment, kind, event_id in records.events),
    )
    return sorted(facts, key=lambda fact: fact.moment)


def _of_order(order: Order) -> Iterator[Fact]:
    goods = ", ".join(f"{line.original} x {line.sku}" for line in order.lines)
    yield Fact(order.placed_at, "order", f"placed: {goods}; {display(order.total, order.currency)}")
    for event in order.events:
        parcel = f" ({event.carrier} {event.tracking_number})" if event.tracking_number else ""
        yield Fact(event.occurred_at, "order", f"{event.type}{parcel}")
    for adjustment in order.adjustments:
        amount = f" {display(adjustment.amount, order.currency)}" if adjustment.amount else ""
        why = f": {adjustment.description}" if adjustment.description else ""
        yield Fact(adjustment.occurred_at, "order", f"{adjustment.type} {adjustment.status}{amount}{why}")


def _of_money(payments: Iterable[PaymentEvent]) -> Iterator[Fact]:
    for payment in payments:
        why = f" ({payment.reason})" if payment.reason else ""
        yield Fact(
            payment.occurred_at,
            "payment",
            f"{payment.type} {display(payment.amount, payment.currency)}{why}, {payment.reference or payment.subject}",
        )


def _of_stock(movement: Movement) -> Fact:
    what = f"{movement.kind} {movement.sku} at {movement.location}: on hand {movement.on_hand:+}"
    return Fact(movement.occurred_at, "stock", f"{what}, available {movement.available:+}")


def _of_email(claim: Item) -> Fact:
    _, kind, event_id = claim["sk"].split("#")
    if "sent_at" in claim:
        return Fact(claim["sent_at"], "e-mail", f"{kind} sent as {claim['message_id']}")
    return Fact(claim["claimed_at"], "e-mail", f"{kind} for {event_id}: nobody knows whether it left")


def _of_staff(entry: Item) -> Fact:
    """A step of the warehouse belongs to one location's parcel."""
    place = f" at {entry['after']['location']}" if "location" in entry.get("after", {}) else ""
    return Fact(entry["sk"].partition("#")[0], "audit", f"{entry['action']} by {entry['actor']}{place}")


def _of_workflow(execution: Execution | None) -> Iterator[Fact]:
    if execution is None:
        return
    for moment, state in execution.entered:
        yield Fact(iso(moment), "workflow", f"enters {state}")
    if execution.ended:
        why = f", {execution.error}" if execution.error else ""
        yield Fact(iso(execution.ended), "workflow", f"ends: {execution.status}{why}")


def tell(records: Records) -> None:
    """Prints the story."""
    order, execution = records.order, records.execution
    at = f", in {execution.state}" if execution and execution.status == "RUNNING" else ""
    say(f"  {order.label}  {order.id}  {order.status}{at}")
    for fact in story(records):
        say(f"  {fact.moment}  {fact.about:8}  {fact.what}")
    for one in records.reservations:
        until = f" until {one.deadline}" if one.deadline else ""
        say(f"  {one.quantity} x {one.sku} at {one.location} {one.status}{until}")
    say(f"  {execution.arn}" if execution else "  There is no execution of its workflow.")
    if execution and execution.correlation_id:
        say(f"  correlation id {execution.correlation_id}")


def tell_all(executions: Iterable[Execution]) -> None:
    """Prints one line for each."""
    lines = [
        f"  {iso(one.started)}  {one.order_id}  {one.status:9}  {' > '.join(state for _, state in one.entered)}"
        for one in executions
    ]
    say("\n".join(lines) or "  There is none.")


def tell_briefly(orders: Iterable[Order]) -> None:
    """Prints one line for each, for whoever must choose."""
    for order in orders:
        say(f"  {order.placed_at}  {order.label}  {order.id}  {order.status}  {display(order.total, order.currency)}")
