"""The shop's tables behind a boundary, and the stock ledger that is checked at every write."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from commerce.adapters.dynamodb import from_item, to_item
from stacks.tables import ALL
from tools.simulation.boundary import Boundaries
from tools.simulation.dynamodb import Client, Database
from tools.simulation.dynamodb.database import Image, StoredTable
from tools.simulation.errors import AwsLine

READS = frozenset({"get_item", "query"})
_NAMES = {
    "get_item": "GetItem",
    "batch_get_item": "BatchGetItem",
    "query": "Query",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "transact_write_items": "TransactWriteItems",
    "transact_get_items": "TransactGetItems",
}


class Write(NamedTuple):
    """An item that was written: what it was and what it is, still encoded; None is no item."""

    table: str
    pk: str
    sk: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None


Watch = Callable[[list[Write]], None]


class WatchedDatabase(Database):
    """Notes what is written, so that every step can be checked at the price of what it changed."""

    written: list[Write]

    def write(self, table: StoredTable, pk: str, sk: str, new: Image | None, *, expired: bool = False) -> None:
        """As ever."""
        old = table.image(pk, sk)
        self.written.append(Write(table.name, pk, sk, old.item if old else None, new.item if new else None))
        super().write(table, pk, sk, new, expired=expired)


class Tables:
    """DynamoDB as the shop's functions reach it. One for a process; `watch` is told after each call what
    it wrote."""

    def __init__(self) -> None:
        self.database = WatchedDatabase(ALL)
        self.database.written = []
        self.watch: Watch = lambda written: None
        self._client = Client(self.database)

    def call(self, boundaries: Boundaries, operation: str, parameters: dict[str, Any]) -> Any:
        """One call of a function."""
        name = _NAMES[operation]
        work = getattr(self._client, operation)
        boundary = f"dynamodb.{name} {_table(operation, parameters)}"
        if boundaries.story.told:
            boundaries.story.tell(boundary, _keys(operation, parameters))
        if operation == "batch_get_item":
            return self._batch(boundaries, boundary, parameters["RequestItems"])
        if operation in READS:
            return boundaries.call(boundary, "dynamodb.read", lambda: work(**parameters), AwsLine(name))

        def do() -> Any:
            answer = work(**parameters)
            self.seen()
            return answer

        line = AwsLine(name, actions=len(parameters.get("TransactItems", ())))
        return boundaries.call(boundary, "dynamodb.write", do, line)

    def _batch(self, boundaries: Boundaries, boundary: str, asked: dict[str, Any]) -> Any:
        """Refused in part, the last of several keys is left to be asked for again."""

        def work(keys: list[Any]) -> Any:
            return self._client.batch_get_item(RequestItems={table: {**request, "Keys": keys}})

        [(table, request)] = asked.items()
        *kept, last = keys = request["Keys"]
        kind = boundaries.strike(boundary, "dynamodb.batch")
        if kind == "refused_in_part" and kept:
            boundaries.fired(kind, boundary)
            return {**work(kept), "UnprocessedKeys": {table: {**request, "Keys": [last]}}}
        if kind is None or kind == "refused_in_part":
            return work(keys)
        return boundaries.fail(kind, boundary, lambda: work(keys), AwsLine("BatchGetItem"))

    def direct(self, operation: str, **parameters: Any) -> Any:
        """A call that is no boundary: for state machines, which have boundaries of their own, and for checks."""
        answer = getattr(self._client, operation)(**parameters)
        self.seen()
        return answer

    def overwrite(self, table: str, item: dict[str, Any]) -> None:
        """An item of an earlier release comes into the place of what is there."""
        self.direct("put_item", TableName=table, Item=to_item(item))

    def items(self, table: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every item of a table, decoded, with its keys."""
        for pk in self.database.table(table).partitions.by_key:
            for sk, item in self.partition(table, pk):
                yield pk, sk, item

    def partition(self, table: str, pk: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The items of one partition, decoded, with their sort keys."""
        partition = self.database.table(table).partitions.by_key.get(pk)
        for sk, image in (partition.images.items() if partition else ()):
            yield sk, from_item(image.item)

    def seen(self) -> None:
        """Hands on what was written since the last time."""
        if self.database.written:
            written, self.database.written = self.database.written, []
            self.watch(written)


def _table(operation: str, parameters: dict[str, Any]) -> str:
    if operation == "batch_get_item":
        return str(next(iter(parameters["RequestItems"])))
    if operation in ("transact_write_items", "transact_get_items"):
        return str(next(iter(parameters["TransactItems"][0].values()))["TableName"])
    return str(parameters["TableName"])


def _keys(operation: str, parameters: dict[str, Any]) -> str:
    if operation == "batch_get_item":
        return ", ".join(key["pk"]["S"] for request in parameters["RequestItems"].values() for key in request["Keys"])
    if operation == "query":
        return ", ".join(str(value.get("S")) for value in parameters["ExpressionAttributeValues"].values())
    actions = parameters.get("TransactItems") or [{"": parameters}]
    named = []
    for action in actions:
        [(kind, what)] = action.items()
        key = what.get("Key") or what["Item"]
        named.append(f"{kind} {key['pk']['S']}/{key['sk']['S']}".strip())
    return "; ".join(named)


