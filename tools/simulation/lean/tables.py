"""DynamoDB in Python values: what `commerce.adapters.dynamodb` offers to repositories, without encoding or expressions.

`install` puts it in that module's place, before any repository is loaded. Items are never changed once they are stored,
so they are handed out as they are. A transaction that is sent again changes nothing, as its token promises.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import ge, gt, le, lt
from typing import Any, NamedTuple, TypeVar

from commerce.adapters import dynamodb
from commerce.adapters.dynamodb import Condition, Item
from commerce.errors import ConditionFailed, Contended
from stacks.tables import ALL
from tools.simulation.boundary import Boundaries
from tools.simulation.dynamodb.database import LAG_SECONDS
from tools.simulation.errors import AwsLine, client_error
from tools.simulation.tables import Watch, Write

T = TypeVar("T")
Rows = dict[str, dict[str, dict[str, Item]]]
"""Items by table, partition key and sort key."""
_BUSY = "many want the same at this moment; send the request again"
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
INDEXED = {table.name: tuple(index.partition for index in table.indexes) for table in ALL if table.indexes}
"""By table: the attributes by which its indexes find items."""
_PAUSE = 0.05
"""Seconds until a transaction that met another one is tried again."""


class Action(NamedTuple):
    """What a transaction does with one item. `item` replaces it; `change` makes the new one of the old one."""

    kind: str
    table: str
    pk: str
    sk: str
    conditions: tuple[Condition, ...]
    item: Item | None = None
    change: Callable[[Item], Item] | None = None


def put(table: str, item: Mapping[str, Any], *conditions: Condition) -> Action:
    """As `dynamodb.put`."""
    return Action("Put", table, item["pk"], item["sk"], conditions, dict(item))


def update(
    table: str,
    pk: str,
    sk: str,
    *conditions: Condition,
    set: Mapping[str, Any] | None = None,
    add: Mapping[str, int] | None = None,
    remove: Iterable[str] = (),
) -> Action:
    """As `dynamodb.update`."""
    removed = tuple(remove)

    def changed(old: Item) -> Item:
        new = {**old, **set} if set else dict(old)
        for name, by in add.items() if add else ():
            new[name] = old.get(name, 0) + by
        for name in removed:
            new.pop(name, None)
        return new

    return Action("Update", table, pk, sk, conditions, change=changed)


def delete(table: str, pk: str, sk: str, *conditions: Condition) -> Action:
    """As `dynamodb.delete`."""
    return Action("Delete", table, pk, sk, conditions)


def check(table: str, pk: str, sk: str, *conditions: Condition) -> Action:
    """As `dynamodb.check`."""
    return Action("ConditionCheck", table, pk, sk, conditions)


def transact(client: "Client", actions: Iterable[Action], *, attempts: int = 8) -> None:
    """As `dynamodb.transact`. Raises ConditionFailed and Contended."""
    tables, wanted = client.tables, list(actions)
    done = False

    def do() -> None:
        nonlocal done
        if not done:
            tables.commit(wanted)
            done = True

    boundary = tables.boundary("transact", wanted[0].table)
    kind = tables.boundaries.strike(boundary, "store.transaction")
    if kind == "conflict" and attempts > 1:
        tables.boundaries.fired(kind, boundary)
        tables.boundaries.scheduler.sleep(_PAUSE)
        kind = None
    if kind is None:
        do()
    else:
        tables.boundaries.fail(kind, boundary, do, StoreLine("TransactWriteItems"))


class StoreLine(AwsLine):
    """What reaches a repository after the adapter has seen it."""

    def throttled(self) -> Any:
        """Refused however often it was tried."""
        return Contended(_BUSY)

    conflict = throttled


@dataclass
class Tables:
    """All tables of one world."""

    boundaries: Boundaries
    watch: Watch
    """Is told after each call what it wrote."""
    rows: Rows
    lagging: Callable[[], bool] = lambda: False
    """Whether the eventually consistent read that asks is behind."""
    _indexed: dict[tuple[str, str], dict[str, dict[tuple[str, str], Item]]] = field(default_factory=dict)
    """By table and attribute: items by its value, for the indexes. Those of the base are in none."""
    _before: dict[tuple[str, str, str], tuple[float, Item | None]] = field(default_factory=dict)
    """When each item was last written, and what stood there before."""
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def boundary(self, operation: str, table: str) -> str:
        """What the boundary is called."""
        known = self._names.get((operation, table))
        if known is None:
            known = self._names[operation, table] = f"store.{operation} {table}"
        return known

    def find(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """The item as a read sees it."""
        if not consistent and self.lagging():
            written, before = self._before.get((table, pk, sk), (0.0, None))
            if self.boundaries.scheduler.now - written < LAG_SECONDS:
                return before
        partition = self.rows[table].get(pk)
        return partition.get(sk) if partition else None

    def commit(self, actions: list[Action]) -> None:
        """All of them or none. Raises ConditionFailed with the positions of those that were refused."""
        found = [self.find(action.table, action.pk, action.sk) for action in actions]
        failed = tuple(
            position
            for position, (action, item) in enumerate(zip(actions, found, strict=True))
            if action.conditions and not all(_holds(condition, item or {}) for condition in action.conditions)
        )
        if failed:
            raise ConditionFailed(failed)
        if len(actions) > 1 and len({action[1:4] for action in actions}) < len(actions):
            raise ValueError("a transaction works on an item once")
        self.watch(
            [
                self._write(action, old)
                for action, old in zip(actions, found, strict=True)
                if action.kind != "ConditionCheck"
            ]
        )

    def _write(self, action: Action, old: Item | None) -> Write:
        new = action.item
        if action.change is not None:
            new = action.change(old or {"pk": action.pk, "sk": action.sk})
        partition = self.rows[action.table].setdefault(action.pk, {})
        if new is None:
            partition.pop(action.sk, None)
        else:
            partition[action.sk] = new
        self._before[action[1:4]] = self.boundaries.scheduler.now, old
        for attribute in INDEXED.get(action.table, ()):
            self._move(action.table, attribute, (action.pk, action.sk), old, new)
        return Write(action.table, action.pk, action.sk, old, new)

    def _move(
        self, table: str, attribute: str, key: tuple[str, str], old: Item | None, new: Item | None
    ) -> None:
        values = self._indexed.setdefault((table, attribute), {})
        if old is not None and attribute in old:
            values[old[attribute]].pop(key, None)
        if new is not None and attribute in new:
            values.setdefault(new[attribute], {})[key] = new

    def indexed(self, table: str, attribute: str, value: str) -> list[Item]:
        """The items that an index over this attribute shows for the value."""
        return list(self._indexed.get((table, attribute), {}).get(value, {}).values())

    def items(self, table: str) -> Iterator[tuple[str, str, Item]]:
        """Every item of a table with its keys."""
        for pk, partition in self.rows[table].items():
            for sk, item in partition.items():
                yield pk, sk, item

    def partition(self, table: str, pk: str) -> Iterator[tuple[str, Item]]:
        """The items of one partition with their sort keys."""
        yield from self.rows[table].get(pk, {}).items()

    def overwrite(self, table: str, item: Item) -> None:
        """An item of an earlier release comes into the place of what is there."""
        self.commit([put(table, item)])

    def direct(self, operation: str, **parameters: Any) -> None:
        """The call by which a state machine stores a token: encoded, since the machine's definition says it so."""
        assert operation == "update_item"
        key = dynamodb.from_item(parameters["Key"])
        try:
            self.commit([_token_stored(parameters, key["pk"], key["sk"])])
        except ConditionFailed:
            raise client_error("ConditionalCheckFailedException", "UpdateItem") from None


def copied(rows: Rows) -> Rows:
    """The same items in tables of their own. Every table is there."""
    tables = {name: {pk: dict(partition) for pk, partition in table.items()} for name, table in rows.items()}
    return {table.name: tables.get(table.name, {}) for table in ALL}


def _holds(condition: Condition, item: Item) -> bool:
    name, operator = condition[0], condition[1]
    if operator == "exists":
        return name in item
    if operator == "missing":
        return name not in item
    wanted = condition[2]  # type: ignore[misc]
    if operator.startswith("missing or "):
        return name not in item or _compares(operator[11:], item[name], wanted)
    if operator == "<>":
        return name not in item or item[name] != wanted
    return name in item and _compares(operator, item[name], wanted)


def _compares(operator: str, value: Any, wanted: Any) -> bool:
    if operator == "=":
        return bool(value == wanted)
    if operator == "in":
        return value in wanted
    return _COMPARED[operator](value, wanted)


def _token_stored(parameters: Mapping[str, Any], pk: str, sk: str) -> Action:
    names, values = parameters["ExpressionAttributeNames"], parameters["ExpressionAttributeValues"]
    assigned, removed, name, wanted = _grammar(parameters["UpdateExpression"], parameters["ConditionExpression"])
    return update(
        parameters["TableName"],
        pk,
        sk,
        (names.get(name, name), "in", [dynamodb.decode(values[one]) for one in wanted]),
        set={attribute: dynamodb.decode(values[value]) for attribute, value in assigned},
        remove=removed,
    )


@cache
def _grammar(
    update: str, condition: str
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], str, tuple[str, ...]]:
    """Of `SET a = :a, b = :b REMOVE c` under `#s = :x` or `#s IN (:x, :y)`: what is set, removed, and must be what."""
    sets, _, removes = update.removeprefix("SET ").partition(" REMOVE ")
    assigned = tuple((one.split(" = ")[0].strip(), one.split(" = ")[1].strip()) for one in sets.split(","))
    name, _, values = condition.replace(" IN ", " = ").partition(" = ")
    wanted = tuple(one.strip() for one in values.strip("()").split(","))
    return assigned, tuple(one.strip() for one in removes.split(",") if one), name, wanted


class Client:
    """Stands where repositories keep their client: they are built once, and worlds come and go behind them."""

    tables: Tables


@dataclass(frozen=True)
class Table(dynamodb.Table):
    """As its base: what is made of single reads and writes is inherited."""

    client: Client

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """As ever."""
        return self._read("get", lambda: self.client.tables.find(self.name, pk, sk, consistent=consistent))

    def get_many(self, keys: Iterable[tuple[str, str]], *, consistent: bool = False) -> list[Item]:
        """As ever."""
        tables = self.client.tables
        return self._read(
            "get_many",
            lambda: [
                item
                for pk, sk in dict.fromkeys(keys)
                if (item := tables.find(self.name, pk, sk, consistent=consistent)) is not None
            ],
        )

    def query(
        self,
        partition: str,
        *,
        sort: Condition | None = None,
        prefix: str | None = None,
        index: str | None = None,
        keys: tuple[str, str] = ("pk", "sk"),
        limit: int | None = None,
        descending: bool = False,
        consistent: bool = False,
    ) -> Iterator[Item]:
        """As ever, in one page."""
        found = self._read("query", lambda: self._matching(partition, sort, prefix, index, keys))
        found.sort(key=lambda item: item[keys[1]], reverse=descending)
        return iter(found[:limit])

    def _matching(
        self, partition: str, sort: Condition | None, prefix: str | None, index: str | None, keys: tuple[str, str]
    ) -> list[Item]:
        tables = self.client.tables
        if index is None:
            items = [item for _, item in tables.partition(self.name, partition)]
        else:
            items = tables.indexed(self.name, keys[0], partition)
        return [item for item in items if _in_range(item.get(keys[1]), sort, prefix)]

    def put(self, item: Mapping[str, Any], *conditions: Condition) -> None:
        """As ever. Raises ConditionFailed."""
        self._write("put", put(self.name, item, *conditions))

    def update(
        self,
        pk: str,
        sk: str,
        *conditions: Condition,
        set: Mapping[str, Any] | None = None,
        remove: Iterable[str] = (),
    ) -> None:
        """As ever. Raises ConditionFailed."""
        self._write("update", update(self.name, pk, sk, *conditions, set=set, remove=remove))

    def advance(
        self, pk: str, sk: str, attribute: str, by: int, *conditions: Condition, set: Mapping[str, Any]
    ) -> int:
        """As ever. Raises ConditionFailed."""
        self._write("update", update(self.name, pk, sk, *conditions, set=set, add={attribute: by}))
        item = self.client.tables.find(self.name, pk, sk)
        assert item is not None
        advanced: int = item[attribute]
        return advanced

    def delete(self, pk: str, sk: str, *conditions: Condition) -> None:
        """As ever. Raises ConditionFailed."""
        self._write("delete", delete(self.name, pk, sk, *conditions))

    def _read(self, operation: str, do: Callable[[], T]) -> T:
        tables = self.client.tables
        return tables.boundaries.call(tables.boundary(operation, self.name), "store.read", do, StoreLine(operation))

    def _write(self, operation: str, action: Action) -> None:
        tables = self.client.tables
        boundary = tables.boundary(operation, self.name)
        tables.boundaries.call(boundary, "store.write", lambda: tables.commit([action]), StoreLine(operation))


def _in_range(value: str | None, sort: Condition | None, prefix: str | None) -> bool:
    if value is None or (prefix is not None and not value.startswith(prefix)):
        return False
    if sort is None:
        return True
    if sort[1] == "between":
        low, high = sort[2]  # type: ignore[misc]
        return bool(low <= value <= high)
    return _compares(sort[1], value, sort[2])  # type: ignore[misc]


def install() -> None:
    """Puts itself into the adapter's place."""
    adapter: Any = dynamodb
    for stand_in in (put, update, delete, check, transact, Table):
        setattr(adapter, stand_in.__name__, stand_in)
