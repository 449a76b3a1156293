"""Differences between the double and an engine that are known, each with its reason. docs/contract.md lists them.

In each of them the double does what DynamoDB does, or less.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tools.contract.operations import Operation


@dataclass(frozen=True)
class Exchange:
    """A request, what the double answered and what the engine did."""

    operation: Operation
    ours: dict[str, Any]
    theirs: dict[str, Any]

    @property
    def writes(self) -> Iterator[dict[str, Any]]:
        """The parameters of each write in the request."""
        for action in self.operation.parameters.get("TransactItems", ()):
            yield from action.values()
        yield self.operation.parameters

    def says(self, expression: str, pattern: str) -> bool:
        """Whether an expression of the request contains this."""
        return any(re.search(pattern, write.get(expression, "")) for write in self.writes)

    def answered(self, part: str, otherwise: Any) -> Any:
        """This part of the engine's answer."""
        return self.theirs.get("answer", {}).get(part, otherwise)

    @property
    def is_refused_here(self) -> bool:
        """Whether the double finds the whole request wrong."""
        return self.ours.get("error") == "ValidationException"

    @property
    def is_refused_here_only(self) -> bool:
        """Whether the double finds the request, or an action of it, wrong, and the engine does not."""
        if self.theirs.get("error") == "ValidationException":
            return False
        reasons = zip_longest(self.ours.get("reasons", ()), self.theirs.get("reasons", ()))
        return self.is_refused_here or any("ValidationError" == ours != theirs for ours, theirs in reasons)


@dataclass(frozen=True)
class Listed:
    """A known difference: why the double does otherwise, and how it is recognised."""

    engine: str
    name: str
    reason: str
    applies: Callable[[Exchange], bool]


LISTED = (
    Listed(
        "ministack",
        "a token after its items changed",
        "It keeps a transaction's request by reference, and later writes of its items change what it kept.",
        lambda it: "answer" in it.ours and it.theirs.get("error") == "IdempotentParameterMismatchException",
    ),
    Listed(
        "ministack",
        "lax grammar of updates",
        "It takes a section twice, an assignment without its sign, and one attribute under two names.",
        lambda it: it.is_refused_here_only and it.operation.kind == "mistake" and it.operation.method == "update_item",
    ),
    Listed(
        "ministack",
        "begins_with on what is no text",
        "It refuses the request where the item's attribute is of another type; DynamoDB's condition fails.",
        lambda it: "function: begins_with" in it.theirs.get("messages", [""])[0] and not it.is_refused_here,
    ),
    Listed(
        "ministack",
        "arithmetic on what is no number",
        "It leaves out an assignment whose sum it cannot build; DynamoDB refuses the request.",
        lambda it: it.is_refused_here_only and it.says("UpdateExpression", r" [+-] :"),
    ),
    Listed(
        "ministack",
        "filters see what an index leaves out",
        "It filters an index's items before it projects them; DynamoDB's index holds no more than it projects.",
        lambda it: (
            it.operation.parameters.get("IndexName") in ("part", "bare")
            and it.says("FilterExpression", ".")
            and it.ours["answer"]["ScannedCount"] == it.answered("ScannedCount", None)
        ),
    ),
    Listed(
        "dynoxide",
        "the old image of a new item",
        "It answers the keys of an item that was not there before the update; DynamoDB answers nothing.",
        lambda it: it.ours == {"answer": {}} and it.answered("Attributes", {}).keys() == {"pk", "sk"},
    ),
)


def known(engine: str, exchange: Exchange) -> str | None:
    """The name of the engine's listed difference that the exchange shows, if it shows one."""
    return next((listed.name for listed in LISTED if listed.engine == engine and listed.applies(exchange)), None)
