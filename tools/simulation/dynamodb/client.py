"""The calls of a boto3 DynamoDB client, answered by a `Database`."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from stacks.tables import Index
from tools.simulation.dynamodb import expressions
from tools.simulation.dynamodb.capacity import Place
from tools.simulation.dynamodb.database import LAG_SECONDS, TOKEN_SECONDS, Database, Image, Partition, StoredTable
from tools.simulation.dynamodb.errors import canceled, condition_failed, conflict, invalid, refused, throttled
from tools.simulation.dynamodb.queries import Page, bounds, keys_within
from tools.simulation.dynamodb.values import Attribute, Item, canonical, copied, size, text, weighed

Answer = dict[str, Any]
Parsed = TypeVar("Parsed")

LARGEST_ITEM = 400 * 1024
LARGEST_TRANSACTION = 4 * 1024 * 1024
MOST_ACTIONS = 100
_KEY_NAMES = frozenset(("pk", "sk"))
_LONGEST_KEY = {"pk": 2048, "sk": 1024}
_NOTHING: dict[str, Any] = {}


class _Write(NamedTuple):
    """One write, checked but not carried out."""

    table: StoredTable
    pk: str
    sk: str
    condition: expressions.Condition | None
    names: expressions.Names
    values: expressions.Values
    kind: str
    item: Image | None
    """What a put writes."""
    update: expressions.Update | None
    answers_item: bool
    """Whether a failed condition is answered with the item."""

    @property
    def place(self) -> Place:
        return self.table.name, self.pk, self.sk

    def holds(self, old: Image | None) -> bool:
        """Whether the condition does."""
        return self.condition is None or self.condition.holds(old.item if old else {}, self.names, self.values)

    def image(self, old: Image | None) -> Image | None:
        """What stands in the item's place once this is done."""
        if self.kind == "ConditionCheck":
            return old
        new = self._updated(old, self.update) if self.update else self.item
        if new:
            _check_index_keys(self.table, new.item)
        return new

    def _updated(self, old: Image | None, update: expressions.Update) -> Image:
        before, weight = old or weighed({"pk": {"S": self.pk}, "sk": {"S": self.sk}})
        item, touched = update.apply(before, self.names, self.values)
        for name in touched:
            if name in _KEY_NAMES:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. This attribute is "
                    "part of the key"
                )
            weight += _weight(name, item) - _weight(name, before)
        if weight > LARGEST_ITEM:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return Image(item, weight)


def _weight(name: str, item: Item) -> int:
    return len(name.encode()) + size(item[name]) if name in item else 0


class Client:
    """Stands where a boto3 client stands. Answers are the caller's own; nothing in them is shared with the tables."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get_item(
        self,
        *,
        TableName: str,
        Key: Item,
        ConsistentRead: bool = False,
        ProjectionExpression: str | None = None,
        ExpressionAttributeNames: Mapping[str, str] = _NOTHING,
    ) -> Answer:
        """One item, if it is there."""
        table = self.database.table(TableName)
        pk, sk = _key(Key)
        projection = _parsed(expressions.projection, ProjectionExpression)
        _check_placeholders(ExpressionAttributeNames, _NOTHING, _placeholders(projection))
        image = self._read(table, pk, sk, ConsistentRead)
        self._charge_read(table, pk, image.size if image else 0, ConsistentRead)
        if image is None:
            return _answer()
        return _answer(Item=_shown(image.item, projection, ExpressionAttributeNames))

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Answer:
        """The items that exist among at most 100 keys, and the keys for which their partitions have no units left."""
        wanted = [
            (self.database.table(name), *_key(key), request)
            for name, request in RequestItems.items()
            for key in request["Keys"]
        ]
        if not 0 < len(wanted) <= MOST_ACTIONS:
            raise invalid("Too many items requested for the BatchGetItem call")
        if len({(table.name, pk, sk) for table, pk, sk, _ in wanted}) < len(wanted):
            raise invalid("Provided list of item keys contains duplicates")
        found: dict[str, list[Item]] = {name: [] for name in RequestItems}
        left: dict[str, Any] = {}
        for table, pk, sk, request in wanted:
            if unknown := request.keys() - {"Keys", "ConsistentRead"}:
                raise NotImplementedError(f"batch_get_item with {sorted(unknown)}")
            consistent = request.get("ConsistentRead", False)
            image = self._read(table, pk, sk, consistent)
            if not self._takes_read(table, pk, image.size if image else 0, consistent):
                left.setdefault(table.name, {**request, "Keys": []})["Keys"].append({"pk": {"S": pk}, "sk": {"S": sk}})
            elif image:
                found[table.name].append(copied(image.item))
        if sum(len(request["Keys"]) for request in left.values()) == len(wanted):
            raise throttled()
        return _answer(Responses=found, UnprocessedKeys=left)

    def query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        IndexName: str | None = None,
        ExpressionAttributeNames: Mapping[str, str] = _NOTHING,
        ExpressionAttributeValues: Mapping[str, Attribute] = _NOTHING,
        FilterExpression: str | None = None,
        ProjectionExpression: str | None = None,
        ScanIndexForward: bool = True,
        ConsistentRead: bool = False,
        Limit: int | None = None,
        ExclusiveStartKey: Item | None = None,
    ) -> Answer:
        """One page of a partition, or of an index's partition, in sort order."""
        table = self.database.table(TableName)
        key_condition = expressions.key_condition(KeyConditionExpression)
        kept = _parsed(expressions.condition, FilterExpression, "FilterExpression")
        projection = _parsed(expressions.projection, ProjectionExpression)
        values = _canonical_values(ExpressionAttributeValues)
        _check_placeholders(ExpressionAttributeNames, values, _placeholders(key_condition, kept, projection))
        if IndexName and ConsistentRead:
            raise invalid("Consistent reads are not supported on global secondary indexes")
        if Limit is not None and Limit < 1:
            raise invalid(f"Limit must be greater than or equal to 1, but is {Limit}")
        index = _index(table, IndexName)
        key_names = (index.partition, index.sort) if index else ("pk", "sk")
        if kept:
            _check_filter(kept, key_names, ExpressionAttributeNames)
        asked = bounds(key_condition, key_names, ExpressionAttributeNames, values)
        partition = self._partition(table, IndexName, asked.partition, ConsistentRead)
        keys = keys_within(partition, asked, index, forward=ScanIndexForward, after=ExclusiveStartKey)
        page = Page(Limit)
        page.fill(partition.images[key] for key in keys)
        self._charge_read(table, f"{IndexName or ''}{asked.partition}", page.size, ConsistentRead)
        items = [
            _shown(item, projection, ExpressionAttributeNames)
            for item in (_projected(image.item, index) for image in page.images)
            if kept is None or kept.holds(item, ExpressionAttributeNames, values)
        ]
        answer = _answer(Items=items, Count=len(items), ScannedCount=len(page.images))
        if page.last:
            answer["LastEvaluatedKey"] = copied({name: page.last.item[name] for name in ("pk", "sk", *key_names)})
        return answer

    def scan(self, *, TableName: str, ConsistentRead: bool = False, ExclusiveStartKey: Item | None = None) -> Answer:
        """All items in one page. For checks: never behind, never throttled."""
        items = self.database.items(TableName)
        return _answer(Items=items, Count=len(items), ScannedCount=len(items))

    def get_paginator(self, operation: str) -> "_Paginator":
        """Page after page of `scan` or `query`."""
        return _Paginator(getattr(self, operation))

    def put_item(
        self,
        *,
        TableName: str,
        Item: Item,
        ReturnValues: str = "NONE",
        **condition: Any,
    ) -> Answer:
        """Writes a whole item."""
        return self._single("Put", ReturnValues, {"TableName": TableName, "Item": Item, **condition})

    def update_item(
        self,
        *,
        TableName: str,
        Key: Item,
        ReturnValues: str = "NONE",
        **changes: Any,
    ) -> Answer:
        """Changes attributes of an item, which is made if it is not there."""
        changes.setdefault("UpdateExpression", None)
        return self._single("Update", ReturnValues, {"TableName": TableName, "Key": Key, **changes})

    def delete_item(
        self,
        *,
        TableName: str,
        Key: Item,
        ReturnValues: str = "NONE",
        **condition: Any,
    ) -> Answer:
        """Takes an item away; one that is not there stays so."""
        return self._single("Delete", ReturnValues, {"TableName": TableName, "Key": Key, **condition})

    def transact_write_items(
        self, *, TransactItems: list[dict[str, Any]], ClientRequestToken: str | None = None
    ) -> Answer:
        """Carries out all actions or none."""
        if not 0 < len(TransactItems) <= MOST_ACTIONS:
            raise invalid(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MOST_ACTIONS}, and greater than or equal to 1"
            )
        now = self.database.clock()
        writes = [self._prepared(action) for action in TransactItems]
        if ClientRequestToken is not None and self._is_repeated(ClientRequestToken, writes, now):
            return _answer()
        if len({write.place for write in writes}) < len(writes):
            raise invalid("Transaction request cannot include multiple operations on one item")
        images = self._agreed(writes, now)
        if sum([image.size for image in images if image]) > LARGEST_TRANSACTION:
            raise invalid("Collective size of items in transaction exceeded the limit of 4 MB")
        for write, image in zip(writes, images, strict=True):
            if write.kind != "ConditionCheck":
                self.database.write(write.table, write.pk, write.sk, image)
        if ClientRequestToken is not None:
            self.database.tokens[ClientRequestToken] = (now + TOKEN_SECONDS, writes)
        return _answer()

    def _is_repeated(self, token: str, writes: list[_Write], now: float) -> bool:
        """Whether this very transaction was carried out before. Raises IdempotentParameterMismatch for another one."""
        if not 1 <= len(token) <= 36:
            raise invalid("1 validation error detected: Value at 'clientRequestToken' must have 1 to 36 characters")
        until, known = self.database.tokens.get(token, (0.0, None))
        if until <= now:
            return False
        if known != writes:
            raise refused(
                "IdempotentParameterMismatchException",
                "The provided client token was already used with another set of request parameters",
            )
        return True

    def _agreed(self, writes: list[_Write], now: float) -> list[Image | None]:
        """What the items become. Raises TransactionCanceledException with a reason for every item."""
        images: list[Image | None] = []
        reasons: list[dict[str, Any] | None] = []
        for write in writes:
            old = write.table.image(write.pk, write.sk)
            image, reason = self._outcome(write, old)
            if self.database.capacity:
                reason = self._busy(write, old, image, now, doubled=True) or reason
            images.append(image)
            reasons.append(reason)
        if self.database.capacity:
            agreed = [write.place for write, reason in zip(writes, reasons, strict=True) if reason is None]
            self.database.capacity.hold(agreed, now)
        if any(reasons):
            raise canceled([reason or {"Code": "None"} for reason in reasons])
        return images

    def _outcome(self, write: _Write, old: Image | None) -> tuple[Image | None, dict[str, Any] | None]:
        """What the item becomes, or why it does not."""
        try:
            if write.holds(old):
                return write.image(old), None
        except ClientError as error:
            return None, {"Code": "ValidationError", "Message": error.response["Error"]["Message"]}
        reason: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
        if write.answers_item and old:
            reason["Item"] = copied(old.item)
        return None, reason

    def _busy(
        self, write: _Write, old: Image | None, new: Image | None, now: float, *, doubled: bool
    ) -> dict[str, Any] | None:
        """Why the item cannot be written at this moment, with a capacity model."""
        capacity = self.database.capacity
        if capacity is None:
            return None
        largest = max(old.size if old else 0, new.size if new else 0, 1)
        units = -(-largest // 1024) * (2 if doubled else 1)
        if not capacity.takes("write", write.table.name, write.pk, units, now):
            return {
                "Code": "ThrottlingError",
                "Message": "Throughput exceeds the current capacity of your table or index.",
            }
        if capacity.is_held(write.place, now):
            return {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
        return None

    def _single(self, kind: str, returned: str, parameters: dict[str, Any]) -> Answer:
        write = self._prepared({kind: parameters})
        old = write.table.image(write.pk, write.sk)
        holds = write.holds(old)
        new = write.image(old) if holds else None
        if busy := self._busy(write, old, new, self.database.clock(), doubled=False):
            raise conflict() if busy["Code"] == "TransactionConflict" else throttled()
        if not holds:
            raise condition_failed(copied(old.item) if write.answers_item and old else None)
        self.database.write(write.table, write.pk, write.sk, new)
        if returned == "NONE":
            return _answer()
        images = {"ALL_OLD": old, "ALL_NEW": new}
        if returned not in images or (returned == "ALL_NEW" and kind != "Update"):
            raise NotImplementedError(f"{kind} that returns {returned}")
        image = images[returned]
        return _answer(Attributes=copied(image.item)) if image else _answer()

    def _prepared(self, action: dict[str, Any]) -> _Write:
        """The action, with everything checked that does not depend on the item as it stands."""
        [(kind, parameters)] = action.items()
        if not parameters.keys() <= _PARAMETERS[kind]:
            raise TypeError(f"{kind} with {sorted(parameters.keys() - _PARAMETERS[kind])}")
        table = self.database.table(parameters["TableName"])
        names = parameters.get("ExpressionAttributeNames", _NOTHING)
        values = _canonical_values(parameters.get("ExpressionAttributeValues", _NOTHING))
        condition_text, update_text = parameters.get("ConditionExpression"), parameters.get("UpdateExpression")
        condition, update, used = _plan(kind, condition_text, update_text)
        item = _stored(parameters["Item"]) if kind == "Put" else None
        pk, sk = (item.item["pk"]["S"], item.item["sk"]["S"]) if item else _key(parameters["Key"])
        if kind == "ConditionCheck" and condition is None:
            raise invalid("The ConditionExpression parameter is required")
        if used or names is not _NOTHING or values is not _NOTHING:
            _check_placeholders(names, values, used)
        answers_item = parameters.get("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
        return _Write(table, pk, sk, condition, names, values, kind, item, update, answers_item)

    def _read(self, table: StoredTable, pk: str, sk: str, consistent: bool) -> Image | None:
        if not consistent and self.database.lags():
            return self.database.before_its_last_write(table, pk, sk)
        return table.image(pk, sk)

    def _partition(self, table: StoredTable, index: str | None, key: str, consistent: bool) -> Partition:
        behind = not consistent and self.database.lags()
        if index:
            table.catch_up(self.database.clock() - LAG_SECONDS if behind else float("inf"))
            return table.indexes[index].by_key.get(key) or Partition(0)
        partition = table.partitions.by_key.get(key) or Partition(0)
        if behind:
            partition = partition.copy(0)
            for pk, sk in table.recent:
                if pk == key:
                    partition.put(sk, self.database.before_its_last_write(table, pk, sk))
        return partition

    def _charge_read(self, table: StoredTable, partition: str, weight: int, consistent: bool) -> None:
        if not self._takes_read(table, partition, weight, consistent):
            raise throttled()

    def _takes_read(self, table: StoredTable, partition: str, weight: int, consistent: bool) -> bool:
        """Whether the partition has the units, which it then has no more."""
        capacity = self.database.capacity
        if capacity is None:
            return True
        units = max(-(-weight // 4096), 1) * (1.0 if consistent else 0.5)
        return capacity.takes("read", table.name, partition, units, self.database.clock())


_EXPRESSION = {"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}
_WRITE = {"TableName", "ReturnValuesOnConditionCheckFailure", *_EXPRESSION}
_PARAMETERS = {
    "Put": {"Item", *_WRITE},
    "Update": {"Key", "UpdateExpression", *_WRITE},
    "Delete": {"Key", *_WRITE},
    "ConditionCheck": {"Key", *_WRITE},
}


class _Paginator:
    def __init__(self, call: Callable[..., Answer]) -> None:
        self._call = call

    def paginate(self, **parameters: Any) -> Iterator[Answer]:
        while True:
            answer = self._call(**parameters)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _answer(**parts: Any) -> Answer:
    return {**parts, "ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}


def _key(key: Mapping[str, Attribute]) -> tuple[str, str]:
    """Both keys of an item, which must be all that is given."""
    if key.keys() != _KEY_NAMES:
        raise invalid("The provided key element does not match the schema")
    return _key_text(key, "pk"), _key_text(key, "sk")


def _key_text(item: Mapping[str, Attribute], name: str) -> str:
    value = item[name].get("S")
    if value is None:
        raise invalid("The provided key element does not match the schema")
    if not value:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {name}"
        )
    if len(value) > 255 and len(value.encode()) > _LONGEST_KEY[name]:
        raise invalid(
            f"One or more parameter values were invalid: Size of key {name} has exceeded the maximum size limit of "
            f"{_LONGEST_KEY[name]} bytes"
        )
    return value if type(value) is str else text(value)


def _stored(item: Mapping[str, Attribute]) -> Image:
    """A whole item as it is to be stored."""
    own, weight = weighed(item)
    for name in ("pk", "sk"):
        if name not in own:
            raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
        if "S" not in own[name]:
            kind = next(iter(own[name]))
            raise invalid(
                f"One or more parameter values were invalid: Type mismatch for key {name} expected: S actual: {kind}"
            )
        _key_text(own, name)
    if weight > LARGEST_ITEM:
        raise invalid("Item size has exceeded the maximum allowed size")
    return Image(own, weight)


def _check_index_keys(table: StoredTable, item: Item) -> None:
    for name, index in table.index_keys:
        if name not in item:
            continue
        if "S" not in item[name]:
            kind = next(iter(item[name]))
            raise invalid(
                f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: S "
                f"Actual: {kind} IndexName: {index}"
            )
        if not item[name]["S"]:
            raise invalid(
                "One or more parameter values are not valid. A value specified for a secondary index key is not "
                "supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                f"IndexName: {index}, IndexKey: {name}"
            )


def _parsed(parse: Callable[..., Parsed], text: str | None, *more: str) -> Parsed | None:
    """The expression, where one is given. An empty one is a mistake."""
    return None if text is None else parse(text, *more)


def _canonical_values(values: Mapping[str, Attribute]) -> dict[str, Attribute]:
    if values is _NOTHING:
        return _NOTHING
    return {placeholder: canonical(value) for placeholder, value in values.items()}


@cache
def _plan(
    kind: str, condition: str | None, update: str | None
) -> tuple[expressions.Condition | None, expressions.Update | None, frozenset[str]]:
    """A write's expressions, and the names and values that they use."""
    parsed = _parsed(expressions.condition, condition)
    change = (_parsed(expressions.update, update) or expressions.NO_CHANGE) if kind == "Update" else None
    return parsed, change, _placeholders(parsed, change)


def _placeholders(*parsed: Any) -> frozenset[str]:
    used: frozenset[str] = frozenset()
    return used.union(*[expression.placeholders for expression in parsed if expression])


def _check_placeholders(names: expressions.Names, values: expressions.Values, used: frozenset[str]) -> None:
    """All names and values that are given are used, and all that are used are given."""
    for kind, given in (("Names", names), ("Values", values)):
        if not given and given is not _NOTHING:
            raise invalid(f"ExpressionAttribute{kind} must not be empty")
    if len(used) == len(names) + len(values) and used.issuperset(names) and used.issuperset(values):
        return
    for placeholder in sorted(used):
        if placeholder[0] == "#":
            expressions.attribute_name(placeholder, names)
        else:
            expressions.value_of(placeholder, values)
    for kind, given in (("Names", names), ("Values", values)):
        if unused := sorted(given.keys() - used):
            raise invalid(
                f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{', '.join(unused)}}}"
            )


def _index(table: StoredTable, name: str | None) -> Index | None:
    if name is None:
        return None
    if name not in table.indexes:
        raise invalid(f"The table does not have the specified index: {name}")
    return table.index(name)


def _check_filter(kept: expressions.Condition, key_names: tuple[str, str], names: expressions.Names) -> None:
    for path in sorted(kept.paths):
        if (name := expressions.attribute_name(path, names)) in key_names:
            raise invalid(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def _projected(item: Item, index: Index | None) -> Item:
    """What an index shows of an item."""
    if index is None or index.projection == "ALL":
        return item
    shown = {"pk", "sk", index.partition, index.sort, *index.includes}
    return {name: attribute for name, attribute in item.items() if name in shown}


def _shown(item: Item, projection: expressions.Projection | None, names: expressions.Names) -> Item:
    """The caller's own copy of what it asked for."""
    if projection is None:
        return copied(item)
    shown = {expressions.attribute_name(path, names) for path in projection.paths}
    return copied({name: attribute for name, attribute in item.items() if name in shown})
