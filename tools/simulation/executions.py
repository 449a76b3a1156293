"""Step Functions: the executions of the shop's state machine, their tokens, and what their tasks call."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.simulation.boundary import Boundaries
from tools.simulation.errors import AwsLine, client_error
from tools.simulation.functions import FunctionFailed
from tools.simulation.messaging import Bus, Invoke, skew
from tools.simulation.scheduler import Scheduler, Waiting
from tools.simulation.states import TIMEOUT, Execution, Machine, StateError
from tools.simulation.tables import Tables

REDRIVEN_AFTER = 7200.0
"""Seconds until a person has looked at the alarm of a failed execution."""
MOST_REDRIVES = 20
"""In one schedule, before people only tidy up at its end."""
_UPDATE = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
_INVOKE = "arn:aws:states:::lambda:invoke"
_PUT_EVENTS = "arn:aws:states:::events:putEvents"
_NAMES = {
    "start_execution": "StartExecution",
    "send_task_success": "SendTaskSuccess",
    "send_task_failure": "SendTaskFailure",
}


@dataclass
class Executions:
    """All executions, by name. `doomed` are the states whose every attempt fails until a person redrives them."""

    machine: Machine
    scheduler: Scheduler
    boundaries: Boundaries
    tables: Tables
    bus: Bus
    invoke: Invoke
    deploy: Callable[[str], None]
    known: dict[str, Execution] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    """By token."""
    doomed: set[tuple[str, str]] = field(default_factory=set)
    redrives: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _running: str = ""

    def call(self, operation: str, parameters: dict[str, Any]) -> Any:
        """One call of a function."""
        name = _NAMES[operation]
        boundary = f"states.{name}"
        self.boundaries.story.tell(boundary, {k: v for k, v in parameters.items() if k != "stateMachineArn"})
        kind = self.boundaries.strike(boundary, "states.call")
        if kind == "outage_before":
            self.boundaries.fired(kind, boundary)
            raise client_error("InternalServerError", name, status=500)
        do = partial(getattr(self, operation), **parameters)
        return do() if kind is None else self.boundaries.fail(kind, boundary, do, AwsLine(name))

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        """The same name and input again answers with the running execution; a name that is used up is refused."""
        known = self.known.get(name)
        if known is not None:
            if known.status == "RUNNING" and known.input == json.loads(input):
                return {"executionArn": name}
            raise client_error("ExecutionAlreadyExists", "StartExecution")
        execution = Execution(
            self.machine,
            name,
            json.loads(input),
            tasks=_Tasks(self, name),
            tokens=lambda: f"token-{next(self._numbers)}",
            sleep=self.scheduler.sleep,
            moment=self._moment,
            random=self.scheduler.random,
        )
        self.known[name] = execution
        self.scheduler.start(f"execution {name[-6:]}", lambda: self._run(execution))
        return {"executionArn": name}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:
        """The waiting state goes on."""
        self.scheduler.signal(self._waiting(taskToken, "SendTaskSuccess"), ("succeeded", json.loads(output)))
        return {}

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> dict[str, Any]:
        """The waiting state fails with this error."""
        self.scheduler.signal(self._waiting(taskToken, "SendTaskFailure"), ("failed", error, cause))
        return {}

    @property
    def needed(self) -> int:
        """How often a person had, or has, to redrive an execution."""
        return self.redrives + sum(execution.status == "FAILED" for execution in self.known.values())

    def redrive(self) -> int:
        """A person has every failed execution go on where it failed, as the runbook says."""
        failed = [execution for execution in self.known.values() if execution.status == "FAILED"]
        for execution in failed:
            self._redrive(execution)
        return len(failed)

    def _run(self, execution: Execution) -> None:
        """To its end; of one that fails a person hears by an alarm, and redrives it some hours later."""
        execution.run()
        if execution.status == "FAILED":
            self.boundaries.story.tell("failed", execution.state, execution.error or "")
        if execution.status == "FAILED" and self.redrives < MOST_REDRIVES:
            self.scheduler.at(self.scheduler.now + REDRIVEN_AFTER, lambda: self._redrive(execution))

    def _redrive(self, execution: Execution) -> None:
        if execution.status != "FAILED":
            return
        self.redrives += 1
        self.doomed = {place for place in self.doomed if place[0] != execution.name}
        execution.status = "RUNNING"
        self.scheduler.start(f"execution {execution.name[-6:]} redriven", lambda: self._run(execution))

    def _waiting(self, token: str, operation: str) -> Waiting:
        found = self.waiting.get(token)
        if found is None or found.done:
            raise client_error("TaskTimedOut", operation)
        return found

    def _moment(self) -> str:
        text = datetime.fromtimestamp(int(self.scheduler.now * 1000) / 1000, UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")


@dataclass
class _Tasks:
    """What the Task states of one execution ask for."""

    executions: Executions
    name: str

    def run(self, resource: str, arguments: Any, token: str | None, timeout: float, state: str) -> Any:
        """The task's result. Raises StateError."""
        self.executions.boundaries.story.tell("enters", state)
        if resource == _UPDATE and token:
            return self._wait(arguments, token, timeout)
        if resource == _INVOKE:
            return self._invoke(arguments, timeout, state)
        if resource == _PUT_EVENTS:
            return self._put_events(arguments)
        raise NotImplementedError(resource)

    def _wait(self, arguments: Any, token: str, timeout: float) -> Any:
        executions = self.executions
        waiting = executions.waiting[token] = Waiting()
        end = executions.scheduler.now + timeout
        try:
            executions.boundaries.call(
                "states.UpdateItem",
                "states.update",
                lambda: executions.tables.direct("update_item", **arguments),
                AwsLine("UpdateItem"),
            )
            answered = executions.scheduler.wait(waiting, end - executions.scheduler.now)
        except (ClientError, BotoCoreError) as error:
            raise StateError(f"DynamoDb.{_code(error)}") from error
        finally:
            del executions.waiting[token]
        if not answered:
            raise StateError(TIMEOUT)
        if waiting.signal[0] == "failed":
            raise StateError(waiting.signal[1], waiting.signal[2])
        return waiting.signal[1]

    def _invoke(self, arguments: Any, timeout: float, state: str) -> Any:
        executions, boundaries = self.executions, self.executions.boundaries
        function, payload = arguments["FunctionName"], arguments["Payload"]
        boundary = f"lambda.{function}"
        kind = boundaries.strike(boundary, "lambda.task")
        if kind == "deployed":
            executions.deploy(boundary)
        if kind == "fails_for_good":
            boundaries.fired(kind, boundary)
            executions.doomed.add((self.name, state))
        if (self.name, state) in executions.doomed:
            raise StateError("Lambda.ServiceException", "a long outage")
        if kind == "crash_before":
            boundaries.fired(kind, boundary)
            raise StateError("Lambda.TooManyRequestsException", "it never began")
        if kind == "duplicate":
            boundaries.fired(kind, boundary)
            executions.scheduler.start(f"{function} again", lambda: self._again(function, payload))
        began = executions.scheduler.now
        try:
            answer = executions.invoke(function, payload, skew=skew(kind, boundary, boundaries))
        except FunctionFailed as failure:
            raise StateError(failure.error, failure.cause) from failure
        if executions.scheduler.now - began > timeout:
            raise StateError(TIMEOUT)
        boundaries.story.tell("answered", function, answer)
        return {"Payload": answer}

    def _again(self, function: str, payload: Any) -> None:
        try:
            self.executions.invoke(function, payload)
        except FunctionFailed as failure:
            self.executions.boundaries.story.tell("failed", failure.error)

    def _put_events(self, arguments: Any) -> Any:
        executions = self.executions
        entries = [{**entry, "Detail": json.dumps(entry["Detail"])} for entry in arguments["Entries"]]
        try:
            return executions.boundaries.call(
                "states.PutEvents", "states.events", lambda: executions.bus.put(entries), AwsLine("PutEvents")
            )
        except (ClientError, BotoCoreError) as error:
            raise StateError(f"EventBridge.{_code(error)}") from error


def _code(error: Exception) -> str:
    """The error's name as Step Functions builds it from the SDK's exception."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return "SdkClientException"
