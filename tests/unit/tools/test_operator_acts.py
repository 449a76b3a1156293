"""What an operator may do to an order, and what the shop is asked for then."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from builders.orders import an_order
from commerce.ids import derived_id
from commerce.orders.model import Order, Status
from commerce.payments.model import PaymentEvent, payment_event
from tools.local.steps import Stop
from tools.orders import acts
from tools.orders.__main__ import main
from tools.orders.story import Execution, Records

PLACED = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:tradepost-local-checkout-to-delivery"


class Missing(Exception):
    """As boto3 raises it for an execution that never was."""


@dataclass
class Aws:
    """A shop whose AWS notes what it is asked, and answers as it was told."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    executions: frozenset[str] = frozenset()

    class exceptions:
        ExecutionDoesNotExist = Missing

    def client(self, service: str) -> "Aws":
        return self

    def output(self, name: str) -> str:
        return {"StateMachineArn": MACHINE}.get(name, name)

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:sts::000000000000:assumed-role/OnCall/ada"}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        if executionArn.rpartition(":")[2] not in self.executions:
            raise Missing
        return {"status": "FAILED", "startDate": PLACED, "input": "{}"}

    def get_paginator(self, _: str) -> "Aws":
        return self

    def paginate(self, **_: Any) -> list[Any]:
        return []

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        self.asked.append(("invoke", {**parameters, "Payload": json.loads(parameters["Payload"])}))
        answer = self.answers["invoke"]
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def redrive_execution(self, **parameters: Any) -> None:
        if error := self.answers.get("redrive_execution"):
            raise ClientError({"Error": {"Code": error, "Message": ""}}, "RedriveExecution")
        self.asked.append(("redrive_execution", parameters))

    def __getattr__(self, operation: str) -> Any:
        return lambda **parameters: self.asked.append((operation, parameters))

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]


def records(order: Order, execution: str | None, *payments: PaymentEvent) -> Records:
    entered = ((PLACED, "AwaitWarehouse"),)
    known = Execution(order.id, f"{MACHINE}:{order.id}", execution, PLACED, None, entered) if execution else None
    return Records(order, payments, (), (), (), (), known)


def ordered(status: Status, **changes: Any) -> Order:
    return an_order(status=status, **changes)


CAPTURED = payment_event("captured", "pi_1", 2500, "USD", PLACED)
CANCELED = {"statusCode": 200, "body": json.dumps({"status": "canceled"})}


def test_canceling_asks_the_deployed_function_in_the_operators_name() -> None:
    aws, order = Aws({"invoke": CANCELED}), ordered("confirmed")

    act = acts.cancel(aws, records(order, "RUNNING"), "fraud")
    assert aws.asked == []
    assert act.do() == "The order is canceled"

    [(_, asked)] = aws.asked
    assert asked["FunctionName"] == "tradepost-local-admin-orders"
    assert asked["Payload"]["rawPath"] == f"/admin/orders/{order.id}/cancel"
    assert json.loads(asked["Payload"]["body"]) == {"reason": "fraud"}
    claims = asked["Payload"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert claims == {"sub": "operator assumed-role/OnCall/ada", "token_use": "access", "cognito:groups": "[support]"}


def test_what_the_shop_refuses_is_told_as_it_says_it() -> None:
    refusal = {"statusCode": 409, "body": json.dumps({"title": "Conflict", "detail": "somebody was quicker"})}

    with pytest.raises(Stop, match="somebody was quicker"):
        acts.cancel(Aws({"invoke": refusal}), records(ordered("confirmed"), "RUNNING"), "fraud").do()


@pytest.mark.parametrize(
    ("status", "reason", "why"),
    [("shipped", "fraud", "make refund"), ("canceled", "fraud", "nothing to cancel"), ("confirmed", "bored", "reason")],
)
def test_an_order_that_has_left_one_that_is_canceled_and_a_reason_of_ones_own_are_refused(
    status: Status, reason: str, why: str
) -> None:
    with pytest.raises(Stop, match=why):
        acts.cancel(Aws(), records(ordered(status), "RUNNING"), reason)


def asked_for(aws: Aws, order: Order, *ledger: PaymentEvent, amount: int = 1000) -> str:
    """The key under which the refund goes to the shop."""
    acts.refund(aws, records(order, "SUCCEEDED", CAPTURED, *ledger), amount, "late").do()
    return str(aws.asked[-1][1]["Payload"]["headers"]["idempotency-key"])


def test_a_refund_is_the_same_while_it_has_not_ended_and_another_one_afterwards() -> None:
    aws = Aws({"invoke": {"statusCode": 201, "body": json.dumps({"id": "refund_1", "status": "refunded"})}})
    order = ordered("delivered")
    first = asked_for(aws, order)
    mine = derived_id("refund", order.id, "operator assumed-role/OnCall/ada", first)
    asked = payment_event("refund_requested", mine, 1000, "USD", PLACED, note="late")
    theirs = payment_event("refund_requested", "refund_2", 1000, "USD", PLACED, note="late")

    assert asked_for(aws, order, asked) == first
    assert asked_for(aws, order, asked, theirs, replaced(theirs, type="refunded")) == first, "theirs ended, not mine"
    assert asked_for(aws, order, asked, replaced(asked, type="refunded")) != first


def test_the_question_tells_who_gives_the_same_a_second_time() -> None:
    order, asked = ordered("delivered"), payment_event("refund_requested", "refund_1", 1000, "USD", PLACED, note="late")
    given = (CAPTURED, asked, replaced(asked, type="refunded"))

    first = acts.refund(Aws(), records(order, "SUCCEEDED", CAPTURED), 1000, "late")
    again = acts.refund(Aws(), records(order, "SUCCEEDED", *given), 1000, "late")

    assert first.what.startswith("give 10.00 USD of")
    assert again.what.startswith("give once more 10.00 USD of")


def test_a_refund_that_somebody_else_asked_for_is_not_made_twice() -> None:
    theirs = payment_event("refund_requested", "refund_1", 1000, "USD", PLACED, note="late")

    with pytest.raises(Stop, match="another name or session"):
        acts.refund(Aws(), records(ordered("delivered"), "SUCCEEDED", CAPTURED, theirs), 1000, "late")


def replaced(event: PaymentEvent, **changes: Any) -> PaymentEvent:
    return event.model_copy(update=changes)


@pytest.mark.parametrize("amount", [0, 2501])
def test_no_more_than_is_left_is_given_back(amount: int) -> None:
    with pytest.raises(Stop, match=r"25\.00 USD are left"):
        acts.refund(Aws(), records(ordered("delivered"), "SUCCEEDED", CAPTURED), amount, "late")


def test_a_failed_execution_is_redriven_and_the_audit_trail_knows_it() -> None:
    order = ordered("ready_to_ship")
    aws = Aws(executions=frozenset({order.id}))

    assert acts.resume(aws, records(order, "FAILED")).do() == "The execution is redriven"
    assert aws.operations == ["transact_write_items", "redrive_execution"]


def test_one_that_cannot_be_redriven_is_started_over_under_another_name() -> None:
    order = ordered("ready_to_ship")
    aws = Aws({"redrive_execution": "ExecutionNotRedrivable"}, executions=frozenset({order.id, f"{order.id}-2"}))

    said = acts.resume(aws, records(order, "TIMED_OUT")).do()

    assert said.endswith(f"it is started over as {order.id}-3")
    assert aws.asked[-1] == (
        "start_execution",
        {"stateMachineArn": MACHINE, "name": f"{order.id}-3", "input": json.dumps({"order_id": order.id})},
    )


def test_a_missing_execution_is_started() -> None:
    aws = Aws()

    acts.resume(aws, records(ordered("pending_payment"), None)).do()

    assert aws.operations == ["transact_write_items", "start_execution"]


@pytest.mark.parametrize(
    ("status", "execution"), [("pending_payment", "RUNNING"), ("confirmed", "RUNNING"), ("delivered", "SUCCEEDED")]
)
def test_an_order_that_does_not_stand_still_is_left_alone(status: Status, execution: str) -> None:
    with pytest.raises(Stop, match="nothing to resume"):
        acts.resume(Aws(), records(ordered(status, task_state="AwaitWarehouse"), execution))


def test_an_order_ahead_of_its_execution_is_signaled() -> None:
    act = acts.resume(Aws(), records(ordered("ready_to_ship", task_state="AwaitWarehouse"), "RUNNING"))

    assert act.what == "tell its execution, which waits in AwaitWarehouse, that the order is ready_to_ship"


def test_nothing_is_done_while_nobody_agrees(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws, order = Aws({"invoke": CANCELED}), ordered("confirmed")
    monkeypatch.setattr("tools.orders.__main__.chosen", lambda _: aws)
    monkeypatch.setattr("tools.orders.__main__.read", lambda *_: records(order, "RUNNING"))
    monkeypatch.setattr("sys.stdin", io.StringIO())

    assert main(["cancel", order.id]) == 1
    assert "YES=1" in capsys.readouterr().err
    assert main(["cancel", order.id, "--dry-run"]) == 0
    assert aws.asked == []
    assert main(["cancel", order.id, "--yes"]) == 0
    assert aws.operations == ["invoke"]
