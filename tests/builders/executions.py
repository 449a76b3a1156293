"""Step Functions on a data engine: the orders' state machine, run from its definition by the interpreter of the
simulation. Each execution goes on until it waits, or ends; a test says when a wait has lasted too long.

A client as `commerce.adapters.workflow` calls one. What an execution is can be written down, and another client can go
on with it: so do executions that a release finds when it is deployed.
"""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from greenlet import getcurrent, greenlet

from builders.checkout import NOW
from builders.rights import Handler
from commerce.clock import iso
from stacks.substitution import substituted
from tools.simulation.errors import client_error
from tools.simulation.states import TIMEOUT, Execution, Machine, StateError

WAIT = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
INVOKE = "arn:aws:states:::lambda:invoke"
PUT_EVENTS = "arn:aws:states:::events:putEvents"
BUS = "the bus"


def orders_machine(definition: str, tables: dict[str, str]) -> Machine:
    """`checkout_to_delivery` in the text of a release; its functions are called by their names in `functions/`."""
    return Machine(
        substituted(
            json.loads(definition),
            {
                "OrdersTable": tables["ORDERS_TABLE"],
                "EventBus": BUS,
                "HoldSeconds": 900,
                "WarehouseSeconds": 86_400,
                "DeliverySeconds": 864_000,
                "ShipOrderFunction": "ship_order",
                "CompensateOrderFunction": "compensate_order",
                "SettleOrderFunction": "settle_order",
            },
        )
    )


class StepFunctions:
    """Starts executions of `machine`, whose tasks call the handlers that `load` finds by their name."""

    def __init__(self, dynamodb: Any, machine: Machine, load: Callable[[str], Handler]) -> None:
        self.dynamodb, self.machine, self.load = dynamodb, machine, load
        self.executions: dict[str, Execution] = {}
        self.published: list[dict[str, Any]] = []
        """What executions themselves told the bus: the details."""
        self.down: set[str] = set()
        """Functions, and BUS, that do not answer for now. What calls them tries until they do (`up_again`)."""
        self._running: dict[str, greenlet] = {}
        self._tokens: dict[str, str] = {}
        """By execution: the token that it waits with."""

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        """A new one. A name is used once."""
        if name in self.executions:
            raise client_error("ExecutionAlreadyExists", "StartExecution")
        self._run(self._execution(self.machine, name, json.loads(input), _tokens()))
        return {"executionArn": name}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:
        """The waiting state goes on."""
        self._running[self._waiting(taskToken)].switch(json.loads(output))
        return {}

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> dict[str, Any]:
        """The waiting state fails with this error."""
        self._running[self._waiting(taskToken)].throw(StateError(error, cause))
        return {}

    def times_out(self, name: str) -> None:
        """Nobody came."""
        self._running[name].throw(StateError(TIMEOUT))

    def up_again(self) -> None:
        """All answers, and what tried goes on."""
        self.down.clear()
        for name in [name for name in self._running if name not in self._tokens]:
            self._running[name].switch()

    def written_down(self) -> list[dict[str, Any]]:
        """Where every running execution stands."""
        return [
            {
                "name": name,
                "input": self.executions[name].input,
                "state": self.executions[name].state,
                "state_input": self.executions[name].state_input,
                "variables": self.executions[name].variables,
                "token": self._tokens.get(name),
            }
            for name in sorted(self._running)
        ]

    def takes_up(self, machine: Machine, written: dict[str, Any]) -> None:
        """One goes on where it stood, by the definition that it was started with."""
        execution = self._execution(machine, written["name"], written["input"], _tokens(written["token"]))
        for part in ("state", "state_input", "variables"):
            setattr(execution, part, written[part])
        self._run(execution)

    def _execution(self, machine: Machine, name: str, input: Any, tokens: Iterator[str]) -> Execution:
        return Execution(
            machine,
            name,
            input,
            tasks=_Tasks(self, name),
            tokens=tokens.__next__,
            sleep=lambda seconds: None,
            moment=lambda: iso(NOW),
            random=Random(0),
        )

    def _run(self, execution: Execution) -> None:
        self.executions[execution.name] = execution

        def run() -> None:
            execution.run()
            del self._running[execution.name]

        self._running[execution.name] = greenlet(run)
        self._running[execution.name].switch()

    def _waiting(self, token: str) -> str:
        for name, known in self._tokens.items():
            if known == token:
                return name
        raise client_error("TaskTimedOut", "SendTaskSuccess")


class _Tasks:
    """What the Task states of one execution ask for. A handler that raises fails the test."""

    def __init__(self, client: StepFunctions, name: str) -> None:
        self.client, self.name = client, name

    def run(self, resource: str, arguments: Any, token: str | None, timeout: float, state: str) -> Any:
        """The task's result. Raises StateError."""
        if resource == WAIT and token:
            return self._wait(arguments, token)
        if resource == INVOKE:
            self._answers(arguments["FunctionName"])
            return {"Payload": self.client.load(arguments["FunctionName"])(arguments["Payload"], None)}
        assert resource == PUT_EVENTS
        self._answers(BUS)
        self.client.published += [entry["Detail"] for entry in arguments["Entries"]]
        return {}

    def _wait(self, arguments: Any, token: str) -> Any:
        try:
            self.client.dynamodb.update_item(**arguments)
        except ClientError as error:
            raise StateError(f"DynamoDb.{error.response['Error']['Code']}") from error
        self.client._tokens[self.name] = token
        try:
            return getcurrent().parent.switch()
        finally:
            del self.client._tokens[self.name]

    def _answers(self, whom: str) -> None:
        """When it does."""
        while whom in self.client.down:
            getcurrent().parent.switch()


def _tokens(first: str | None = None) -> Iterator[str]:
    if first:
        yield first
    while True:
        yield uuid4().hex
