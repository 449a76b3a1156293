"""The definition of `checkout_to_delivery`, read as data: nothing waits for ever, nothing fails silently."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commerce.events import SOURCE, DeliveryOverdue, parse

DEFINITION = json.loads(
    (Path(__file__).parents[3] / "statemachines" / "checkout_to_delivery.asl.json").read_text(encoding="utf-8")
)
STATES: dict[str, dict[str, Any]] = DEFINITION["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
WAITING = {name: state for name, state in TASKS.items() if state["Resource"].endswith(".waitForTaskToken")}
WORKING = {name: state for name, state in TASKS.items() if name not in WAITING}

PLACEHOLDERS = {
    "TimeoutSeconds": {"${HoldSeconds}", "${WarehouseSeconds}", "${DeliverySeconds}"},
    "TableName": {"${OrdersTable}"},
    "FunctionName": {"${ShipOrderFunction}", "${SettleOrderFunction}", "${CompensateOrderFunction}"},
    "EventBusName": {"${EventBus}"},
}


def successors(state: dict[str, Any]) -> set[str]:
    branches = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    return {branch[way] for branch in branches for way in ("Next", "Default") if way in branch}


def walk(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the definition, with the name of the field it stands in."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from walk(inner, inner_name)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, name)


def test_every_state_says_what_it_is_for() -> None:
    assert [name for name, state in STATES.items() if not state.get("Comment")] == []


def test_every_state_can_be_reached_and_every_next_state_exists() -> None:
    reached, ahead = set(), {DEFINITION["StartAt"]}
    while ahead:
        name = ahead.pop()
        reached.add(name)
        ahead |= successors(STATES[name]) - reached

    assert reached == set(STATES)


def test_a_delivered_order_takes_five_transitions() -> None:
    path = ["AwaitPayment"]
    while not STATES[path[-1]].get("End"):
        state = STATES[path[-1]]
        path.append(state.get("Next") or state["Default"])

    assert path == ["AwaitPayment", "AwaitWarehouse", "ShipOrder", "AwaitDelivery", "SettleOrder"]


def test_from_every_state_the_order_can_come_to_an_end() -> None:
    ends = {name for name, state in STATES.items() if state.get("End") or state["Type"] == "Succeed"}
    while True:
        more = {name for name, state in STATES.items() if successors(state) & ends} - ends
        if not more:
            break
        ends |= more

    assert ends == set(STATES)


@pytest.mark.parametrize("name", TASKS)
def test_no_task_runs_or_waits_for_ever(name: str) -> None:
    timeout = TASKS[name]["TimeoutSeconds"]

    assert timeout in PLACEHOLDERS["TimeoutSeconds"] or 0 < timeout <= 75


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_tried_again_with_growing_random_pauses(name: str) -> None:
    for retry in TASKS[name]["Retry"]:
        assert retry["MaxAttempts"] >= 5
        assert retry["BackoffRate"] > 1
        assert retry["JitterStrategy"] == "FULL"


@pytest.mark.parametrize("name", WORKING)
def test_a_working_task_retries_whatever_goes_wrong_and_then_fails_so_that_it_can_be_redriven(name: str) -> None:
    assert [retry["ErrorEquals"] for retry in WORKING[name]["Retry"]] == [["States.ALL"]]
    assert "Catch" not in WORKING[name]


@pytest.mark.parametrize("name", WAITING)
def test_a_waiting_state_retries_only_what_the_table_says_never_a_signal_or_a_timeout(name: str) -> None:
    errors = {error for retry in WAITING[name]["Retry"] for error in retry["ErrorEquals"]}

    assert all(error.startswith("DynamoDb.") for error in errors)
    assert "DynamoDb.ConditionalCheckFailedException" not in errors
    assert "DynamoDb.TransactionConflictException" in errors


@pytest.mark.parametrize("name", WAITING)
def test_a_waiting_state_goes_on_where_the_order_is_past_it_and_compensates_whatever_else_happens(name: str) -> None:
    first, *_, last = WAITING[name]["Catch"]

    assert all(error.endswith("ConditionalCheckFailedException") for error in first["ErrorEquals"])
    assert first["Next"] != "CompensateOrder"
    assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], "CompensateOrder")


@pytest.mark.parametrize("name", WAITING)
def test_a_waiting_state_writes_its_token_and_name_onto_the_order_and_takes_its_mark_off(name: str) -> None:
    arguments = WAITING[name]["Arguments"]

    assert arguments["UpdateExpression"] == "SET task_token = :token, task_state = :state REMOVE ahead"
    assert arguments["ExpressionAttributeValues"][":state"] == {"S": name}
    assert arguments["ConditionExpression"].startswith("#status ")


def test_placeholders_stand_alone_where_the_stack_fills_them_in() -> None:
    found: dict[str, set[str]] = {}
    for name, text in walk(DEFINITION):
        if "${" in text:
            assert re.fullmatch(r"\$\{\w+\}", text)
            found.setdefault(name, set()).add(text)

    assert found == PLACEHOLDERS


def test_the_overdue_event_has_the_shape_that_consumers_read() -> None:
    [entry] = STATES["DeliveryOverdue"]["Arguments"]["Entries"]
    evaluated = {**entry["Detail"], "total": 1999, "currency": "USD"}

    assert (entry["Source"], entry["DetailType"]) == (SOURCE, DeliveryOverdue.type)
    assert entry["Detail"]["version"] == DeliveryOverdue.version
    assert isinstance(parse(evaluated), DeliveryOverdue)
