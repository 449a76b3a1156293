"""Sends the same requests to two engines and tells where their answers part."""

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from botocore.exceptions import ClientError

from tools.contract.exceptions import Exchange, known
from tools.contract.operations import TABLE, Operation, Operations
from tools.simulation.dynamodb.values import canonical

CHECKED_EVERY = 50
"""After so many requests the whole tables are compared."""
_SORTED_BY = {index.name: index.sort for index in TABLE.indexes}


@dataclass
class Report:
    """What was compared with the engine of this name."""

    engine: str
    operations: Counter[str] = field(default_factory=Counter)
    """Items asked about, by the kind of request."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Requests by the double's answer: `done`, or the error's code."""
    tables: int = 0
    """Comparisons of whole tables."""
    listed: Counter[str] = field(default_factory=Counter)
    """Known differences that were met, by name."""
    divergences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All operations."""
        return self.operations.total()


def compare(double: Any, engine: Any, seed: str, table: str, *, requests: int, report: Report) -> None:
    """Sends `requests` requests of the seed to both, which begin with an empty table of this name.

    Ends early at a divergence, and at a listed difference in what was written: from there on the two differ for good.
    """
    for number, operation in enumerate(islice(Operations(seed, table), requests), 1):
        ours, theirs = outcome(double, operation), outcome(engine, operation)
        report.operations[operation.kind] += operation.weight
        report.outcomes[ours.get("error", "done")] += 1
        if _compared(ours) != _compared(theirs):
            name = known(report.engine, Exchange(operation, ours, theirs))
            if name is None:
                report.divergences.append(
                    {"seed": seed, "request": number, "operation": vars(operation), "double": ours, "engine": theirs}
                )
                return
            report.listed[name] += 1
            if ("error" in ours) != ("error" in theirs):
                return
        if number % CHECKED_EVERY == 0 or number == requests:
            report.tables += 1
            ours, theirs = (whole_table(one, table) for one in (double, engine))
            if ours != theirs:
                report.divergences.append({"seed": seed, "request": number, "double": ours, "engine": theirs})
                return


def outcome(client: Any, operation: Operation) -> dict[str, Any]:
    """What the client answers: `answer`, or the code, the reasons, the item and the messages of its refusal."""
    try:
        answer = getattr(client, operation.method)(**operation.parameters)
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        return {
            "error": error.response["Error"]["Code"],
            "reasons": [reason["Code"] for reason in reasons],
            "item": error.response.get("Item"),
            "messages": [error.response["Error"]["Message"], *(reason.get("Message") for reason in reasons)],
        }
    return {"answer": _normal(operation, answer)}


def whole_table(client: Any, table: str) -> dict[str, Any]:
    """Every item by its keys."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [_in_shortest_form(item) for page in pages for item in page["Items"]]
    return {f"{item['pk']['S']} {item['sk']['S']}": item for item in items}


def _compared(outcome: dict[str, Any]) -> dict[str, Any]:
    """What programs read of an outcome: messages are for people."""
    return {name: part for name, part in outcome.items() if name != "messages"}


def _normal(operation: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer in one order where none is promised: in batches, and among an index's items of one sort key."""
    parts = {name: _in_shortest_form(part) for name, part in answer.items() if name != "ResponseMetadata"}
    if operation.method == "batch_get_item":
        parts["Responses"] = {name: sorted(items, key=_text) for name, items in parts["Responses"].items()}
    if index := operation.parameters.get("IndexName"):
        runs = groupby(parts["Items"], key=lambda item: item[_SORTED_BY[index]]["S"])
        parts["Items"] = [item for _, run in runs for item in sorted(run, key=_text)]
    return parts


def _text(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True)


def _in_shortest_form(part: Any) -> Any:
    """The same with every number as DynamoDB writes it: the local AWS keeps `1.50` as it was sent."""
    if isinstance(part, list):
        return [_in_shortest_form(one) for one in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("N"), str):
        return canonical(part)
    return {name: _in_shortest_form(one) for name, one in part.items()}
