"""A function's handler with the rights on tables that the stack gives its role, and no others."""

from collections.abc import Callable, Iterator
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


class NotGranted(BaseException):
    """The function asked for what its role does not allow; no handler takes this for a fault of a service."""


def confined(handler: Handler, name: str) -> Handler:
    """The handler, whose calls of DynamoDB are refused where `FUNCTIONS[name]` does not grant them.

    A test's own calls, before and after the handler's, are not.
    """
    granted = {(table.name, operation) for table, own in FUNCTIONS[name].tables.items() for operation in own}

    def check(params: dict[str, Any], model: Any, **_: Any) -> None:
        for table, operation in _asked(model.name, params):
            if (table.partition("-")[2], operation) not in granted:
                raise NotGranted(f"{name}: {operation} on {table}")

    def confined_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        calls = aws.client("dynamodb").meta.events
        calls.register("provide-client-params.dynamodb", check)
        try:
            return handler(event, context)
        finally:
            calls.unregister("provide-client-params.dynamodb", check)

    return confined_handler


def _asked(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Table and operation of all that a request asks for. Test tables are called `<prefix>-<name>`."""
    if operation == "TransactWriteItems":
        for action in params["TransactItems"]:
            [(kind, wanted)] = action.items()
            yield wanted["TableName"], _OPERATIONS[kind]
    elif operation == "BatchGetItem":
        for table in params["RequestItems"]:
            yield table, operation
    else:
        yield params["TableName"], operation
