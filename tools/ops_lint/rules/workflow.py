"""State machines."""

import json
from collections.abc import Iterator
from typing import Any

from tools.ops_lint.rule import Rule
from tools.ops_lint.template import Resource, flat

MACHINE = ("AWS::StepFunctions::StateMachine",)


def _states(machine: Resource) -> Iterator[dict[str, Any]]:
    """All states, also those inside a Parallel or a Map."""
    pending = [json.loads(flat(machine.at("DefinitionString")))]
    while pending:
        scope = pending.pop()
        for state in scope["States"].values():
            yield state
            pending += state.get("Branches", [])
            pending += [state[key] for key in ("ItemProcessor", "Iterator") if key in state]


def _tasks(machine: Resource) -> list[dict[str, Any]]:
    return [state for state in _states(machine) if state["Type"] == "Task"]


RULES = (
    Rule(
        "workflow-failures-ring",
        "An alarm tells when an execution failed",
        "A failed execution is an order that stands still, with a buyer's money.",
        MACHINE,
        lambda one: one.rings("ExecutionsFailed"),
    ),
    Rule(
        "workflow-timeouts-ring",
        "An alarm tells when an execution ran out of time",
        "Step Functions does not count it among those that failed.",
        MACHINE,
        lambda one: one.rings("ExecutionsTimedOut"),
    ),
    Rule(
        "workflow-tasks-end",
        "Every task has a time after which it counts as failed",
        "A task that waits for an answer which never comes waits for a year.",
        MACHINE,
        lambda one: all("TimeoutSeconds" in task for task in _tasks(one)),
    ),
    Rule(
        "workflow-tasks-try-again",
        "Every task tries again",
        "A passing fault of AWS would stop an order until somebody looks.",
        MACHINE,
        lambda one: all(task.get("Retry") for task in _tasks(one)),
    ),
    Rule(
        "workflow-is-logged-without-data",
        "Executions are logged, and their data is not",
        "Without the log nobody knows why one failed; with its data the log would hold addresses.",
        MACHINE,
        lambda one: one.at("LoggingConfiguration.Level") in ("ERROR", "ALL")
        and one.at("LoggingConfiguration.IncludeExecutionData") is False,
    ),
    Rule(
        "workflow-is-traced",
        "Executions are traced by X-Ray",
        "A trace shows an order's way through tasks and functions as one.",
        MACHINE,
        lambda one: one.at("TracingConfiguration.Enabled") is True,
    ),
    Rule(
        "workflow-lasts",
        "The state machine is a Standard one",
        "An Express one ends after five minutes, and forgets its executions.",
        MACHINE,
        lambda one: one.at("StateMachineType") in (None, "STANDARD"),
    ),
)
