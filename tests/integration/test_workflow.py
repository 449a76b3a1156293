"""The definition of `checkout_to_delivery` itself, run by the local AWS.

Its three functions are stand-ins that answer from the order, as the real ones do; the orders are written by the real
repository, and the workflow is started and woken by the real adapter.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import local_aws
from builders.fulfilment import NOW, from_two_places, label, order, parcels
from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table
from commerce.adapters.outbox import Outbox
from commerce.adapters.sealing import Seals
from commerce.adapters.workflow import Workflow
from commerce.events import DeliveryOverdue, parse
from commerce.fulfilment.model import PickedLine, TrackingEvent
from commerce.fulfilment.tracking import track
from commerce.fulfilment.warehouse import hand_over, pack, pick
from commerce.orders.model import Order, Status
from commerce.orders.ports import Stores
from commerce.orders.repository import OrderRepository
from tools.demo.watch import until

ROOT = Path(__file__).parents[2]
DEFINITION = (ROOT / "statemachines" / "checkout_to_delivery.asl.json").read_text(encoding="utf-8")

STAND_IN = """
    from botocore.session import get_session

    table = get_session().create_client("dynamodb", endpoint_url={endpoint!r}, region_name="us-east-1",
                                        aws_access_key_id="test", aws_secret_access_key="test")

    def read(event):
        key = {{"pk": {{"S": "ORDER#" + event["order_id"]}}, "sk": {{"S": "ORDER"}}}}
        return table.get_item(TableName="orders", Key=key, ConsistentRead=True)["Item"]["status"]["S"], key

    def write(key, status):
        table.update_item(TableName="orders", Key=key, UpdateExpression="SET #s = :s ADD version :one",
                          ExpressionAttributeNames={{"#s": "status"}},
                          ExpressionAttributeValues={{":s": {{"S": status}}, ":one": {{"N": "1"}}}})

    def ship(event, context):
        status, key = read(event)
        if status == "ready_to_ship":
            status = "shipped"
            write(key, status)
        return {{"outcome": status, "currency": "USD", "total": 3998}}

    def settle(event, context):
        return {{"outcome": "settled"}}

    def compensate(event, context):
        status, key = read(event)
        if status == "pending_payment":
            status = "canceled"
            write(key, status)
        closed = status in ("canceled", "lost")
        return {{"outcome": "compensated" if closed else "carry_on", "error": event["error"]}}
"""


class LocalAws(local_aws.LocalAws):
    """With a table, a bus that a queue listens to, and the three stand-ins."""

    def furnish(self) -> None:
        self.client("dynamodb").create_table(
            TableName="orders",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        self.client("sqs").create_queue(QueueName="overdue")
        bus = self.client("events")
        bus.create_event_bus(Name="shop")
        pattern = {"source": ["tradepost"], "detail-type": [DeliveryOverdue.type]}
        bus.put_rule(Name="overdue", EventBusName="shop", EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:000000000000:overdue"}
        bus.put_targets(Rule="overdue", EventBusName="shop", Targets=[target])
        for name in ("ship", "settle", "compensate"):
            self.function(name, STAND_IN.format(endpoint=self.url), Handler=f"handler.{name}", Timeout=20)

    def machine(self, name: str, *, hold: int = 60, warehouse: int = 60, delivery: int = 60) -> str:
        """The ARN of the definition with these timeouts, in seconds."""
        values: dict[str, str | int] = {
            "HoldSeconds": hold,
            "WarehouseSeconds": warehouse,
            "DeliverySeconds": delivery,
            "OrdersTable": "orders",
            "EventBus": "shop",
            "ShipOrderFunction": "ship",
            "SettleOrderFunction": "settle",
            "CompensateOrderFunction": "compensate",
        }
        definition = DEFINITION
        for placeholder, value in values.items():
            definition = definition.replace(f'"${{{placeholder}}}"', json.dumps(value))
        made = self.client("stepfunctions").create_state_machine(
            name=name, definition=definition, roleArn=local_aws.ROLE
        )
        arn: str = made["stateMachineArn"]
        return arn


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws(tmp_path_factory.mktemp("aws")) as local:
        local.furnish()
        yield local


class Execution:
    """One order and its execution."""

    def __init__(self, aws: LocalAws, machine: str, order_id: str, status: Status, **changes: Any) -> None:
        self._client = aws.client("stepfunctions")
        table = Table(aws.client("dynamodb"), "orders")
        self.orders = OrderRepository(table, Outbox("orders"), Seals(table))
        self.workflow = Workflow(self._client, machine)
        self.order_id = order_id
        self._arn = f"{machine.replace(':stateMachine:', ':execution:')}:{order_id}"
        self.orders.place(order(status, id=order_id, task_token=None, task_state=None, **changes))
        self.workflow.start(order_id)

    def waits_in(self, state: str) -> Order:
        """The order, once its token of this state stands on it."""

        def look() -> Order | None:
            found = self.orders.get(self.order_id)
            return found if found.task_state == state else None

        return until(f"{self.order_id} waiting in {state}", look)

    def move(self, *statuses: Status) -> Order:
        """The order goes through these statuses."""
        for status in statuses:
            self.orders.change(self.orders.get(self.order_id), to=status)
        return self.orders.get(self.order_id)

    def go_on(self, state: str, *statuses: Status) -> None:
        """While the execution waits in `state` the order moves, and then the execution is woken."""
        self.waits_in(state)
        self.workflow.succeed(self.move(*statuses).task_token, {})

    def fail(self, state: str, status: Status, error: str) -> None:
        """While the execution waits in `state` the order ends, and then the execution is told."""
        self.waits_in(state)
        self.workflow.fail(self.move(status).task_token, error, "told by a test")

    def ended(self) -> tuple[dict[str, Any], list[str]]:
        """The output and the states entered, once it has succeeded."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self._client.describe_execution(executionArn=self._arn)
            return None if found["status"] == "RUNNING" else found

        found = until(f"the end of {self.order_id}", look)
        assert found["status"] == "SUCCEEDED", found
        return json.loads(found["output"]), self.entered()

    def entered(self) -> list[str]:
        """The states entered so far."""
        history = self._client.get_execution_history(executionArn=self._arn, maxResults=1000)["events"]
        return [
            event["stateEnteredEventDetails"]["name"] for event in history if event["type"].endswith("StateEntered")
        ]


@pytest.fixture(scope="module")
def machine(aws: LocalAws) -> str:
    return aws.machine("patient")


def test_a_delivered_order_takes_five_transitions(aws: LocalAws, machine: str) -> None:
    execution = Execution(aws, machine, "delivered", "pending_payment")

    execution.go_on("AwaitPayment", "confirmed")
    execution.go_on("AwaitWarehouse", "picked", "packed", "ready_to_ship")
    execution.go_on("AwaitDelivery", "delivered")

    output, states = execution.ended()
    assert output == {"outcome": "settled"}
    assert states == ["AwaitPayment", "AwaitWarehouse", "ShipOrder", "AwaitDelivery", "SettleOrder"]


def test_an_order_of_two_parcels_takes_five_transitions_too_and_wakes_with_the_last_one_only(
    aws: LocalAws, machine: str
) -> None:
    """The warehouse's and the carrier's own use cases do the waking."""
    execution = Execution(aws, machine, "split", "confirmed", lines=from_two_places())
    stores = Stores(execution.orders, None, AuditTrail("orders"), None, None, None)  # type: ignore[arg-type]
    execution.waits_in("AwaitWarehouse")
    for location in ("annex", "main"):
        step: dict[str, Any] = {"order_id": "split", "location": location, "actor": "sam", "now": NOW}
        parcel = next(one for one in execution.orders.get("split").shipments if one.location == location)
        lines = tuple(PickedLine(line_id=line.line_id, quantity=line.quantity) for line in parcel.lines)
        pick(stores, None, execution.workflow, picked=lines, **step)  # type: ignore[arg-type]
        pack(stores, weight_grams=500, **step)
        assert execution.entered() == ["AwaitPayment", "AwaitWarehouse"]
        hand_over(stores, execution.workflow, **step)
    waiting = execution.waits_in("AwaitDelivery")
    sent = parcels("shipped", *waiting.lines)
    labelled = tuple(one.model_copy(update={"label": label(number)}) for number, one in enumerate(sent, 1))
    execution.orders.change(waiting, fields={"shipments": labelled})

    for number in (2, 1):
        assert execution.entered()[-1] == "AwaitDelivery"
        news = TrackingEvent(
            order_id="split", tracking_number=f"1Z-TEST-{number}", status="delivered", occurred_at=NOW
        )
        track(execution.orders, execution.workflow, news, now=NOW)

    output, states = execution.ended()
    assert output == {"outcome": "settled"}
    assert states == ["AwaitPayment", "AwaitWarehouse", "ShipOrder", "AwaitDelivery", "SettleOrder"]


def test_a_payment_that_does_not_come_ends_with_the_hold(aws: LocalAws) -> None:
    execution = Execution(aws, aws.machine("short-hold", hold=1), "unpaid", "pending_payment")

    output, states = execution.ended()

    assert output["error"] == "States.Timeout"
    assert states == ["AwaitPayment", "CompensateOrder", "Alive", "Compensated"]
    assert execution.orders.get("unpaid").status == "canceled"


def test_a_hand_over_whose_signal_was_lost_ships_after_the_timeout(aws: LocalAws) -> None:
    execution = Execution(aws, aws.machine("short-day", warehouse=2), "handed-over", "packed")

    execution.waits_in("AwaitWarehouse")
    execution.move("ready_to_ship")
    execution.go_on("AwaitDelivery", "delivered")

    assert execution.ended()[0] == {"outcome": "settled"}


def test_an_order_canceled_before_any_token_is_stored_is_compensated(aws: LocalAws, machine: str) -> None:
    execution = Execution(aws, machine, "canceled-early", "canceled")

    output, states = execution.ended()

    assert output == {"outcome": "compensated", "error": "OrderCanceled"}
    assert states[-3:] == ["CompensateOrder", "Alive", "Compensated"]


@pytest.mark.parametrize("error", ["OrderCanceled", "ShortPick"])
def test_an_order_canceled_in_the_warehouse_is_compensated(aws: LocalAws, machine: str, error: str) -> None:
    execution = Execution(aws, machine, f"canceled-{error}", "confirmed")

    execution.fail("AwaitWarehouse", "canceled", error)

    output, states = execution.ended()
    assert output == {"outcome": "compensated", "error": error}
    assert states == ["AwaitPayment", "AwaitWarehouse", "CompensateOrder", "Alive", "Compensated"]


def test_a_declined_payment_is_compensated(aws: LocalAws, machine: str) -> None:
    execution = Execution(aws, machine, "declined", "pending_payment")

    execution.fail("AwaitPayment", "canceled", "PaymentDeclined")

    assert execution.ended() == (
        {"outcome": "compensated", "error": "PaymentDeclined"},
        ["AwaitPayment", "CompensateOrder", "Alive", "Compensated"],
    )


def test_a_lost_parcel_is_compensated(aws: LocalAws, machine: str) -> None:
    execution = Execution(aws, machine, "lost", "ready_to_ship")

    execution.fail("AwaitDelivery", "lost", "ParcelLost")

    output, states = execution.ended()
    assert output == {"outcome": "compensated", "error": "ParcelLost"}
    assert states[-4:] == ["AwaitDelivery", "CompensateOrder", "Alive", "Compensated"]


@pytest.mark.parametrize(("status", "outcome"), [("delivered", "settled"), ("lost", "compensated")])
def test_a_parcel_that_arrived_or_was_lost_before_any_token_is_stored_ends_as_it_should(
    aws: LocalAws, machine: str, status: Status, outcome: str
) -> None:
    execution = Execution(aws, machine, f"early-{status}", status)

    assert execution.ended()[0]["outcome"] == outcome


def test_a_late_delivery_is_published_and_waited_for(aws: LocalAws) -> None:
    execution = Execution(aws, aws.machine("impatient", delivery=2), "late", "ready_to_ship")
    queue = aws.client("sqs").get_queue_url(QueueName="overdue")["QueueUrl"]

    [message] = until(
        "the overdue event",
        lambda: aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=2).get("Messages"),
    )
    event = parse(json.loads(message["Body"])["detail"])
    assert isinstance(event, DeliveryOverdue)
    assert (event.subject, event.currency, event.total) == ("late", "USD", 3998)

    execution.workflow.succeed(execution.move("delivered").task_token, {})
    output, states = execution.ended()
    assert output == {"outcome": "settled"}
    assert "DeliveryOverdue" in states


def test_starting_again_is_the_same_execution_and_waking_nobody_is_harmless(aws: LocalAws, machine: str) -> None:
    execution = Execution(aws, machine, "twice", "confirmed")
    token = execution.waits_in("AwaitWarehouse").task_token

    execution.workflow.start("twice")
    execution.fail("AwaitWarehouse", "canceled", "OrderCanceled")
    execution.ended()
    execution.workflow.start("twice")
    execution.workflow.succeed(token, {})
    execution.workflow.fail(token, "OrderCanceled", "again")

    assert execution.entered().count("AwaitWarehouse") == 1
