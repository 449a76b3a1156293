"""Runs state machines from their definition: Amazon States Language with JSONata, as far as the shop's machines use it.

Task, Choice, Pass, Succeed and Fail; Arguments, Assign, Output; Retry, Catch, TimeoutSeconds, task tokens. A field that
the interpreter does not know is refused, not ignored. Source: https://states-language.net, and the developer guide.
"""

import functools
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

import jsonata

_EXPRESSION = re.compile(r"\{%\s*(.*?)\s*%\}", re.DOTALL)
_REFERENCE = re.compile(r"\$[A-Za-z_]\w*(?:\.\w+)*")
_CALL = re.compile(r"\$[A-Za-z_]\w*\s*\(")

TIMEOUT, TASK_FAILED, ALL = "States.Timeout", "States.TaskFailed", "States.ALL"
QUERY_FAILED = "States.QueryEvaluationError"

_KNOWN = {
    "Task": {"Resource", "Arguments", "TimeoutSeconds", "Retry", "Catch", "Assign", "Output", "Next", "End"},
    "Choice": {"Choices", "Default", "Output", "Assign"},
    "Pass": {"Output", "Assign", "Next", "End"},
    "Succeed": {"Output"},
    "Fail": {"Error", "Cause"},
}


class StateError(Exception):
    """An error that Retry and Catch may know by its name."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


class Tasks(Protocol):
    """Carries out what Task states ask for."""

    def run(self, resource: str, arguments: Any, token: str | None, timeout: float, state: str) -> Any:
        """The task's result. With a token, what it was answered with. Raises StateError."""


class Machine:
    """A definition whose placeholders have been replaced."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        if definition.get("QueryLanguage") != "JSONata":
            raise NotImplementedError("only JSONata is spoken here")
        self.start: str = definition["StartAt"]
        self.states: Mapping[str, Mapping[str, Any]] = definition["States"]
        for name, state in self.states.items():
            unknown = set(state) - _KNOWN[state["Type"]] - {"Type", "Comment"}
            if unknown:
                raise NotImplementedError(f"{name} has {', '.join(sorted(unknown))}, which is not known here")


class Execution:
    """One run of a machine. `sleep` pauses between attempts; `moment` is the time as the context shows it."""

    def __init__(
        self,
        machine: Machine,
        name: str,
        input: Any,
        *,
        tasks: Tasks,
        tokens: Callable[[], str],
        sleep: Callable[[float], None],
        moment: Callable[[], str],
        random: Random,
    ) -> None:
        self.machine, self.name, self.input = machine, name, input
        self.status = "RUNNING"
        self.state = machine.start
        self.state_input = input
        self.variables: dict[str, Any] = {}
        self.visited: list[str] = []
        self.error: str | None = None
        self.output: Any = None
        self._tasks, self._tokens, self._sleep, self._moment, self._random = tasks, tokens, sleep, moment, random

    def run(self) -> None:
        """Until it succeeds or fails. A failed one that is run again is redriven: it goes on where it failed."""
        self.status, self.error = "RUNNING", None
        while self.status == "RUNNING":
            self.visited.append(self.state)
            try:
                self._step(self.machine.states[self.state])
            except StateError as failure:
                self.status, self.error = "FAILED", failure.error

    def _step(self, state: Mapping[str, Any]) -> None:
        match state["Type"]:
            case "Task":
                self._task(state)
            case "Choice":
                self._choice(state)
            case "Pass":
                self._leave(state, self.state_input, self._context())
            case "Succeed":
                self._leave(state, self.state_input, self._context())
                self.status = "SUCCEEDED"
            case "Fail":
                raise StateError(state.get("Error", "States.Failed"), state.get("Cause", ""))

    def _task(self, state: Mapping[str, Any]) -> None:
        attempts: dict[int, int] = {}
        entered = self._moment()
        while True:
            try:
                context = self._context(entered=entered)
                result = self._attempt(state, context)
                self._leave(state, result, {**context, "result": result})
                return
            except StateError as failure:
                retrier = _matching(state.get("Retry", ()), failure.error)
                if retrier is not None:
                    used = attempts.get(retrier, 0)
                    if used < state["Retry"][retrier].get("MaxAttempts", 3):
                        attempts[retrier] = used + 1
                        self._sleep(self._pause(state["Retry"][retrier], used))
                        continue
                if not self._caught(state, failure, entered):
                    raise
                return

    def _attempt(self, state: Mapping[str, Any], context: dict[str, Any]) -> Any:
        resource: str = state["Resource"]
        token = self._tokens() if resource.endswith(".waitForTaskToken") else None
        if token:
            context["context"]["Task"] = {"Token": token}
        timeout = self._value(state.get("TimeoutSeconds", 99_999_999), context)
        arguments = self._value(state.get("Arguments", self.state_input), context)
        return self._tasks.run(resource, arguments, token, timeout, self.state)

    def _pause(self, retrier: Mapping[str, Any], used: int) -> float:
        pause: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** used
        pause = min(pause, retrier.get("MaxDelaySeconds", pause))
        return pause * self._random.random() if retrier.get("JitterStrategy") == "FULL" else pause

    def _caught(self, state: Mapping[str, Any], failure: StateError, entered: str) -> bool:
        catcher = _matching(state.get("Catch", ()), failure.error)
        if catcher is None:
            return False
        known = {"Error": failure.error, "Cause": failure.cause}
        context = {**self._context(entered=entered), "errorOutput": known}
        self._leave(state["Catch"][catcher], known, context)
        return True

    def _choice(self, state: Mapping[str, Any]) -> None:
        context = self._context()
        for choice in state["Choices"]:
            answer = self._value(choice["Condition"], context)
            if not isinstance(answer, bool):
                raise StateError(QUERY_FAILED, "a condition is true or false")
            if answer:
                self._leave(choice, self.state_input, context)
                return
        if "Default" not in state:
            raise StateError("States.NoChoiceMatched")
        self._leave({**state, "Next": state["Default"]}, self.state_input, context)

    def _leave(self, way: Mapping[str, Any], result: Any, context: dict[str, Any]) -> None:
        """Output and Assign see the variables as they were before; then on to the next state."""
        output = self._value(way["Output"], context) if "Output" in way else result
        self.variables = {**self.variables, **self._value(way.get("Assign", {}), context)}
        self.state_input = output
        if way.get("End"):
            self.status, self.output = "SUCCEEDED", output
        elif "Next" in way:
            self.state = way["Next"]

    def _context(self, *, entered: str | None = None) -> dict[str, Any]:
        return {
            "input": self.state_input,
            "context": {
                "Execution": {"Name": self.name, "Input": self.input},
                "State": {"Name": self.state, "EnteredTime": entered or self._moment()},
            },
        }

    def _value(self, template: Any, context: dict[str, Any]) -> Any:
        if isinstance(template, str):
            found = _EXPRESSION.fullmatch(template)
            return evaluate(found[1], {"states": context, **self.variables}) if found else template
        if isinstance(template, dict):
            return {name: self._value(inner, context) for name, inner in template.items()}
        if isinstance(template, list):
            return [self._value(inner, context) for inner in template]
        return template


def _matching(ways: Any, error: str) -> int | None:
    """The position of the first retrier or catcher for the error."""
    for position, way in enumerate(ways):
        names = way["ErrorEquals"]
        if error in names or ALL in names or (TASK_FAILED in names and error != TIMEOUT):
            return position
    return None


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """The expression's value. What is not there is an error, as in Step Functions. Raises StateError.

    An expression that refers to nothing but texts and numbers, by their paths, is evaluated once for the same ones.
    """
    values = []
    for path in _paths(expression):
        value: Any = variables
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        values.append(value)
    if all(isinstance(value, str | int) for value in values) and not _CALL.search(expression):
        return _once(expression, tuple(values))
    return _evaluated(expression, variables)


@functools.lru_cache(maxsize=50_000)
def _once(expression: str, values: tuple[Any, ...]) -> Any:
    variables: dict[str, Any] = {}
    for path, value in zip(_paths(expression), values, strict=True):
        at = variables
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = value
    return _evaluated(expression, variables)


@functools.cache
def _paths(expression: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(found[1:].split(".")) for found in dict.fromkeys(_REFERENCE.findall(expression)))


@functools.cache
def _parsed(expression: str) -> Any:
    return jsonata.Jsonata(expression)


def _evaluated(expression: str, variables: Mapping[str, Any]) -> Any:
    parsed = _parsed(expression)
    frame = parsed.create_frame()
    for name, value in variables.items():
        frame.bind(name, value)
    try:
        value = parsed.evaluate(None, frame)
    except Exception as problem:
        raise StateError(QUERY_FAILED, str(problem)) from problem
    if value is None and _parsed(f"$type({expression})").evaluate(None, frame) != "null":
        raise StateError(QUERY_FAILED, f"{expression} returned nothing")
    return value
