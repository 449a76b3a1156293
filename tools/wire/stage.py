"""The shop as the stories find it: goods on its shelves, staff signed in, a witness on its bus, time that moves."""

import contextlib
import functools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import uuid4

import httpx
from botocore.exceptions import HTTPClientError

from commerce.adapters.dynamodb import from_item
from commerce.clock import iso
from commerce.orders.model import Order
from tools.demo.actors import Shopper, Staff
from tools.demo.watch import until
from tools.local.calls import LOCAL
from tools.local.instance import Instance
from tools.local.staff import token
from tools.wire.books import aws, event_id, items, order_of
from tools.wire.line import Line
from tools.wire.people import Journal, Patient
from tools.wire.routing import functions

Double = Literal["stripe", "carrier"]
DOUBLES: tuple[Double, ...] = get_args(Double)
PLENTY = 1_000_000
MAIN, ANNEX = "main", "annex"
"""The shop's locations, see config/local.toml."""
SIGNED_IN_SECONDS = 1800
"""Staff sign in again after so long: their tokens live for an hour."""


@dataclass(frozen=True)
class Goods:
    """How many SKUs all stories buy of, and how many are there for one story at a time."""

    shared: int = 6
    scarce: int = 10


COMES_AGAIN_AFTER = 6
"""Seconds after which a message that could not be worked on comes again; on AWS it is minutes."""
_MANY = httpx.Limits(max_connections=100, max_keepalive_connections=50)


@dataclass
class Stage:
    """One local shop, for as long as stories are played on it."""

    instance: Instance
    line: Line
    witness: "Witness"
    shared: Sequence[str] = ()
    distant: str = ""
    """A SKU that lies in the annex alone."""
    scarce: Sequence[str] = ()
    transport: httpx.BaseTransport = field(default_factory=lambda: httpx.HTTPTransport(verify=False, limits=_MANY))
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By group: the token, and until when it is used, in the clock's seconds."""
    _reconciling: threading.Lock = field(default_factory=threading.Lock)

    def staff(self, group: str, http: httpx.Client) -> Staff:
        """Somebody of the group, signed in for longer than any story takes."""
        known, expires = self._tokens.get(group, ("", 0.0))
        if expires < time.monotonic():
            known = token(self.instance, group)
            self._tokens[group] = known, time.monotonic() + SIGNED_IN_SECONDS
        return Staff(http, known)

    def client(self, journal: Journal, tries: int | None = None) -> httpx.Client:
        """Somebody's connection to the shop, who writes down what they do there."""
        patience = {"tries": tries} if tries else {}
        transport = Patient(self.transport, journal, **patience)
        return httpx.Client(base_url=self.instance.url, timeout=60, transport=transport)

    def order(self, order_id: str) -> Order | None:
        """The order as it is stored; None before there is one."""
        answer = aws(self.instance, "dynamodb").get_item(
            TableName=self.instance.output("OrdersTable"), Key=_key(order_id), ConsistentRead=True
        )
        return order_of(from_item(answer["Item"])) if "Item" in answer else None

    def fill_shelves(self) -> None:
        """There is plenty of what all stories buy of, whoever else bought or counted it meanwhile."""
        for sku in self.shared:
            self.leave_in_stock(sku, PLENTY)
        self.leave_in_stock(self.distant, PLENTY, at=ANNEX)

    def expire_hold(self, order_id: str) -> None:
        """Lets the time pass for which the order's stock is held: it was placed an hour ago, before all others."""
        past = datetime.now(UTC) - timedelta(hours=1)
        aws(self.instance, "dynamodb").update_item(
            TableName=self.instance.output("OrdersTable"),
            Key=_key(order_id),
            UpdateExpression="SET placed_at = :placed, hold_until = :until",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={
                ":placed": {"S": iso(past)},
                ":until": {"S": iso(past + timedelta(minutes=15))},
            },
        )

    def reconcile(self) -> None:
        """The reconciler, which comes every minute, comes now, unless it is there already. Nobody waits for ever."""
        if self._reconciling.acquire(blocking=False):
            try:
                with contextlib.suppress(HTTPClientError):
                    aws(self.instance, "lambda").invoke(FunctionName=self._reconciler, Payload=b"{}")
            finally:
                self._reconciling.release()

    @functools.cached_property
    def _reconciler(self) -> str:
        return str(functions(self.instance)["reconcile"]["FunctionName"])

    def send_again(self) -> int:
        """What an operator does about work that was given up, once its cause is mended. Answers how much it was."""
        queues = aws(self.instance, "sqs")
        moved = 0
        for work, parked in self._work_queues.items():
            for message in _drain(queues, parked):
                queues.send_message(QueueUrl=work, MessageBody=message)
                moved += 1
        return moved

    @functools.cached_property
    def _work_queues(self) -> dict[str, str]:
        """The queues that functions work on, with those where what they gave up is parked."""
        queues = aws(self.instance, "sqs")
        found = {}
        for url in queues.list_queues().get("QueueUrls", []):
            policy = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
            if redrive := policy.get("Attributes", {}).get("RedrivePolicy"):
                parked = json.loads(redrive)["deadLetterTargetArn"].rpartition(":")[2]
                found[url] = queues.get_queue_url(QueueName=parked)["QueueUrl"]
        return found

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """A message that comes again after minutes on AWS comes again after seconds, until the block ends."""
        queues = aws(self.instance, "sqs")
        asked = {"AttributeNames": ["VisibilityTimeout"]}
        before = {
            url: queues.get_queue_attributes(QueueUrl=url, **asked)["Attributes"]["VisibilityTimeout"]
            for url in self._work_queues
        }
        try:
            for url in before:
                queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(COMES_AGAIN_AFTER)})
            yield
        finally:
            for url, seconds in before.items():
                queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": seconds})

    def leave_in_stock(self, sku: str, units: int, at: str = MAIN) -> None:
        """So many units of the SKU are free at the location, and none elsewhere."""
        warehouse = self.staff("warehouse", self.client(Journal()))
        free = {place["location"]: place["available"] for place in warehouse.get(f"/stock/{sku}")["locations"]}
        for location in (MAIN, ANNEX):
            if missing := units * (location == at) - free.get(location, 0):
                body = {"quantity": missing, "reason": f"campaign {uuid4()}", "location": location}
                warehouse.post(f"/stock/{sku}/adjustments", body)

    def control(self, double: Double, what: str, body: dict[str, Any] | None = None) -> Any:
        """Asks something of a double's control (docs/payments.md), or with a `body` wants something done."""
        base = self.instance.stripe_url if double == "stripe" else self.instance.carrier_url
        method = "GET" if body is None else "POST"
        answer = LOCAL.request(method, f"{base}/_double/{what}", json=body)
        return answer.raise_for_status().json()


def _key(order_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "ORDER"}}


def _drain(queues: Any, url: str) -> Iterator[str]:
    """All messages of a queue, taken out of it."""
    while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield message["Body"]


class Witness:
    """Sees every event that is on the bus, by a rule and a queue of its own, and of none of the shop's code."""

    _NAME = "campaign-witness"

    def __init__(self, instance: Instance) -> None:
        self._events, self._queues = aws(instance, "events"), aws(instance, "sqs")
        self._bus = instance.output("EventBusName")
        # What was published before is not for this witness to see.
        self._seen = {item["pk"].removeprefix("EVENT#") for item in items(instance, "OutboxTable")}

    def __enter__(self) -> "Witness":
        self._url = self._queues.create_queue(QueueName=self._NAME)["QueueUrl"]
        arn = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        pattern = json.dumps({"source": [{"prefix": ""}]})
        self._events.put_rule(Name=self._NAME, EventBusName=self._bus, EventPattern=pattern)
        target = {"Id": self._NAME, "Arn": arn["Attributes"]["QueueArn"]}
        self._events.put_targets(Rule=self._NAME, EventBusName=self._bus, Targets=[target])
        return self

    def __exit__(self, *_: object) -> None:
        self._events.remove_targets(Rule=self._NAME, EventBusName=self._bus, Ids=[self._NAME])
        self._events.delete_rule(Name=self._NAME, EventBusName=self._bus)
        self._queues.delete_queue(QueueUrl=self._url)

    def seen(self) -> set[str]:
        """The ids of all events that were on the bus so far."""
        self._seen.update(event_id(message) for message in _drain(self._queues, self._url))
        return self._seen


@contextlib.contextmanager
def stage(instance: Instance, line: Line, goods: Goods = Goods()) -> Iterator[Stage]:
    """The shop, stocked and hurried; as before when the block ends, but for what was bought."""
    with Witness(instance) as witness:
        made = Stage(instance, line, witness)
        shopper, wanted = Shopper(made.client(Journal())), goods.shared + 1 + goods.scarce

        def listed() -> list[str] | None:
            found = shopper.some_skus(wanted)
            return found if len(found) == wanted else None

        # A catalogue that was imported just now is listed by and by.
        skus = until("enough products to buy", listed, patience=300, pause=2)
        made.shared, made.distant, made.scarce = skus[: goods.shared], skus[goods.shared], skus[goods.shared + 1 :]
        made.fill_shelves()
        with made.hurried():
            yield made
