"""DynamoDB without boto3's resource layer: a codec, condition expressions and transactions.

Items are plain dictionaries of str, int, bool, None, list and dict. A float is refused: no float ever holds money.
"""

import hashlib
import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from commerce.errors import ConditionFailed as ConditionFailed
from commerce.errors import Contended as Contended

Item = dict[str, Any]
Condition = tuple[str, str, Any] | tuple[str, str]
"""(attribute, operator[, value]): operators are exists, missing, =, <>, <, <=, >, >=, "missing or <=", "missing or >=",
in. All must hold."""

CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
BUSY = frozenset({CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons that pass: another transaction holds the item, or its partition has no units left in this second."""
_BUSY_CODES = {
    "TransactionConflictException": CONFLICT,
    "ProvisionedThroughputExceededException": "ProvisionedThroughputExceeded",
    "ThrottlingException": "ThrottlingError",
}
ATTEMPTS = 8
"""How often what is busy is tried, with growing, random pauses: about 1.5 s in all. A single call that is throttled the
SDK has tried already."""
_MANY_WANT_IT = "many want the same at this moment; send the request again"


def encode(value: Any) -> dict[str, Any]:
    """A Python value as a DynamoDB attribute value."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, Mapping):
        return {"M": {str(name): encode(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [encode(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def decode(attribute: Mapping[str, Any]) -> Any:
    """A DynamoDB attribute value as a Python value."""
    if "S" in attribute:
        return attribute["S"]
    if "N" in attribute:
        return int(attribute["N"])
    if "M" in attribute:
        return {name: decode(inner) for name, inner in attribute["M"].items()}
    if "L" in attribute:
        return [decode(inner) for inner in attribute["L"]]
    if "BOOL" in attribute:
        return attribute["BOOL"]
    if "NULL" in attribute:
        return None
    raise TypeError(f"the shop stores no attribute of type {', '.join(attribute)}")


def to_item(values: Mapping[str, Any]) -> Item:
    """A whole item, encoded."""
    return {name: encode(value) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> Item:
    """A whole item, decoded."""
    return {name: decode(value) for name, value in item.items()}


def fields(item: Item) -> Item:
    """What an item says, without the keys under which it stands."""
    return {name: value for name, value in item.items() if name not in ("pk", "sk")}


@dataclass
class _Expression:
    """Collects the names and values that an expression refers to."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def name(self, attribute: str) -> str:
        placeholder = f"#{len(self.names)}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, value: Any) -> str:
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = encode(value)
        return placeholder

    def condition(self, condition: Condition) -> str:
        attribute, operator = condition[0], condition[1]
        if operator == "exists":
            return f"attribute_exists({self.name(attribute)})"
        if operator == "missing":
            return f"attribute_not_exists({self.name(attribute)})"
        value = condition[2]  # type: ignore[misc]
        if operator == "in":
            return f"{self.name(attribute)} IN ({', '.join(self.value(one) for one in value)})"
        if operator.startswith("missing or "):
            name, comparator = self.name(attribute), operator.removeprefix("missing or ")
            return f"(attribute_not_exists({name}) OR {name} {comparator} {self.value(value)})"
        return f"{self.name(attribute)} {operator} {self.value(value)}"

    def parameters(self, conditions: Iterable[Condition]) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        if text := " AND ".join(self.condition(one) for one in conditions):
            parameters["ConditionExpression"] = text
        if self.names:
            parameters["ExpressionAttributeNames"] = self.names
        if self.values:
            parameters["ExpressionAttributeValues"] = self.values
        return parameters


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def at_least(attribute: str, least: int) -> Condition:
    """The number is not smaller; it counts as 0 while it is not there."""
    return attribute, ">=" if least > 0 else "missing or >=", least


def at_most(attribute: str, most: int) -> Condition:
    """The number is not larger; it counts as 0 while it is not there."""
    return attribute, "<=" if most < 0 else "missing or <=", most


def put(table: str, item: Mapping[str, Any], *conditions: Condition) -> dict[str, Any]:
    """A transaction's action: write the whole item."""
    return {"Put": {"TableName": table, "Item": to_item(item), **_Expression().parameters(conditions)}}


def update(
    table: str,
    pk: str,
    sk: str,
    *conditions: Condition,
    set: Mapping[str, Any] | None = None,  # the word of DynamoDB's own grammar
    add: Mapping[str, int] | None = None,
    remove: Iterable[str] = (),
) -> dict[str, Any]:
    """A transaction's action: change attributes of one item. `add` takes signed numbers.

    Stock and money are added to only inside a transaction that also puts a guard item: a retried update adds twice.
    """
    expression = _Expression()
    clauses = []
    if set:
        clauses.append("SET " + ", ".join(f"{expression.name(a)} = {expression.value(v)}" for a, v in set.items()))
    if add:
        clauses.append("ADD " + ", ".join(f"{expression.name(a)} {expression.value(v)}" for a, v in add.items()))
    if removed := [expression.name(attribute) for attribute in remove]:
        clauses.append("REMOVE " + ", ".join(removed))
    return {
        "Update": {
            "TableName": table,
            "Key": _key(pk, sk),
            "UpdateExpression": " ".join(clauses),
            **expression.parameters(conditions),
        }
    }


def delete(table: str, pk: str, sk: str, *conditions: Condition) -> dict[str, Any]:
    """A transaction's action: remove one item."""
    return {"Delete": {"TableName": table, "Key": _key(pk, sk), **_Expression().parameters(conditions)}}


def check(table: str, pk: str, sk: str, *conditions: Condition) -> dict[str, Any]:
    """A transaction's action: change nothing, but hold the transaction to these conditions."""
    return {"ConditionCheck": {"TableName": table, "Key": _key(pk, sk), **_Expression().parameters(conditions)}}


def transact(client: Any, actions: list[dict[str, Any]], *, attempts: int = ATTEMPTS) -> None:
    """Carries out all actions or none.

    The request token is the digest of the actions, so botocore's own retry of a lost answer is harmless; it lives for
    10 minutes. What lasts is the guard item (put under a condition) that every transaction on stock or money
    contains. What is busy (`BUSY`) is tried again (`ATTEMPTS`).
    Raises ConditionFailed or Contended.
    """
    token = hashlib.sha256(json.dumps(actions, sort_keys=True).encode()).hexdigest()[:36]
    for attempt in range(attempts):
        try:
            client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
            return
        except ClientError as error:
            reasons = _cancellation(error)
            if reasons is None:
                raise
            failed = tuple(i for i, reason in enumerate(reasons) if reason == CONDITION_FAILED)
            if failed:
                raise ConditionFailed(failed) from error
            if BUSY.isdisjoint(reasons):
                raise
        _pause(attempt)
    raise Contended("many buyers want the same thing at this moment; send the request again")


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 5)))  # jitter


def _cancellation(error: ClientError) -> list[str] | None:
    """Why each action was refused; None where the error is not about that."""
    code = error.response["Error"]["Code"]
    if code in _BUSY_CODES:
        return [_BUSY_CODES[code]]
    if code != "TransactionCanceledException":
        return None
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]


@dataclass(frozen=True)
class Table:
    """One table: reads, and single writes that are safe to repeat."""

    client: Any
    name: str

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """The item, or None."""
        answer = self._call("get_item", {"TableName": self.name, "Key": _key(pk, sk), "ConsistentRead": consistent})
        return from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[tuple[str, str]], *, consistent: bool = False) -> list[Item]:
        """The items that exist among `keys`, in no promised order. Duplicate keys are asked for once.

        Raises Contended.
        """
        wanted = [_key(pk, sk) for pk, sk in dict.fromkeys(keys)]
        batches = (wanted[start : start + 100] for start in range(0, len(wanted), 100))
        return [from_item(item) for batch in batches for item in self.batch(batch, consistent=consistent)]

    def batch(self, keys: list[Item], *, consistent: bool) -> list[Item]:
        """The items that exist among at most 100 keys; items and keys are as DynamoDB has them, still encoded.

        It leaves out the keys for which their partitions have no units left, or its answer no room (16 MB), and calls
        that success, so that the SDK does not try again: here they are asked for again (`ATTEMPTS`). Raises Contended.
        """
        found: list[Item] = []
        pending: dict[str, Any] = {self.name: {"Keys": keys, "ConsistentRead": consistent}}
        for attempt in range(ATTEMPTS):
            answer = self._call("batch_get_item", {"RequestItems": pending})
            found += answer["Responses"].get(self.name, [])
            pending = answer.get("UnprocessedKeys") or {}
            if not pending:
                return found
            _pause(attempt)
        raise Contended(_MANY_WANT_IT)

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
        """Items of one partition in sort order, page after page, at most `limit`.

        `keys` names the partition and sort attributes (of `index`, where given). `sort` bounds the sort key by
        `<`, `<=`, `>`, `>=` or `between` (low, high); `prefix` by its beginning.
        """
        expression = _Expression()
        condition = f"{expression.name(keys[0])} = {expression.value(partition)}"
        if prefix is not None:
            condition += f" AND begins_with({expression.name(keys[1])}, {expression.value(prefix)})"
        if sort is not None and sort[1] == "between":
            low, high = sort[2]  # type: ignore[misc]
            name = expression.name(sort[0])
            condition += f" AND {name} BETWEEN {expression.value(low)} AND {expression.value(high)}"
        elif sort is not None:
            condition += f" AND {expression.condition(sort)}"
        parameters: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ScanIndexForward": not descending,
            **expression.parameters(()),
        }
        if index:
            parameters["IndexName"] = index
        if consistent:
            parameters["ConsistentRead"] = True
        remaining = limit
        while remaining is None or remaining > 0:
            if remaining is not None:
                parameters["Limit"] = remaining
            answer = self._call("query", parameters)
            for item in answer["Items"]:
                yield from_item(item)
            if remaining is not None:
                remaining -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, item: Mapping[str, Any], *conditions: Condition) -> None:
        """Writes the whole item. Raises ConditionFailed."""
        self._single("put_item", put(self.name, item, *conditions)["Put"])

    def replace(self, item: Mapping[str, Any], version: int) -> None:
        """Writes the whole item in the place of the one with this `version`. Raises ConditionFailed."""
        self.put_once(item, ("version", "=", version))

    def put_once(self, item: Mapping[str, Any], *conditions: Condition) -> None:
        """Writes an item that nobody else would write just so. Raises ConditionFailed.

        Where the answer to the write is lost and botocore sends it again, the second one fails its condition: the
        item that is there is then the very one that was to be written, and that is success.
        """
        try:
            self.put(item, *conditions)
        except ConditionFailed:
            if self.get(item["pk"], item["sk"]) != item:
                raise

    def update(
        self,
        pk: str,
        sk: str,
        *conditions: Condition,
        set: Mapping[str, Any] | None = None,
        remove: Iterable[str] = (),
    ) -> None:
        """Sets and removes attributes (no arithmetic: see `transact`). Raises ConditionFailed."""
        action = update(self.name, pk, sk, *conditions, set=set, remove=remove)
        self._single("update_item", action["Update"])

    def advance(
        self, pk: str, sk: str, attribute: str, by: int, *conditions: Condition, set: Mapping[str, Any]
    ) -> int:
        """Adds `by` to a number of which some may be skipped, and answers it: after a lost answer it is added twice.

        Nothing of stock or money: see `transact`. Raises ConditionFailed.
        """
        parameters = update(self.name, pk, sk, *conditions, set=set, add={attribute: by})["Update"]
        answer = self._single("update_item", {**parameters, "ReturnValues": "ALL_NEW"})
        advanced: int = from_item(answer["Attributes"])[attribute]
        return advanced

    def delete(self, pk: str, sk: str, *conditions: Condition) -> None:
        """Removes the item, if it is there. Raises ConditionFailed."""
        self._single("delete_item", delete(self.name, pk, sk, *conditions)["Delete"])

    def _single(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._call(operation, parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ConditionFailed((0,)) from error
            raise

    def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises Contended for what stays throttled however often the SDK tries again, or held by a transaction."""
        refused: ClientError | None = None
        for attempt in range(ATTEMPTS):
            try:
                answer: dict[str, Any] = getattr(self.client, operation)(**parameters)
                return answer
            except ClientError as error:
                busy = _BUSY_CODES.get(error.response["Error"]["Code"])
                if busy is None:
                    raise
                refused = error
                if busy != CONFLICT:
                    break
            _pause(attempt)
        raise Contended(_MANY_WANT_IT) from refused
