"""Reads what the shop knows of an order. A handful of queries, no scan."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import count, product, takewhile
from typing import Any

from commerce.adapters.dynamodb import Table, fields
from commerce.adapters.outbox import Outbox
from commerce.inventory.actions import ledger_key
from commerce.inventory.model import Movement, Reservation
from commerce.orders.model import Order
from commerce.orders.repository import OrderRepository
from commerce.payments.repository import PaymentRepository
from tools.athena import ask
from tools.orders.story import Execution, Records
from tools.shops import Shop

LATEST = 20


def orders_of(shop: Shop) -> OrderRepository:
    """The shop's orders, to be read."""
    return OrderRepository(Table(shop.client("dynamodb"), shop.output("OrdersTable")), Outbox(""))


def read(shop: Shop, order_id: str, *, events: bool = False) -> Records:
    """Everything about the order; what went over the bus only if asked for, since Athena takes a while and a cent.

    Raises NotFound.
    """
    order = orders_of(shop).get(order_id)
    database = shop.client("dynamodb")
    table, inventory = (Table(database, shop.output(f"{name}Table")) for name in ("Orders", "Inventory"))
    return Records(
        order=order,
        payments=tuple(PaymentRepository(table).of(order_id)),
        movements=tuple(_movements(inventory, order)),
        reservations=tuple(
            Reservation.model_validate(fields(item))
            for item in inventory.query(f"ORDER#{order_id}", prefix="RESERVATION#")
        ),
        emails=tuple(table.query(f"ORDER#{order_id}", prefix="EMAIL#")),
        audit=tuple(Table(database, shop.output("AuditTable")).query(f"order#{order_id}")),
        execution=execution_of(shop, order_id),
        events=tuple(_events(shop, order_id)) if events else (),
    )


def _events(shop: Shop, order_id: str) -> Iterator[tuple[str, str, str]]:
    sql = f"SELECT DISTINCT occurred_at, type, id FROM events WHERE subject = '{order_id}'"
    for moment, kind, event_id in ask(shop, sql).rows:
        yield str(moment), str(kind), str(event_id)


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
                yield Movement.model_validate(fields(item))


def execution_of(shop: Shop, order_id: str) -> Execution | None:
    """The order's execution: named by its id, and where it was started over, by its id and a number.

    None where there is none (any more: AWS keeps them for 90 days).
    """
    return execution_in(shop.client("stepfunctions"), shop.output("StateMachineArn"), order_id)


def execution_in(states: Any, machine: str, order_id: str) -> Execution | None:
    """As `execution_of`, for who looks again and again."""
    return _last(_described(states, machine, name) for name in names_of(order_id))


def names_of(order_id: str) -> Iterator[str]:
    """The names of an order's executions: its id, and for each time that it was started over a number behind it."""
    return (order_id if number == 1 else f"{order_id}-{number}" for number in count(1))


def _last(found: Iterator[Execution | None]) -> Execution | None:
    known = list(takewhile(lambda one: one is not None, found))
    return known[-1] if known else None


def _described(states: Any, machine: str, name: str) -> Execution | None:
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        described = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return None
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return Execution(
        order_id=name.partition("-")[0],
        arn=arn,
        error=" ".join(described[name] for name in ("error", "cause") if described.get(name)),
        status=described["status"],
        started=described["startDate"],
        ended=described.get("stopDate"),
        entered=tuple(_entered(pages)),
        correlation_id=json.loads(described["input"]).get("correlation_id", ""),
    )


def _entered(pages: Any) -> Iterator[tuple[datetime, str]]:
    for event in (event for page in pages for event in page["events"]):
        if "stateEnteredEventDetails" in event:
            yield event["timestamp"], event["stateEnteredEventDetails"]["name"]


def latest(shop: Shop, status: str | None) -> list[Execution]:
    """The latest executions (in this status, such as FAILED), the newest first."""
    only = {"statusFilter": status} if status else {}
    states, machine = shop.client("stepfunctions"), shop.output("StateMachineArn")
    listed = states.list_executions(stateMachineArn=machine, maxResults=LATEST, **only)
    found = (_described(states, machine, one["name"]) for one in listed["executions"])
    return sorted((one for one in found if one), key=lambda one: one.started, reverse=True)
