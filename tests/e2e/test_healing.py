"""What got lost is found, and what stands still is moved on, in the deployed shop."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from builders.doubles import at_the_bank
from commerce.clock import iso, now
from commerce.ids import order_id_for
from tools.demo.actors import CARD_WITH_3DS, Shopper
from tools.demo.scenes import Cast
from tools.demo.watch import until
from tools.local.instance import Instance
from tools.orders.__main__ import main
from tools.orders.records import read


@pytest.fixture
def stripe(instance: Instance) -> Iterator[httpx.Client]:
    """The control of Stripe's double, in good health after the test."""
    with httpx.Client(base_url=f"{instance.stripe_url}/_double", timeout=60) as control:
        yield control
        control.post("/webhooks/release", json={})
        control.post("/reset", json={})


@pytest.fixture
def command(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """An operator's command, as `make` types it; answers its exit code."""
    monkeypatch.setenv("TRADEPOST_INSTANCE", instance.name)
    return lambda *arguments: main([*arguments])


def minutes_pass(instance: Instance, order_id: str, minutes: int) -> None:
    """The order is so much older, and came to its status so much earlier."""
    moment = {"S": iso(now() - timedelta(minutes=minutes))}
    instance.client("dynamodb").update_item(
        TableName=instance.output("OrdersTable"),
        Key={"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "ORDER"}},
        UpdateExpression="SET placed_at = :moment, moved_at = :moment",
        ExpressionAttributeValues={":moment": moment},
    )


def reconcile(instance: Instance) -> dict[str, Any]:
    """What one run of the reconciler answers."""
    answer = instance.client("lambda").invoke(FunctionName="tradepost-local-reconcile")
    result: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, result
    return result


def test_an_order_whose_webhook_got_lost_is_confirmed_by_the_reconciler(
    instance: Instance, guest: Shopper, stripe: httpx.Client
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    waiting = guest.complete(checkout, CARD_WITH_3DS)
    stripe.post("/webhooks/hold", json={})
    at_the_bank(waiting["continue_url"], "complete")
    order_id = order_id_for(checkout["id"], attempt=1)
    assert read(instance, order_id).order.status == "pending_payment"

    minutes_pass(instance, order_id, 3)
    reconcile(instance)

    assert read(instance, order_id).order.status == "confirmed"
    assert guest.get(f"/checkout-sessions/{checkout['id']}")["status"] == "completed"
    until("the next state", lambda: read(instance, order_id).order.task_state == "AwaitWarehouse")
    guest.cancel(guest.get(f"/checkout-sessions/{checkout['id']}"))


def test_operators_find_a_buyers_orders_by_the_e_mail_address(
    guest: Shopper, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    completed = guest.complete(checkout)

    assert command("show", checkout["buyer"]["email"].upper()) == 0

    said = capsys.readouterr().out
    assert completed["order"]["id"] in said
    assert checkout["buyer"]["email"] not in said
    guest.cancel(completed)


def test_an_operator_cancels_an_order_and_the_audit_trail_says_who_it_was(
    instance: Instance, guest: Shopper, everyone: Cast, command: Callable[..., int]
) -> None:
    order_id = guest.complete(guest.checkout((guest.some_skus(1)[0], 1)))["order"]["id"]

    assert command("cancel", order_id, "--dry-run") == 0
    assert read(instance, order_id).order.status == "confirmed"
    assert command("cancel", order_id, "--reason", "fraud", "--yes") == 0

    assert everyone.watcher.ended(order_id)["status"] == "SUCCEEDED"
    records = read(instance, order_id)
    assert (records.order.status, records.order.cancel_reason) == ("canceled", "fraud")
    [entry] = [entry for entry in records.audit if entry["action"] == "order.canceled"]
    assert entry["actor"].startswith("operator ")


def test_an_operator_gives_money_back_and_never_more_than_was_taken(
    instance: Instance, shipped: Callable[[], str], command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = shipped()

    assert command("refund", order_id, "--amount", "1.00", "--reason", "It came late", "--yes") == 0
    assert command("refund", order_id, "--amount", "99999.00", "--reason", "It came late", "--yes") == 1

    assert "are left to give back" in capsys.readouterr().err
    refunded = [event for event in read(instance, order_id).payments if event.type == "refunded"]
    assert [(event.amount, event.note) for event in refunded] == [(100, "It came late")]


def test_an_operator_lets_an_order_go_on_whose_execution_ended_too_early(
    instance: Instance, guest: Shopper, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = guest.complete(guest.checkout((guest.some_skus(1)[0], 1)))["order"]["id"]
    until("the warehouse's turn", lambda: read(instance, order_id).order.task_state == "AwaitWarehouse")
    assert command("resume", order_id, "--yes") == 1
    assert "nothing to resume" in capsys.readouterr().err
    execution = read(instance, order_id).execution
    assert execution
    instance.client("stepfunctions").stop_execution(executionArn=execution.arn, error="Test", cause="ended by hand")

    assert command("resume", order_id, "--yes") == 0

    def goes_on() -> bool:
        resumed = read(instance, order_id).execution
        return resumed is not None and resumed.status == "RUNNING" and resumed.state == "AwaitWarehouse"

    until("the execution in the warehouse again", goes_on)
    assert command("cancel", order_id, "--yes") == 0
    until("the end", lambda: (found := read(instance, order_id).execution) and found.status == "SUCCEEDED")
    assert [event.type for event in read(instance, order_id).payments] == ["authorized", "voided"]
