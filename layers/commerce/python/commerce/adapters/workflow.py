"""The workflows in Step Functions: start them, and wake the state of `checkout_to_delivery` that waits.

Every call may be repeated, late or for nothing: what is already so counts as done, because the truth stands on the
order and the next state's condition reads it (docs/workflow.md).
"""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from commerce.correlation import current
from commerce.errors import Unavailable

_STARTED = frozenset({"ExecutionAlreadyExists"})
_NOBODY_WAITS = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException"})
"""Step Functions starts about 300 executions a second, and takes about 500 signals."""


@dataclass(frozen=True)
class Workflow:
    """`client` is Step Functions; `state_machine` the ARN."""

    client: Any
    state_machine: str

    def start(self, order_id: str) -> None:
        """Starts the order's one execution, named by its id. One that exists, or existed, is success."""
        _start(self.client, self.state_machine, order_id, {"order_id": order_id})

    def succeed(self, token: str | None, output: dict[str, Any]) -> None:
        """Tells the waiting state to go on. Nobody waiting (no token, or a token that is gone) is success."""
        if token is not None:
            _call(self.client, "send_task_success", _NOBODY_WAITS, taskToken=token, output=json.dumps(output))

    def fail(self, token: str | None, error: str, cause: str) -> None:
        """Tells the waiting state what went wrong: `error` is a name, `cause` a sentence without personal data."""
        if token is not None:
            _call(self.client, "send_task_failure", _NOBODY_WAITS, taskToken=token, error=error, cause=cause)


@dataclass(frozen=True)
class Erasures:
    """The workflow `erase_person`. `client` is Step Functions; `state_machine` the ARN."""

    client: Any
    state_machine: str

    def start(self, request_id: str) -> None:
        """Starts the request's one execution, named by its id. One that exists, or existed, is success."""
        _start(self.client, self.state_machine, request_id, {"request_id": request_id})


def _start(client: Any, state_machine: str, name: str, told: dict[str, str]) -> None:
    """Starts the execution of this name, unless there is or was one. What its tasks do belongs to what started it."""
    cause = {"correlation_id": current()} if current() else {}
    _call(
        client,
        "start_execution",
        _STARTED,
        stateMachineArn=state_machine,
        name=name,
        input=json.dumps({**told, **cause}),
    )


def _call(client: Any, operation: str, already_so: frozenset[str], **parameters: Any) -> None:
    try:
        getattr(client, operation)(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _BUSY:
            raise Unavailable("too many executions move at this moment; send the request again") from error
        if code not in already_so:
            raise
