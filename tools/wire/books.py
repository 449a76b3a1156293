"""The books of a local shop, read over boto3 and from the doubles, and what must hold in them once nothing moves.

The rules are the invariants of a shop that loses nothing: I1 stock, I2 money, I3 one order per checkout, I4 holds, I5
e-mails, I6 ends, I8 events, I9 executions, I11 refunds. Each rule answers what breaks it; in sound books nothing does.
"""

import functools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from commerce.adapters.dynamodb import from_item
from commerce.orders.model import TERMINAL, Order
from commerce.payments.model import PaymentEvent, balance
from commerce.reconciliation.model import GRACE
from tools.local.calls import LOCAL
from tools.local.instance import Instance
from tools.stock_check import accounts

Item = dict[str, Any]
Sums = Mapping[str, tuple[int, int, int]]
"""By order id: what is held, what was captured, what was refunded."""

PAID = {"confirmed", "picked", "packed", "ready_to_ship", "shipped", "delivered"}
WAITS_IN = {
    "pending_payment": "AwaitPayment",
    "confirmed": "AwaitWarehouse",
    "picked": "AwaitWarehouse",
    "packed": "AwaitWarehouse",
    "shipped": "AwaitDelivery",
}
"""Where the workflow waits with an order in this status. One that is ready to ship or at its end waits for nobody."""
RECONCILED_WITHIN = timedelta(minutes=1)
_LABEL = re.compile(r"TP-\w{8}")


@dataclass(frozen=True)
class Wrong:
    """What breaks an invariant: `about` is an order's id, a SKU's place or an event's id."""

    invariant: str
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.about}: {self.what}"




@functools.cache
def aws(instance: Instance, service: str) -> Any:
    """The process's one client of `service`: to make one takes longer than most calls."""
    return instance.client(service)


def items(instance: Instance, table: str) -> Iterator[Item]:
    """Everything in one of the shop's tables, named by its output."""
    pages = aws(instance, "dynamodb").get_paginator("scan").paginate(TableName=instance.output(table))
    return (from_item(item) for page in pages for item in page["Items"])


def order_of(item: Item) -> Order:
    """The order in its item, whatever indexes have put beside it."""
    return Order.model_validate({name: value for name, value in item.items() if name in Order.model_fields})


@dataclass(frozen=True)
class Books:
    """All that the shop has written down, and what the payment provider and the mailbox say, at one moment."""

    orders: Mapping[str, Order]
    ledger: Sums
    charged: Sums
    claims: Mapping[str, tuple[Item, ...]]
    """By order id: the e-mails that were to be sent."""
    letters: Mapping[str, Counter[tuple[str, str]]]
    """By order label: how often each (subject, text) was sent."""
    inventory: tuple[Item, ...]
    events: Mapping[str, str]
    """The outbox: types of events by their id."""

    @classmethod
    def read(cls, instance: Instance) -> "Books":
        """The books as they are. The provider is asked last: what it was told of must stand in the ledger already."""
        orders: dict[str, Order] = {}
        news: dict[str, list[PaymentEvent]] = defaultdict(list)
        claims: dict[str, list[Item]] = defaultdict(list)
        for item in items(instance, "OrdersTable"):
            order_id, kind = item.pop("pk").removeprefix("ORDER#"), item.pop("sk")
            if kind == "ORDER":
                orders[order_id] = order_of(item)
            elif kind.startswith("PAYMENT#"):
                news[order_id].append(PaymentEvent.model_validate(item))
            elif kind.startswith("EMAIL#"):
                claims[order_id].append({**item, "kind": kind.split("#")[1]})
        sums = {order_id: balance(events) for order_id, events in news.items()}
        return cls(
            orders=orders,
            ledger=_moved({order_id: (one.held, one.captured, one.refunded) for order_id, one in sums.items()}),
            claims={order_id: tuple(found) for order_id, found in claims.items()},
            letters=_letters(instance),
            inventory=tuple(items(instance, "InventoryTable")),
            events={
                item["pk"].removeprefix("EVENT#"): item["detail_type"] for item in items(instance, "OutboxTable")
            },
            charged=_moved(_charged(instance)),
        )


def _charged(instance: Instance) -> Sums:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for charge in LOCAL.get(f"{instance.stripe_url}/_double/charges").json():
        for position, name in enumerate(("held", "captured", "refunded")):
            sums[charge["order_id"]][position] += charge[name]
    return {order_id: (held, captured, refunded) for order_id, (held, captured, refunded) in sums.items()}


def _moved(sums: Sums) -> Sums:
    return {order_id: three for order_id, three in sums.items() if any(three)}


def _letters(instance: Instance) -> dict[str, Counter[tuple[str, str]]]:
    found: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    sent = LOCAL.get(f"{instance.aws_url}/_ministack/ses/messages").json()["messages"]
    for message in (message for messages in sent.values() for message in messages):
        if label := _LABEL.search(message["Subject"]):
            found[label[0]][message["Subject"], message["BodyText"]] += 1
    return found


def stock(books: Books) -> Iterator[Wrong]:
    """I1: every shelf holds what its movements sum to and what orders were promised."""
    for shelf, account in accounts(books.inventory).items():
        yield from (Wrong("I1", f"{shelf.sku} at {shelf.place}", fault) for fault in account.faults)
        if account.on_hand < account.available:
            yield Wrong("I1", f"{shelf.sku} at {shelf.place}", f"{account.available} available of {account.on_hand}")


def money(books: Books) -> Iterator[Wrong]:
    """I2 and I11: what moved at the provider is what the ledger says, and no more goes back than came."""
    for order_id in books.charged.keys() | books.ledger.keys():
        charged, written = books.charged.get(order_id), books.ledger.get(order_id)
        if charged != written:
            both = f"{charged} at the provider, {written} in the ledger"
            yield Wrong("I2", order_id, f"(held, captured, refunded): {both}")
        _, captured, refunded = charged or (0, 0, 0)
        if refunded > captured:
            yield Wrong("I11", order_id, f"{refunded} went back of {captured}")
        if order_id not in books.orders:
            yield Wrong("I2", order_id, f"money moved, and there is no such order: {charged}")


def standing(books: Books) -> Iterator[Wrong]:
    """I2: an order that stands is paid in full; of one that ended badly nothing is left with the shop."""
    for order in books.orders.values():
        held, captured, refunded = books.charged.get(order.id, (0, 0, 0))
        sound = held + captured == order.total if order.status in PAID else (held, captured) == (0, refunded)
        if not sound:
            figures = f"{held} held, {captured} captured, {refunded} refunded of {order.total}"
            yield Wrong("I2", order.id, f"the order is {order.status}, and there are {figures}")


def checkouts(books: Books) -> Iterator[Wrong]:
    """I3: of all orders that a checkout's attempts led to, at most one stands."""
    standing = Counter(order.checkout_id for order in books.orders.values() if order.status != "canceled")
    yield from (Wrong("I3", checkout, f"{count} orders stand") for checkout, count in standing.items() if count > 1)


def holds(books: Books) -> Iterator[Wrong]:
    """I4: no order waits for its payment beyond its hold and a run of the reconciler, none that ended holds stock."""
    now = datetime.now(UTC)
    for order in books.orders.values():
        if order.status == "pending_payment":
            late = now - datetime.fromisoformat(order.hold_until) - GRACE - RECONCILED_WITHIN
            if late > timedelta(0):
                yield Wrong("I4", order.id, f"its hold passed {late} ago")
    for item in books.inventory:
        if item["sk"].startswith("RESERVATION#") and item["status"] == "reserved":
            holder = books.orders.get(item["pk"].removeprefix("ORDER#"))
            if holder is None or holder.status in TERMINAL:
                yield Wrong("I4", item["pk"], f"holds stock, and is {holder.status if holder else 'no order'}")


def discounts(books: Books) -> Iterator[Wrong]:
    """Each counted use of a discount is that of an order that was not canceled."""
    uses: Counter[tuple[str, str]] = Counter()
    for order in books.orders.values():
        for one in order.discounts if order.status != "canceled" else ():
            uses[f"DISCOUNT#{one.code}", "DISCOUNT"] += one.counted
            uses[f"BUYER#{order.buyer_key}", f"DISCOUNT#{one.code}"] += one.counted_for_buyer
    for item in books.inventory:
        if "uses" in item and item["uses"] != (has := uses[item["pk"], item["sk"]]):
            yield Wrong("discounts", item["pk"], f"{has} orders have it, and {item['uses']} uses were counted")


def letters(books: Books) -> Iterator[Wrong]:
    """I5: each e-mail left at most once, and those of an order's end exactly once.

    One whose fate is unknown (a claim without `sent_at`) may have left or not. Two refunds of one amount read the same.
    To a buyer who was erased meanwhile nobody can write any more.
    """
    for order in books.orders.values():
        claims, sent = books.claims.get(order.id, ()), books.letters.get(order.label, Counter())
        most = max(Counter(claim["kind"] for claim in claims).values(), default=0)
        for (subject, _), copies in sent.items():
            if copies > most:
                yield Wrong("I5", order.id, f"{subject!r} was sent {copies} times")
        certain = sum("sent_at" in claim for claim in claims)
        if not certain <= sent.total() <= len(claims):
            yield Wrong("I5", order.id, f"{sent.total()} e-mails left, {len(claims)} were due, {certain} noted as sent")
        if order.status in ("delivered", "lost"):
            told = sum(claim["kind"] == f"order_{order.status}" for claim in claims)
            if told != 1 and not (told == 0 and order.erased_at):
                yield Wrong("I5", order.id, f"the order is {order.status}, and {told} e-mails say so")


RULES = (stock, money, standing, checkouts, holds, discounts, letters)


def wrongs(books: Books) -> list[Wrong]:
    """Everything that breaks a rule that the books alone can tell."""
    return [wrong for rule in RULES for wrong in rule(books)]


def published(books: Books, seen: Iterable[str]) -> Iterator[Wrong]:
    """I8: whatever is in the outbox was on the bus; `seen` are the ids of the events that were."""
    there = set(seen)
    for event_id, type_ in books.events.items():
        if event_id not in there:
            yield Wrong("I8", event_id, f"{type_} never reached the bus")


def executions(books: Books, instance: Instance, order_ids: Iterable[str]) -> Iterator[Wrong]:
    """I6 and I9: an order at its end has an execution that succeeded; another one an execution with a live wait."""
    states = aws(instance, "stepfunctions")
    machine = instance.output("StateMachineArn").replace(":stateMachine:", ":execution:")
    for order in (books.orders[order_id] for order_id in order_ids if order_id in books.orders):
        try:
            status = states.describe_execution(executionArn=f"{machine}:{order.id}")["status"]
        except states.exceptions.ExecutionDoesNotExist:
            yield Wrong("I9", order.id, f"the order is {order.status} and has no execution")
            continue
        if order.status in TERMINAL:
            if status != "SUCCEEDED":
                yield Wrong("I9", order.id, f"the order is {order.status}, its execution {status}")
            if order.status == "delivered" and not order.settled:
                yield Wrong("I6", order.id, "delivered and not settled")
        elif status != "RUNNING" or order.task_state != WAITS_IN.get(order.status) or not _lives(states, order):
            where = f"{status} with the token of {order.task_state}"
            yield Wrong("I9", order.id, f"the order is {order.status}, its execution {where}: nobody waits for it")


def _lives(states: Any, order: Order) -> bool:
    """Whether somebody waits under the order's token: only a live one takes a heartbeat."""
    if order.task_token is None:
        return False
    try:
        states.send_task_heartbeat(taskToken=order.task_token)
    except ClientError:
        return False
    return True


def event_id(message: str) -> str:
    """The id of the shop's event in a message of the bus, as EventBridge words it."""
    return str(json.loads(message)["detail"]["id"])
