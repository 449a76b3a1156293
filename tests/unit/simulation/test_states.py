"""The interpreter of state machines, held to what the Step Functions developer guide says of JSONata machines."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tools.simulation.states import Execution, Machine, StateError, evaluate

TWICE_AS_LONG = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 2}
NAME = "{% $states.errorOutput.Error %}"
TASK = {"Type": "Task", "Resource": "a task", "End": True}


@dataclass
class Worker:
    """Answers what it is given to answer; an error is raised."""

    answers: list[Any]
    asked: list[tuple[Any, str | None]] = field(default_factory=list)
    """(arguments, token) of every attempt."""

    def run(self, resource: str, arguments: Any, token: str | None, timeout: float, state: str) -> Any:
        self.asked.append((arguments, token))
        answer = self.answers.pop(0)
        if isinstance(answer, str) and answer.startswith(("States.", "Lambda.", "Payment")):
            raise StateError(answer, "because")
        return answer


def run(states: dict[str, Any], *answers: Any, input: Any = None) -> tuple[Execution, Worker, list[float]]:
    """The execution at its end, who worked for it, and its pauses between attempts."""
    worker, pauses, numbers = Worker(list(answers)), [], iter(range(100))
    machine = Machine({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states})
    execution = Execution(
        machine,
        "order_1",
        {"order_id": "order_1"} if input is None else input,
        tasks=worker,
        tokens=lambda: f"token-{next(numbers)}",
        sleep=pauses.append,
        moment=lambda: "2026-11-26T00:00:00.000Z",
        random=Random(1),
    )
    execution.run()
    return execution, worker, pauses


def test_a_task_gets_its_arguments_and_hands_on_its_output() -> None:
    states = {
        "Ship": {
            "Type": "Task",
            "Resource": "ship",
            "Arguments": {"id": "{% $states.context.Execution.Input.order_id %}", "fixed": [1, "{% 1 + 1 %}"]},
            "Output": {"outcome": "{% $states.result.Payload.outcome %}"},
            "End": True,
        }
    }

    execution, worker, _ = run(states, {"Payload": {"outcome": "shipped"}})

    assert worker.asked == [({"id": "order_1", "fixed": [1, 2]}, None)]
    assert (execution.status, execution.output) == ("SUCCEEDED", {"outcome": "shipped"})


def test_without_an_output_the_result_is_handed_on_and_without_arguments_the_input() -> None:
    execution, worker, _ = run({"Ship": TASK}, {"done": True}, input={"order_id": "order_2"})

    assert worker.asked == [({"order_id": "order_2"}, None)]
    assert execution.output == {"done": True}


def test_assigned_variables_are_seen_by_later_states_and_not_by_their_own_output() -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"total": "{% 5 %}"}, "Next": "Second"},
        "Second": {"Type": "Pass", "Assign": {"total": 6}, "Output": "{% $total %}", "Next": "Third"},
        "Third": {"Type": "Pass", "Output": "{% [$states.input, $total] %}", "End": True},
    }

    assert run(states)[0].output == [5, 6]


def test_a_choice_takes_the_first_way_that_is_true_and_else_the_default() -> None:
    def chosen(outcome: str) -> Any:
        states = {
            "Where": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": "{% $states.input.outcome in ['canceled', 'lost'] %}",
                        "Output": {"error": "{% $states.input.outcome = 'lost' ? 'ParcelLost' : 'OrderCanceled' %}"},
                        "Next": "End",
                    },
                    {"Condition": "{% $states.input.outcome = 'delivered' %}", "Next": "End"},
                ],
                "Default": "Wait",
            },
            "Wait": {"Type": "Pass", "Output": "waits", "End": True},
            "End": {"Type": "Succeed"},
        }
        return run(states, input={"outcome": outcome})[0]

    assert chosen("lost").visited == ["Where", "End"]
    assert chosen("canceled").state_input == {"error": "OrderCanceled"}
    assert chosen("delivered").state_input == {"outcome": "delivered"}
    assert chosen("shipped").output == "waits"


def test_a_retry_grows_its_pauses_up_to_the_longest_and_then_gives_up() -> None:
    retry = [{**TWICE_AS_LONG, "MaxAttempts": 4, "MaxDelaySeconds": 9}]

    execution, worker, pauses = run({"Ship": {**TASK, "Retry": retry}}, *["Lambda.Unknown"] * 9)

    assert (len(worker.asked), pauses) == (5, [2, 4, 8, 9])
    assert (execution.status, execution.error) == ("FAILED", "Lambda.Unknown")


def test_full_jitter_pauses_no_longer_than_without_it() -> None:
    retry = [{**TWICE_AS_LONG, "MaxAttempts": 3, "JitterStrategy": "FULL"}]

    _, _, pauses = run({"Ship": {**TASK, "Retry": retry}}, *["Lambda.Unknown"] * 3, "done")

    assert all(0 <= pause <= most for pause, most in zip(pauses, (2, 4, 8), strict=True))


def test_each_retrier_counts_its_own_attempts() -> None:
    retry = [{"ErrorEquals": ["Lambda.Busy"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]

    execution, worker, _ = run({"Ship": {**TASK, "Retry": retry}}, "Lambda.Busy", "Lambda.Unknown", "done")

    assert (execution.output, len(worker.asked)) == ("done", 3)


def test_task_failed_is_every_error_but_a_timeout() -> None:
    def caught(error: str) -> list[str]:
        states = {
            "Wait": {**TASK, "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]},
            "Caught": {"Type": "Succeed"},
        }
        return run(states, error)[0].visited

    assert caught("Lambda.Unknown") == ["Wait", "Caught"]
    assert caught("States.Timeout") == ["Wait"]


def test_a_catcher_comes_after_the_retries_and_sees_the_error() -> None:
    states = {
        "Wait": {
            **TASK,
            "Retry": [{"ErrorEquals": ["Lambda.Busy"], "MaxAttempts": 2}],
            "Catch": [
                {"ErrorEquals": ["States.Timeout"], "Next": "Caught"},
                {"ErrorEquals": ["States.ALL"], "Output": {"error": NAME}, "Next": "Caught"},
            ],
        },
        "Caught": {"Type": "Pass", "End": True},
    }

    assert run(states, "PaymentDeclined")[0].output == {"error": "PaymentDeclined"}
    assert run(states, "States.Timeout")[0].output == {"Error": "States.Timeout", "Cause": "because"}
    assert len(run(states, *["Lambda.Busy"] * 3)[1].asked) == 3


def test_every_attempt_that_waits_has_a_token_of_its_own() -> None:
    state = {
        **TASK,
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "Arguments": {"token": "{% $states.context.Task.Token %}"},
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
    }

    _, worker, _ = run({"Wait": state}, "Lambda.Busy", "done")

    assert worker.asked == [({"token": "token-0"}, "token-0"), ({"token": "token-1"}, "token-1")]


def test_a_redriven_execution_goes_on_where_it_failed_with_all_its_attempts() -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"known": 1}, "Next": "Ship"},
        "Ship": {**TASK, "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}], "Output": "{% $known %}"},
    }
    execution, worker, _ = run(states, *["Lambda.Unknown"] * 3, "done")
    assert execution.status == "FAILED"

    execution.run()

    assert (execution.status, execution.output, len(worker.asked)) == ("SUCCEEDED", 1, 4)
    assert execution.visited == ["First", "Ship", "Ship"]


@pytest.mark.parametrize("expression", ["$states.input.nothing", "$states.input.nothing.at_all", "$unknown(1)"])
def test_what_is_not_there_fails_the_state(expression: str) -> None:
    execution, _, _ = run({"Pass": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}, input={"a": 1})

    assert execution.error == "States.QueryEvaluationError"


def test_null_is_a_value() -> None:
    missing = "$exists($states.input.nothing) ? $states.input.nothing : null"

    execution, _, _ = run({"Pass": {"Type": "Pass", "Output": f"{{% {missing} %}}", "End": True}})

    assert (execution.status, execution.output) == ("SUCCEEDED", None)


def test_a_kept_value_is_the_one_of_its_own_inputs() -> None:
    def of(name: str) -> Any:
        return evaluate("'evt_' & $states.input.name", {"states": {"input": {"name": name}}})

    assert [of("a"), of("b"), of("a")] == ["evt_a", "evt_b", "evt_a"]


@pytest.mark.parametrize(
    "state",
    [{**TASK, "HeartbeatSeconds": 5}, {"Type": "Pass", "InputPath": "$", "End": True}],
)
def test_a_field_that_is_not_known_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        Machine({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}})
