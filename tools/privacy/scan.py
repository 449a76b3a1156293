"""Searches all that a deployed shop keeps for what tells who somebody is, or opens something: `make privacy-scan`.

Tables, the logs of functions, the API and executions, the inputs of executions, and the events that analysts ask.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from commerce.adapters.dynamodb import from_item
from stacks.tables import ALL, STOCKROOM, TableSpec
from tools.athena import ask
from tools.privacy.signs import Kind, Sign, hidden, signs
from tools.shops import Shop

ALLOWED: dict[str, dict[str, str]] = {
    "orders": {"message_id": "SES's id of a letter, which has the form of an address"},
    "stockroom": {
        "email": "a supplier's, as staff entered it",
        "contact": "a supplier's",
        "phone_number": "a supplier's",
    },
}
"""Attributes by table that may hold addresses and phone numbers, and why. Everything else of a person is sealed."""
_MAY_BE_ALLOWED: tuple[Kind, ...] = ("an e-mail address", "a phone number")
_STATE_MACHINES = ("StateMachineArn", "ErasureStateMachineArn")


@dataclass(frozen=True)
class Finding:
    """Where something stands that should not."""

    where: str
    sign: Sign

    def __str__(self) -> str:
        return f"{self.where}: {self.sign.kind}, {hidden(self.sign)}"


def scan(shop: Shop, *, words: Iterable[str] = (), own: Iterable[str] = ()) -> Iterator[Finding]:
    """Everything that is found. Each place is read to its end."""
    wanted, nobodys = tuple(words), {*own, *_of_suppliers(shop)}
    for place in chain(_tables(shop), _logs(shop), _executions(shop), _lake(shop)):
        for sign in signs(place.text, words=wanted, own=nobodys):
            if not (place.allowed and sign.kind in _MAY_BE_ALLOWED):
                yield Finding(place.where, sign)


@dataclass(frozen=True)
class _Place:
    """A text, and where it stands."""

    where: str
    text: str
    allowed: bool = False
    """Whether addresses and phone numbers may be in it."""


def _of_suppliers(shop: Shop) -> Iterator[str]:
    """Their addresses stand wherever the work of staff is written down: audit trail, replays."""
    return (place.text for place in _in(shop, STOCKROOM) if place.allowed)


def _tables(shop: Shop) -> Iterator[_Place]:
    return chain.from_iterable(_in(shop, spec) for spec in ALL)


def _in(shop: Shop, spec: TableSpec) -> Iterator[_Place]:
    pages = shop.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=shop.output(spec.output)):
        for item in map(from_item, page["Items"]):
            kind = item["sk"].partition("#")[0]
            for path, text in _texts(item, ()):
                allowed = bool(ALLOWED.get(spec.name, {}).keys() & set(path))
                yield _Place(f"table {spec.name}, {kind}.{'.'.join(path)}", text, allowed)


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in an item, with the names that lead to it. Numbers are no texts: money is in minor units."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)


def _logs(shop: Shop) -> Iterator[_Place]:
    logs = shop.client("logs")
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in (one["logGroupName"] for one in groups["logGroups"]):
            if "tradepost" not in group:
                continue
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                for event in page["events"]:
                    yield _Place(f"log {group}", event["message"])


def _executions(shop: Shop) -> Iterator[_Place]:
    states = shop.client("stepfunctions")
    for output in _STATE_MACHINES:
        machine = shop.output(output)
        name = machine.rpartition(":")[2]
        for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine):
            for one in page["executions"]:
                told = states.describe_execution(executionArn=one["executionArn"])
                yield _Place(f"execution of {name}", f"{told.get('input')} {told.get('output', '')}")


def _lake(shop: Shop) -> Iterator[_Place]:
    for row in ask(shop, "SELECT * FROM events").rows:
        yield _Place("analytics, events", json.dumps(row))
