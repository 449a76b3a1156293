"""What each kind of alarm rings for, brought about in the local shop and undone again.

A cause is a context: inside, what the alarm rings for is so, and it yields what was seen, and what stands for the
placeholders of the runbook's commands.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import httpx

from commerce.adapters.sharding import shard_of
from commerce.clock import now
from commerce.events import DeliveryOverdue, OrderEvent, PaymentRefundFailed, at, detail
from commerce.ids import order_id_for
from tools.demo.actors import CARD_WITH_3DS
from tools.demo.watch import until
from tools.drill.alarms import COMPOSITE
from tools.drill.stage import PREFIX, Stage
from tools.orders.records import execution_of, read
from tools.wire.books import items


@dataclass(frozen=True)
class Seen:
    """What was seen while the cause lasted."""

    evidence: str
    names: Mapping[str, str] = field(default_factory=dict)
    """What the runbook's `<placeholders>` stand for."""


Cause = Callable[[Stage], AbstractContextManager[Seen]]


@contextmanager
def dead_letter(stage: Stage) -> Iterator[Seen]:
    """Poison: messages that are no events, tried five times. One is read by the page's command, the other deleted."""
    sqs = stage.client("sqs")
    queue, parked = (stage.physical("events", f"SendEmailQueue{part}") for part in ("", "Parked"))
    patience = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})
    try:
        for _ in range(2):
            sqs.send_message(QueueUrl=queue, MessageBody="no event")
        until("the dead letters", lambda: stage.waiting(parked) == 2)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=patience)
    arn = sqs.get_queue_attributes(QueueUrl=parked, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    letter = sqs.receive_message(QueueUrl=parked, VisibilityTimeout=300)["Messages"][0]
    try:
        yield Seen(
            "two messages that are no events were tried five times, and lie in the parked queue of send_email",
            {
                "url": parked,
                "the parked queue's ARN": arn,
                "event id": _an_event(stage),
                "of the message": letter["ReceiptHandle"],
            },
        )
    finally:
        for one in (queue, parked):
            sqs.purge_queue(QueueUrl=one)


def _an_event(stage: Stage) -> str:
    """The id of an event that the outbox has."""
    event = next(items(stage.instance, "OutboxTable"), None)
    if event is None:
        stage.buy()
        event = next(items(stage.instance, "OutboxTable"))
    return str(event["pk"].removeprefix("EVENT#"))


@contextmanager
def backlog(stage: Stage) -> Iterator[Seen]:
    """Nobody works on a queue."""
    queue = stage.physical("events", "SendEmailQueue")
    with stage.cut_off("send-email"):
        stage.buy()
        until("a waiting message", lambda: stage.waiting(queue))
        yield Seen("an order's e-mail waits in the queue of send_email, on which nobody works")
    until("the drained queue", lambda: stage.waiting(queue) == 0)


@contextmanager
def failing_function(stage: Stage) -> Iterator[Seen]:
    """A function is called about an order that is not there."""
    failed = stage.invoke("settle-order", {"order_id": "order_of_nobody"})
    assert "FunctionError" in failed, failed
    error = failed["Payload"]["errorType"]
    yield Seen(f"settle_order ended with {error}: it was asked about an order that is not there")


@contextmanager
def lag(stage: Stage) -> Iterator[Seen]:
    """Nobody reads a stream."""

    def unpublished() -> list[str]:
        return [item["pk"] for item in items(stage.instance, "OutboxTable") if "unpublished" in item]

    with stage.cut_off("relay-outbox") as mapping:
        stage.buy()
        until("events that wait", unpublished)
        yield Seen(f"{len(unpublished())} events wait in the outbox, whose stream nobody reads", {"UUID": mapping})
    until("the published events", lambda: not unpublished())


@contextmanager
def held_back(stage: Stage) -> Iterator[Seen]:
    """A function that may have no instance."""
    with stage.held_back("docs"):
        try:
            stage.invoke("docs")
        except stage.client("lambda").exceptions.TooManyRequestsException:
            yield Seen("Lambda refused to run docs, which may have no instance")
            return
        raise AssertionError("Lambda ran a function that may have no instance")


def server_errors(function: str, method: str, path: str) -> Cause:
    """Requests that are answered 5xx, because their function lacks a part of its environment."""

    @contextmanager
    def cause(stage: Stage) -> Iterator[Seen]:
        with stage.without_settings(function):
            statuses = [stage.ask(method, path) for _ in range(5)]
            assert all(status >= 500 for status in statuses), statuses
            status, asked = statuses[0], f"{method} {path}"
            yield Seen(f"five times {asked} was answered {status}: {function} has no settings to start with")
        until("the shop in good health", lambda: stage.ask(method, path) < 500)

    return cause


@contextmanager
def silent_reconciler(stage: Stage) -> Iterator[Seen]:
    """Somebody switched the rule off."""
    events = stage.client("events")
    rule = stage.physical("workflow", "Reconciliation").split("|")[-1]
    events.disable_rule(Name=rule)
    try:
        assert events.describe_rule(Name=rule)["State"] == "DISABLED"
        why = "the rule that calls the reconciler is off; the quarter of an hour is not waited for"
        yield Seen(why, {"the rule": rule})
    finally:
        events.enable_rule(Name=rule)


@contextmanager
def failed_execution(stage: Stage) -> Iterator[Seen]:
    """An order that the workflow's tasks do not find. The pauses between their attempts are left out."""
    with _without_pauses(stage):
        states = stage.client("stepfunctions")
        started = states.start_execution(
            stateMachineArn=stage.instance.output("StateMachineArn"), input=json.dumps({"order_id": "order_of_nobody"})
        )
        arn = started["executionArn"]
        until("the failure", lambda: states.describe_execution(executionArn=arn)["status"] == "FAILED")
    order_id = halted(stage)
    yield Seen(
        "an execution failed after nine attempts of ShipOrder at an order that is not there",
        {"the execution's ARN": arn, "ARN": arn, "order id": order_id},
    )


@contextmanager
def _without_pauses(stage: Stage) -> Iterator[None]:
    def scale(value: float) -> None:
        told = {"stepfunctions._SFN_WAIT_SCALE": value}
        httpx.post(f"{stage.instance.aws_url}/_ministack/config", json=told, timeout=30).raise_for_status()

    scale(0)
    try:
        yield
    finally:
        scale(1)


@contextmanager
def mended(stage: Stage) -> Iterator[Seen]:
    """A payment of which the webhook got lost."""
    shopper = stage.people.shopper
    with httpx.Client(base_url=f"{stage.instance.stripe_url}/_double", timeout=60) as stripe:
        stripe.post("/webhooks/hold", json={})
        try:
            checkout = shopper.checkout((shopper.some_skus(1)[0], 1))
            waiting = shopper.complete(checkout, CARD_WITH_3DS)
            httpx.post(waiting["continue_url"], data={"outcome": "complete"}, timeout=30)
            stage.is_older(order_id_for(checkout["id"], attempt=1), minutes=3)
            found = stage.invoke("reconcile")["Payload"]
        finally:
            stripe.post("/webhooks/release", json={})
    assert found["mended"], found
    yield Seen(f"the reconciler mended {found['mended']}: a payment whose webhook did not come")


@contextmanager
def left(stage: Stage) -> Iterator[Seen]:
    """An order that moved on hours ago, while its execution was ended by hand."""
    order_id = halted(stage)
    stage.is_older(order_id, minutes=120, ahead=str(shard_of(order_id)), task_state="AwaitPayment")
    found = stage.invoke("reconcile")["Payload"]
    assert found["left"], found
    yield Seen(
        f"the reconciler left {found['left']}: an order stands still whose execution was ended by hand",
        {"order id": order_id},
    )


def halted(stage: Stage) -> str:
    """An order that stands still: its execution was ended by hand. Answers its id."""
    order_id = stage.buy()
    until("the warehouse's turn", lambda: read(stage.instance, order_id).order.task_state == "AwaitWarehouse")
    execution = execution_of(stage.instance, order_id)
    assert execution is not None
    stage.client("stepfunctions").stop_execution(executionArn=execution.arn, error="Drill", cause="ended by hand")
    return order_id


def told(kind: type[OrderEvent], why: str, **fields: object) -> Cause:
    """An event on the bus, put there as the shop puts it, about an order that stands still."""

    @contextmanager
    def cause(stage: Stage) -> Iterator[Seen]:
        order_id = halted(stage)
        order = read(stage.instance, order_id).order
        event = kind(occurred_at=at(now()), subject=order_id, currency=order.currency, total=order.total, **fields)
        entry = {
            "EventBusName": f"{PREFIX}-events",
            "Source": "tradepost",
            "DetailType": kind.type,
            "Detail": json.dumps(detail(event)),
        }
        answer = stage.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        yield Seen(why, {"order id": order_id})

    return cause


_OVERDUE = told(
    DeliveryOverdue, "the event of a silent carrier is on the bus; the deadline itself, a week, is not waited for"
)

CAUSES: Mapping[str, Cause] = {
    "AWS/SQS ApproximateNumberOfMessagesVisible": dead_letter,
    "AWS/SQS ApproximateAgeOfOldestMessage": backlog,
    "AWS/Lambda Errors": failing_function,
    "AWS/Lambda IteratorAge": lag,
    "AWS/Lambda Throttles": held_back,
    "AWS/Lambda Invocations": silent_reconciler,
    "AWS/ApiGateway 5xx": server_errors("catalog", "GET", "/categories"),
    "AWS/States ExecutionsFailed": failed_execution,
    "Tradepost BrowseMissed": server_errors("catalog", "GET", "/products"),
    "Tradepost CheckoutMissed": server_errors("carts", "POST", "/carts"),
    "Tradepost DeliveryMissed": _OVERDUE,
    "Tradepost FindingsMended": mended,
    "Tradepost FindingsLeft": left,
    COMPOSITE: server_errors("catalog", "GET", "/products"),
    "notice order.delivery_overdue": _OVERDUE,
    "notice payment.refund_failed": told(
        PaymentRefundFailed,
        "the event of a refund that the bank sent back is on the bus",
        refund_id="refund_drill",
        amount=100,
        reason="support",
    ),
}
"""By the kind of alarm."""

NOT_POSSIBLE: Mapping[str, str] = {
    "AWS/States ExecutionsTimedOut": "the local AWS knows no time limit of a whole execution",
    "AWS/DynamoDB ReadThrottleEvents": "the local tables refuse nobody; make campaign plays refused reads",
    "AWS/DynamoDB WriteThrottleEvents": "the local tables refuse nobody; make campaign plays refused writes",
    "AWS/Events InvocationsFailedToBeSentToDlq": "the local bus has no dead letters for targets of rules",
    "AWS/Firehose DeliveryToS3.DataFreshness": "the local Firehose writes each record at once, or refuses it",
}
"""Kinds whose cause a laptop cannot bring about, and why."""
