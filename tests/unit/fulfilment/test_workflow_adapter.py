"""Starting and waking the workflow: what is already so is success, everything else is heard of."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from commerce.adapters.workflow import Workflow
from commerce.correlation import take_up
from commerce.errors import Unavailable


class StepFunctions:
    """Refuses with the given error, or records what it was asked."""

    def __init__(self, refuses_with: str | None = None) -> None:
        self.refuses_with = refuses_with
        self.asked: list[dict[str, Any]] = []

    def _call(self, **parameters: Any) -> None:
        if self.refuses_with:
            raise ClientError({"Error": {"Code": self.refuses_with, "Message": ""}}, "Operation")
        self.asked.append(parameters)

    start_execution = send_task_success = send_task_failure = _call


def workflow(refuses_with: str | None = None) -> Workflow:
    return Workflow(StepFunctions(refuses_with), "arn:machine")


@pytest.mark.parametrize(("cause", "told"), [(None, {}), ("request-1", {"correlation_id": "request-1"})])
def test_an_execution_is_named_by_its_order_and_belongs_to_what_started_it(
    cause: str | None, told: dict[str, str]
) -> None:
    started = workflow()
    take_up(cause)

    started.start("order_1")

    [asked] = started.client.asked
    assert (asked["name"], json.loads(asked["input"])) == ("order_1", {"order_id": "order_1", **told})


def test_an_execution_that_exists_is_success() -> None:
    workflow("ExecutionAlreadyExists").start("order_1")


@pytest.mark.parametrize("gone", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_gone_is_success(gone: str) -> None:
    workflow(gone).succeed("token", {})
    workflow(gone).fail("token", "OrderCanceled", "the shop canceled the order")


def test_an_order_that_nobody_waits_for_needs_no_call() -> None:
    woken = workflow()

    woken.succeed(None, {})
    woken.fail(None, "OrderCanceled", "the shop canceled the order")

    assert woken.client.asked == []


def test_whoever_comes_while_the_workflow_is_busy_may_come_again() -> None:
    for call in (
        lambda: workflow("ThrottlingException").start("order_1"),
        lambda: workflow("ThrottlingException").succeed("token", {}),
    ):
        with pytest.raises(Unavailable):
            call()


def test_any_other_error_is_heard_of() -> None:
    for call in (
        lambda: workflow("AccessDeniedException").start("order_1"),
        lambda: workflow("AccessDeniedException").succeed("token", {}),
        lambda: workflow("TaskDoesNotExist").start("order_1"),
    ):
        with pytest.raises(ClientError):
            call()
