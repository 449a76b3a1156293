"""What operators ask about orders: `make executions`, and one order's story, `make order ID=…` or `LABEL=…`.

It only reads. The story shows no names and addresses, so it can be passed on.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from botocore.exceptions import BotoCoreError, ClientError

from commerce.adapters.dynamodb import Item, Table
from commerce.adapters.outbox import Outbox
from commerce.clock import iso
from commerce.errors import CommerceError
from commerce.inventory.model import Movement
from commerce.inventory.repository import ledger_key
from commerce.money import display
from commerce.orders.model import Order
from commerce.orders.repository import OrderRepository
from commerce.payments.model import PaymentEvent
from commerce.payments.repository import PaymentRepository
from tools.athena import ask
from tools.local.steps import Stop, complain, say
from tools.shops import Shop, choose, chosen

LATEST = 20


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
    emails: tuple[Item, ...]
    audit: tuple[Item, ...]
    execution: Execution | None


def story(records: Records) -> list[Fact]:
    """The facts, the oldest first. The carrier's news have the time that the carrier says."""
    facts = (
        *_of_order(records.order),
        *_of_money(records.payments),
        *(_of_stock(movement) for movement in records.movements),
        *(_of_staff(entry) for entry in records.audit),
        *_of_workflow(records.execution),
        *(_of_email(claim) for claim in records.emails),
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


def read(shop: Shop, order_id: str) -> Records:
    """Everything about the order. Raises NotFound. A handful of queries, no scan."""
    database = shop.client("dynamodb")
    table = Table(database, shop.output("OrdersTable"))
    order = OrderRepository(table, Outbox("")).get(order_id)
    payments = tuple(PaymentRepository(table).of(order_id))
    audit = tuple(Table(database, shop.output("AuditTable")).query(f"order#{order_id}"))
    return Records(
        order=order,
        payments=payments,
        movements=tuple(_movements(Table(database, shop.output("InventoryTable")), order)),
        emails=tuple(table.query(f"ORDER#{order_id}", prefix="EMAIL#")),
        audit=audit,
        execution=_execution(shop, order_id),
    )


def _movements(inventory: Table, order: Order) -> Iterator[Movement]:
    """Stock moves in the transaction that changes the order, so its ledger is asked for those very moments."""
    changes = {*(event.occurred_at for event in order.events), *(one.occurred_at for one in order.adjustments)}
    moments = sorted({order.placed_at, *changes})
    causes = {order.id, *(adjustment.id for adjustment in order.adjustments)}
    rows = {(line.sku, 0) for line in order.lines}
    rows |= {(line.sku, allocation.shard) for line in order.lines for allocation in line.allocations}
    for (sku, shard), moment in product(sorted(rows), moments):
        for item in inventory.query(ledger_key(sku, moment[:7], shard), prefix=f"{moment}#"):
            if item["reference"] in causes:
                yield Movement.model_validate({name: item[name] for name in item if name not in ("pk", "sk")})


def _execution(shop: Shop, order_id: str) -> Execution | None:
    """An execution is named by its order. None where there is none (any more: AWS keeps them for 90 days)."""
    states = shop.client("stepfunctions")
    arn = f"{shop.output('StateMachineArn').replace(':stateMachine:', ':execution:')}:{order_id}"
    try:
        described = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return None
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return Execution(
        order_id=order_id,
        arn=arn,
        error=" ".join(described[name] for name in ("error", "cause") if described.get(name)),
        status=described["status"],
        started=described["startDate"],
        ended=described.get("stopDate"),
        entered=tuple(
            (event["timestamp"], event["stateEnteredEventDetails"]["name"])
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ),
    )


def latest(shop: Shop, status: str | None) -> list[Execution]:
    """The latest executions (in this status, such as FAILED), the newest first."""
    only = {"statusFilter": status} if status else {}
    machine = shop.output("StateMachineArn")
    listed = shop.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=LATEST, **only)
    found = (_execution(shop, one["name"]) for one in listed["executions"])
    return sorted((one for one in found if one), key=lambda one: one.started, reverse=True)


def named(shop: Shop, label: str) -> str:
    """The id of the order with this label, from the events: no table knows labels. Raises Stop."""
    if not re.fullmatch(r"TP-[0-9A-Z]{8}", label.upper()):
        raise Stop(f"{label} is no label of an order; one looks like TP-7K2M9QXA")
    begins = f"order_{label[3:].lower()}"
    answer = ask(shop, f"SELECT DISTINCT subject FROM events WHERE substr(subject, 1, {len(begins)}) = '{begins}'")
    found = [row[0] for row in answer.rows if row[0]]
    if not found:
        raise Stop(f"No event tells of {label}; those of the last two minutes are not there yet")
    if len(found) > 1:
        raise Stop(f"{label} is the label of several orders: make order ID={' or ID='.join(found)}")
    return found[0]


def tell(records: Records) -> None:
    """Prints the story."""
    order, execution = records.order, records.execution
    at = f", in {execution.state}" if execution and execution.status == "RUNNING" else ""
    say(f"  {order.label}  {order.id}  {order.status}{at}")
    for fact in story(records):
        say(f"  {fact.moment}  {fact.about:8}  {fact.what}")
    say(f"  {execution.arn}" if execution else "  There is no execution of its workflow.")


def table(executions: list[Execution]) -> None:
    """Prints one line for each."""
    for one in executions:
        entered = " > ".join(state for _, state in one.entered)
        say(f"  {iso(one.started)}  {one.order_id}  {one.status:9}  {entered}")
    if not executions:
        say("  There is none.")


def main() -> int:
    """One of the two commands. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.orders", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("executions", help="how far the latest orders have come")
    listing.add_argument("--status", choices=("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"))
    one = commands.add_parser("show", help="all that happened to an order")
    one.add_argument("order", help="its id, or its label")
    for command in (listing, one):
        choose(command)
    options = parser.parse_args()
    try:
        shop = chosen(options)
        if options.command == "executions":
            table(latest(shop, options.status))
        else:
            by_id = options.order.startswith("order_")
            tell(read(shop, options.order if by_id else named(shop, options.order)))
    except (Stop, LookupError, CommerceError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
