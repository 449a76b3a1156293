"""Functions of the shop with the rights on tables that the stack gives their roles, and no others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from commerce.adapters import aws
from stacks.functions import FUNCTIONS

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_OPERATIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""As which operation DynamoDB authorises an action of a transaction."""

_role: ContextVar[str | None] = ContextVar("role", default=None)


class NotGranted(BaseException):
    """The function asked for what its role does not allow; no handler takes this for a fault of a service."""


def held_to_rights(client: Any) -> Any:
    """The client of DynamoDB, which refuses what the function in whose role a call is made may not do."""
    client.meta.events.register("provide-client-params.dynamodb", _check, unique_id="rights")
    return client


@contextmanager
def role_of(name: str) -> Iterator[None]:
    """What is done here, in this thread, is done with the rights of `functions/<name>`."""
    token = _role.set(name)
    try:
        yield
    finally:
        _role.reset(token)


def confined(handler: Handler, name: str) -> Handler:
    """The handler of `functions/<name>` in its role. A test's own calls, before and after it, are not confined."""

    def confined_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        held_to_rights(aws.client("dynamodb"))
        with role_of(name):
            return handler(event, context)

    return confined_handler


def _check(params: dict[str, Any], model: Any, **_: Any) -> None:
    if (name := _role.get()) is None:
        return
    function = FUNCTIONS[name]
    granted = {(table.name, what) for table, own in function.tables.items() for what in (*own, *function.indexes)}
    for table, operation in _asked(model.name, params):
        if (table.partition("-")[2], operation) not in granted:
            raise NotGranted(f"{name}: {operation} on {table}")


def _asked(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Table and operation, or index, of all that a request asks for. Test tables are called `<prefix>-<name>`."""
    if operation == "TransactWriteItems":
        for action in params["TransactItems"]:
            [(kind, wanted)] = action.items()
            yield wanted["TableName"], _OPERATIONS[kind]
    elif operation == "BatchGetItem":
        for table in params["RequestItems"]:
            yield table, operation
    else:
        yield params["TableName"], params.get("IndexName", operation)
