"""Random requests over a handful of items, so that conditions hold about as often as they fail.

All chance comes from one `random.Random`: the same seed makes the same requests.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from stacks.tables import Index, TableSpec
from tools.local.instance import ROOT

Request = dict[str, Any]

TABLE = TableSpec(
    "contract",
    "CONTRACT_TABLE",
    indexes=(
        Index("whole", "shelf", "rank"),
        Index("part", "colour", "rank", includes=("amount", "status")),
        Index("bare", "colour", "shelf", keys_only=True),
    ),
    stream=True,
)
"""Indexes of each projection, over keys that come and go."""

_PARTITIONS = ("P0", "P1", "P2")
_SORTS = ("A#0", "A#1", "B#0", "B#1", "Ü")
_TEXTS = ("open", "held", "done", "hélas", "")
_NUMBERS = ("0", "1", "2", "3", "-1", "10", "1.50", "007", "12345678901234567890", "1e3")
_SHELVES = ("north", "south")
_RANKS = ("2026-01-01", "2026-01-02", "2026-02-01")
_PLAIN = ("amount", "price", "status", "note", "flag", "parts")


@dataclass(frozen=True)
class Operation:
    """One request: the client's method and its parameters. `weight` is the number of items that it asks about."""

    kind: str
    method: str
    parameters: Request
    weight: int = 1


@dataclass
class _Expression:
    """Names and values that a request's expressions refer to."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def name(self, attribute: str) -> str:
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, value: Any) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder

    def parameters(self, **texts: str | None) -> Request:
        parameters: Request = {name: text for name, text in texts.items() if text is not None}
        if self.names:
            parameters["ExpressionAttributeNames"] = self.names
        if self.values:
            parameters["ExpressionAttributeValues"] = self.values
        return parameters


class Operations:
    """An endless sequence of requests for the table of this name."""

    def __init__(self, seed: str, table: str) -> None:
        self._chance = Random(seed)
        self._table = table
        self._tokens = [f"token-{number}" for number in range(6)]
        self._sent: dict[str, list[Request]] = {}

    def __iter__(self) -> Iterator[Operation]:
        makers: list[Callable[[], Operation]] = [
            self._get, self._batch_get, self._query, self._index_query, self._put, self._update, self._delete,
            self._transaction, self._workflow_update, self._mistake,
        ]  # fmt: skip
        while True:
            yield self._chance.choices(makers, weights=(8, 8, 8, 8, 10, 16, 4, 30, 4, 4))[0]()

    # values

    def _key(self) -> Request:
        return {"pk": {"S": self._chance.choice(_PARTITIONS)}, "sk": {"S": self._chance.choice(_SORTS)}}

    def _value(self, attribute: str) -> Request:
        """A value of the kind that the attribute mostly has."""
        pick = self._chance.choice
        if self._chance.random() < 0.05:
            attribute = pick(_PLAIN)
        match attribute:
            case "amount" | "price":
                return {"N": pick(_NUMBERS)}
            case "flag":
                return pick(({"BOOL": True}, {"BOOL": False}, {"NULL": True}))
            case "parts":
                return pick(
                    (
                        {"L": []},
                        {"L": [{"N": "1"}, {"S": ""}]},
                        {"M": {"b": {"N": "2"}, "a": {"L": [{"NULL": True}]}}},
                    )
                )
            case "shelf" | "colour":
                return {"S": pick(_SHELVES)}
            case "rank":
                return {"S": pick(_RANKS)}
        return {"S": pick(_TEXTS)}

    def _attributes(self, most: int) -> list[str]:
        return self._chance.sample([*_PLAIN, "shelf", "colour", "rank"], self._chance.randint(1, most))

    def _item(self) -> Request:
        return {**self._key(), **{name: self._key_value(name) for name in self._attributes(6)}}

    def _key_value(self, attribute: str) -> Request:
        """A value that the attribute may have, where it is the key of an index."""
        if attribute in ("shelf", "colour"):
            return {"S": self._chance.choice(_SHELVES)}
        if attribute == "rank":
            return {"S": self._chance.choice(_RANKS)}
        return self._value(attribute)

    # expressions

    def _condition(self, expression: _Expression, depth: int = 0) -> str:
        shape = self._chance.choices(("term", "AND", "OR", "NOT"), weights=(6 + 6 * depth, 3, 1, 1))[0]
        if shape == "term":
            return self._term(expression)
        if shape == "NOT":
            return f"NOT ({self._condition(expression, depth + 1)})"
        left, right = self._condition(expression, depth + 1), self._condition(expression, depth + 1)
        return f"({left}) {shape} ({right})" if self._chance.random() < 0.4 else f"{left} {shape} {right}"

    def _term(self, expression: _Expression) -> str:
        attribute = self._chance.choice((*_PLAIN, "pk", "sk", "shelf", "amount", "status", "status"))
        name = expression.name(attribute)
        kind = self._chance.choice(("exists", "missing", "compare", "compare", "compare", "in", "between", "begins"))
        if kind == "exists":
            return f"attribute_exists({name})"
        if kind == "missing":
            return f"attribute_not_exists({name})"
        if kind == "in":
            choices = [expression.value(self._value(attribute)) for _ in range(self._chance.randint(1, 3))]
            return f"{name} IN ({', '.join(choices)})"
        if kind == "begins" and attribute not in ("amount", "price", "flag", "parts"):
            return f"begins_with({name}, {expression.value({'S': self._chance.choice(('', 'o', 'h', 'P1', 'A#'))})})"
        ordered = {"N": self._chance.choice(_NUMBERS)}
        if attribute not in ("amount", "price"):
            ordered = {"S": self._chance.choice((*_TEXTS, *_PARTITIONS, *_SORTS))}
        if kind == "between":
            low, high = sorted((ordered, ordered), key=str)
            return f"{name} BETWEEN {expression.value(low)} AND {expression.value(high)}"
        comparator = self._chance.choice(("=", "=", "=", "<>", "<", "<=", ">", ">="))
        if comparator in ("=", "<>"):
            other = self._value(attribute)
        elif self._chance.random() < 0.1:
            return f"{name} {comparator} {expression.name(self._chance.choice(_PLAIN))}"
        else:
            other = ordered
        return f"{name} {comparator} {expression.value(other)}"

    def _update_text(self, expression: _Expression) -> str:
        clauses: dict[str, list[str]] = {}
        for attribute in self._attributes(4):
            name = expression.name(attribute)
            counted = "ADD" if attribute in ("amount", "price") else "SET"
            section = self._chance.choice(("SET", "SET", "REMOVE", counted))
            if section == "ADD":
                text = f"{name} {expression.value({'N': self._chance.choice(_NUMBERS[:7])})}"
            elif section == "REMOVE":
                text = name
            else:
                text = f"{name} = {self._set_value(expression, attribute)}"
            clauses.setdefault(section, []).append(text)
        return " ".join(f"{section} {', '.join(texts)}" for section, texts in clauses.items())

    def _set_value(self, expression: _Expression, attribute: str) -> str:
        shape = self._chance.random()
        if attribute in ("amount", "price") and shape < 0.4:
            other = expression.name(self._chance.choice(("amount", "price")))
            left = f"if_not_exists({other}, {expression.value({'N': '5'})})" if shape < 0.2 else other
            return f"{left} {self._chance.choice('+-')} {expression.value({'N': self._chance.choice(_NUMBERS[:7])})}"
        if attribute in _PLAIN and shape < 0.15:
            return f"if_not_exists({expression.name(attribute)}, {expression.value(self._value(attribute))})"
        return expression.value(self._key_value(attribute))

    # requests

    def _get(self) -> Operation:
        parameters: Request = {"Key": self._key(), "ConsistentRead": True}
        if self._chance.random() < 0.2:
            expression = _Expression()
            shown = ", ".join(expression.name(name) for name in self._attributes(3))
            parameters |= expression.parameters(ProjectionExpression=shown)
        return Operation("get_item", "get_item", {"TableName": self._table, **parameters})

    def _batch_get(self) -> Operation:
        keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk in _PARTITIONS for sk in _SORTS]
        chosen = self._chance.sample(keys, self._chance.randint(2, len(keys)))
        parameters = {"RequestItems": {self._table: {"Keys": chosen, "ConsistentRead": True}}}
        return Operation("batch_get_item", "batch_get_item", parameters, len(chosen))

    def _query(self) -> Operation:
        return self._query_of(("pk", "sk"), _PARTITIONS, _SORTS, {"ConsistentRead": True})

    def _index_query(self) -> Operation:
        index = self._chance.choice(TABLE.indexes)
        sorts = _RANKS if index.sort == "rank" else _SHELVES
        return self._query_of((index.partition, index.sort), _SHELVES, sorts, {"IndexName": index.name})

    def _query_of(
        self, keys: tuple[str, str], partitions: tuple[str, ...], sorts: tuple[str, ...], more: Request
    ) -> Operation:
        expression = _Expression()
        text = f"{expression.name(keys[0])} = {expression.value({'S': self._chance.choice(partitions)})}"
        bound = self._chance.choice((None, "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"))
        low, high = sorted(self._chance.choices(sorts, k=2))
        if bound == "BETWEEN":
            text += f" AND {expression.name(keys[1])} BETWEEN {expression.value({'S': low})}"
            text += f" AND {expression.value({'S': high})}"
        elif bound == "begins_with":
            text += f" AND begins_with({expression.name(keys[1])}, {expression.value({'S': low[:2]})})"
        elif bound:
            text += f" AND {expression.name(keys[1])} {bound} {expression.value({'S': low})}"
        kept = self._condition_without_keys(expression) if self._chance.random() < 0.3 else None
        parameters = {
            "TableName": self._table,
            **more,
            "ScanIndexForward": self._chance.random() < 0.5,
            **expression.parameters(KeyConditionExpression=text, FilterExpression=kept),
        }
        if "IndexName" not in more and self._chance.random() < 0.4:
            parameters["Limit"] = self._chance.randint(1, 4)
        return Operation("query of an index" if "IndexName" in more else "query", "query", parameters)

    def _condition_without_keys(self, expression: _Expression) -> str:
        attribute = self._chance.choice(_PLAIN)
        comparator = self._chance.choice(("=", "<>"))
        return f"{expression.name(attribute)} {comparator} {expression.value(self._value(attribute))}"

    def _write(self, kind: str, key: Request | None = None) -> Request:
        """What a write of this kind says, alone or in a transaction."""
        expression = _Expression()
        key = key or self._key()
        parameters: Request = {"TableName": self._table}
        update = None
        if kind == "Put":
            parameters["Item"] = {**self._item(), **key}
        else:
            parameters["Key"] = key
        if kind == "Update":
            update = self._update_text(expression)
        likely = {"Put": 0.5, "Update": 0.6, "Delete": 0.5, "ConditionCheck": 1.0}[kind]
        condition = self._condition(expression) if self._chance.random() < likely else None
        return {**parameters, **expression.parameters(UpdateExpression=update, ConditionExpression=condition)}

    def _put(self) -> Operation:
        parameters = {**self._write("Put"), "ReturnValues": self._chance.choice(("NONE", "ALL_OLD"))}
        return Operation("put_item", "put_item", parameters)

    def _update(self) -> Operation:
        parameters = {**self._write("Update"), "ReturnValues": self._chance.choice(("NONE", "ALL_OLD", "ALL_NEW"))}
        return Operation("update_item", "update_item", parameters)

    def _delete(self) -> Operation:
        parameters = {**self._write("Delete"), "ReturnValues": self._chance.choice(("NONE", "ALL_OLD"))}
        return Operation("delete_item", "delete_item", parameters)

    def _transaction(self) -> Operation:
        """Mostly small ones, as conditions would hardly ever hold together in large ones."""
        size = self._chance.choices((1, 2, 3, 4, 8, 14), weights=(2, 4, 6, 6, 3, 1))[0]
        keys = self._chance.sample([(pk, sk) for pk in _PARTITIONS for sk in _SORTS], size)
        actions = []
        for pk, sk in keys:
            kind = self._chance.choices(("Put", "Update", "Delete", "ConditionCheck"), weights=(5, 7, 2, 1))[0]
            write = self._write(kind, {"pk": {"S": pk}, "sk": {"S": sk}})
            if size > 3 and kind != "ConditionCheck" and self._chance.random() < 0.8:
                write = self._unconditional(write)
            actions.append({kind: write})
        parameters: Request = {"TransactItems": actions}
        if self._chance.random() < 0.3:
            token = self._chance.choice(self._tokens)
            if token in self._sent and self._chance.random() < 0.6:
                parameters["TransactItems"] = self._sent[token]
            self._sent[token] = parameters["TransactItems"]
            parameters["ClientRequestToken"] = f"{self._table}-{token}"[-36:]
        return Operation("transact_write_items", "transact_write_items", parameters, len(parameters["TransactItems"]))

    def _unconditional(self, write: Request) -> Request:
        """The same write without its condition, and without what only that used."""
        bare = {name: value for name, value in write.items() if name != "ConditionExpression"}
        text = bare.get("UpdateExpression", "")
        used = set(re.findall(r"[#:]\w+", text))
        for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            kept = {one: meant for one, meant in bare.pop(kind, {}).items() if one in used}
            if kept:
                bare[kind] = kept
        return bare

    def _workflow_update(self) -> Operation:
        """What a state of the shop's own state machines says."""
        arguments = self._chance.choice(_WORKFLOW)
        values = {
            placeholder: {"S": self._chance.choice(("open", "held", "done"))}
            for placeholder in arguments["ExpressionAttributeValues"]
        }
        parameters = {**arguments, "TableName": self._table, "Key": self._key(), "ExpressionAttributeValues": values}
        return Operation("update_item of a workflow", "update_item", parameters)

    def _mistake(self) -> Operation:
        """A request that must be refused, and change nothing."""
        key, text = self._key(), {"S": "x"}
        update: Request = {"TableName": self._table, "Key": key}
        put: Request = {"TableName": self._table, "Item": key}
        both = {"TransactItems": [{"Put": put}, {"Delete": {"TableName": self._table, "Key": key}}]}
        method, parameters = self._chance.choice(
            [
                ("update_item", {**update, "UpdateExpression": "SET a = :a, a = :a", **_values(text)}),
                ("update_item", {**update, "UpdateExpression": "SET sk = :a", **_values(text)}),
                ("update_item", {**update, "UpdateExpression": "SET a = :b", **_values(text)}),
                ("update_item", {**update, "UpdateExpression": "REMOVE a", **_values(text)}),
                ("update_item", {**update, "UpdateExpression": "REMOVE #a"}),
                ("update_item", {**update, "UpdateExpression": "REMOVE status"}),
                ("update_item", {**update, "UpdateExpression": "SET a = never_there + :a", **_values({"N": "1"})}),
                ("update_item", {**update, "UpdateExpression": "ADD a :a", **_values(text)}),
                ("update_item", {**update, "UpdateExpression": "REMOVE a", "ConditionExpression": "b = = :a"}),
                ("update_item", {**update, "UpdateExpression": "SET a :a", **_values(text)}),
                ("update_item", {**update, "UpdateExpression": "SET a = :a SET b = :a", **_values(text)}),
                ("put_item", {**put, "Item": {**key, "n": {"N": "one"}}}),
                ("put_item", {**put, "Item": {**key, "n": {"N": "1" * 39}}}),
                ("put_item", {**put, "Item": {**key, "n": {"N": "1e126"}}}),
                ("put_item", {**put, "Item": {**key, "pk": {"S": ""}}}),
                ("put_item", {**put, "Item": {**key, "pk": {"N": "1"}}}),
                ("put_item", {**put, "Item": {"pk": key["pk"]}}),
                ("put_item", {**put, "Item": {**key, "rank": {"N": "1"}}}),
                ("put_item", {**put, "Item": {**key, "rank": {"S": ""}}}),
                ("put_item", {**put, "Item": {**key, "text": {"S": "x" * 410_000}}}),
                ("put_item", {**put, "ConditionExpression": ""}),
                ("get_item", {**update, "Key": {"pk": key["pk"]}}),
                ("get_item", {**update, "Key": {**key, "rank": text}}),
                ("get_item", {**update, "TableName": f"{self._table}-never-made"}),
                ("transact_write_items", both),
                ("batch_get_item", {"RequestItems": {self._table: {"Keys": [key, key]}}}),
                ("query", {"TableName": self._table, "KeyConditionExpression": "sk = :a", **_values(text)}),
                ("query", {"TableName": self._table, "KeyConditionExpression": "pk > :a", **_values(text)}),
            ]
        )
        return Operation("mistake", method, parameters)


def _values(value: Request) -> Request:
    return {"ExpressionAttributeValues": {":a": value}}


def _updates_in(folder: Path) -> list[Request]:
    """The expressions of every state that updates an item."""
    found = []
    for path in sorted(folder.glob("*.asl.json")):
        for state in json.loads(path.read_text())["States"].values():
            if ":dynamodb:updateItem" in state.get("Resource", ""):
                arguments = state["Arguments"]
                found.append({name: value for name, value in arguments.items() if "Expression" in name})
    return found


_WORKFLOW = _updates_in(ROOT / "statemachines")
