"""A query's way through a partition: from where to where, and one page of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stacks.tables import Index
from tools.simulation.dynamodb import expressions
from tools.simulation.dynamodb.database import Image, Partition
from tools.simulation.dynamodb.errors import invalid
from tools.simulation.dynamodb.values import Item

LARGEST_PAGE = 1024 * 1024
_LAST_CHARACTER = chr(0x10FFFF)


class Bounds(NamedTuple):
    """One partition key, and the part of its sort keys that is asked for."""

    partition: str
    comparator: str | None
    sort: tuple[str, ...]


def bounds(
    condition: expressions.KeyCondition,
    key_names: tuple[str, str],
    names: expressions.Names,
    values: expressions.Values,
) -> Bounds:
    """Where the key condition leads, in a table or index with these keys."""
    clauses = {}
    for path, comparator, placeholders in condition.clauses:
        name = expressions.attribute_name(path, names)
        operands = [expressions.value_of(placeholder, values) for placeholder in placeholders]
        if name in clauses:
            raise invalid("KeyConditionExpressions must only contain one condition per key")
        if name in key_names and not all("S" in operand for operand in operands):
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        clauses[name] = (comparator, tuple(operand.get("S", "") for operand in operands))
    partition, sort = key_names
    if partition not in clauses:
        raise invalid(f"Query condition missed key schema element: {partition}")
    if clauses[partition][0] != "=":
        raise invalid("Query key condition not supported")
    if len(clauses) == 1:
        return Bounds(clauses[partition][1][0], None, ())
    if sort not in clauses:
        raise invalid(f"Query condition missed key schema element: {sort}")
    comparator, operands_ = clauses[sort]
    if comparator == "BETWEEN" and operands_[0] > operands_[1]:
        raise invalid(
            "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to "
            "lower bound"
        )
    return Bounds(clauses[partition][1][0], comparator, operands_)


def keys_within(
    partition: Partition, asked: Bounds, index: Index | None, *, forward: bool, after: Item | None
) -> Iterator[Any]:
    """The keys of the images that are asked for, in sort order, those behind `after`."""
    order = partition.order
    sort = _sort_of_index_entry if index else None
    start, end = 0, len(order)
    match asked.comparator, asked.sort:
        case None, _:
            pass
        case "begins_with", (prefix,):
            start, end = bisect_left(order, prefix, key=sort), bisect_right(order, prefix + _LAST_CHARACTER, key=sort)
        case "BETWEEN", (low, high):
            start, end = bisect_left(order, low, key=sort), bisect_right(order, high, key=sort)
        case comparator, (value,):
            if comparator in ("=", ">=", "<"):
                left = bisect_left(order, value, key=sort)
            if comparator in ("=", "<=", ">"):
                right = bisect_right(order, value, key=sort)
            start = left if comparator in ("=", ">=") else right if comparator == ">" else 0
            end = right if comparator in ("=", "<=") else left if comparator == "<" else len(order)
    if after is not None:
        last = (after[index.sort]["S"], after["pk"]["S"], after["sk"]["S"]) if index else after["sk"]["S"]
        if forward:
            start = max(start, bisect_right(order, last))
        else:
            end = min(end, bisect_left(order, last))
    return iter(order[start:end] if forward else order[start:end][::-1])


def _sort_of_index_entry(key: tuple[str, str, str]) -> str:
    return key[0]


@dataclass
class Page:
    """What one answer holds: at most `limit` images, and little more than 1 MB."""

    limit: int | None
    images: list[Image] = field(default_factory=list)
    size: int = 0
    last: Image | None = None
    """The last image, where the page ended before the partition did (or exactly with it, as the limit was reached)."""

    def fill(self, images: Iterator[Image]) -> None:
        """Takes images until the page is full."""
        for image in images:
            self.images.append(image)
            self.size += image.size
            if len(self.images) == self.limit or self.size > LARGEST_PAGE:
                self.last = image
                return
