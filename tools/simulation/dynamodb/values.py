"""Attribute values: which ones the database takes, how it writes numbers, what they weigh, how they compare."""

import marshal
import re
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact
from typing import Any

from botocore.exceptions import ClientError

from tools.simulation.dynamodb.errors import invalid

Attribute = dict[str, Any]
"""One encoded value: {"S": "…"}."""
Item = dict[str, Attribute]

_PLAIN_INTEGER = re.compile(r"-?[1-9][0-9]{0,37}|0").fullmatch
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?").fullmatch
EXACT = Context(prec=38, traps=[Inexact])
"""Arithmetic in the 38 digits that a number has; a result that needs more is refused."""
_LARGEST_PLAIN = 10**38
_DEEPEST = 32


def copied(item: Item) -> Item:
    """A deep copy: marshal is the fastest one that the standard library has for plain data."""
    own: Item = marshal.loads(marshal.dumps(item))
    return own


def canonical(attribute: Mapping[str, Any], depth: int = 1) -> Attribute:
    """The value as it is stored: the database's own copy, numbers in their shortest form."""
    try:
        [(kind, value)] = attribute.items()
    except ValueError:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "datatypes"
            if attribute
            else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        ) from None
    if kind == "S":
        return {"S": value if type(value) is str else text(value)}
    if kind == "N":
        return {"N": value if type(value) is str and _PLAIN_INTEGER(value) else _number(value)}
    if kind == "BOOL" and isinstance(value, bool):
        return {"BOOL": value}
    if kind == "NULL" and value is True:
        return {"NULL": True}
    if kind in ("M", "L"):
        if depth > _DEEPEST:
            raise invalid("Nesting Levels have exceeded supported limits")
        if kind == "M":
            return {"M": {name: canonical(inner, depth + 1) for name, inner in value.items()}}
        return {"L": [canonical(inner, depth + 1) for inner in value]}
    raise NotImplementedError(f"the shop stores no attribute {kind}: {value!r}")


def text(value: Any) -> str:
    """The plain string, also of an enum's member."""
    if not isinstance(value, str):
        raise TypeError(f"boto3 takes a str here, not {value!r}")
    return str.__str__(value)


def _number(value: Any) -> str:
    if not _NUMBER(text(value)):
        raise invalid(f"The parameter cannot be converted to a numeric value: {value}")
    return written(Decimal(value))


def written(number: int | Decimal) -> str:
    """A number as the database writes it. At most 38 digits, from 1E-130 to 9.9…E+125."""
    if type(number) is int and -_LARGEST_PLAIN < number < _LARGEST_PLAIN:
        return str(number)
    try:
        exact = Decimal(number).normalize(EXACT)
    except Inexact:
        raise too_precise() from None
    if exact and exact.adjusted() > 125:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if exact and exact.adjusted() < -130:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    return f"{exact:f}" if exact else "0"


def too_precise() -> ClientError:
    """A number that 38 digits cannot hold."""
    return invalid("Attempting to store more than 38 significant digits in a Number")


def number(stored: str) -> int | Decimal:
    """What a stored number is worth."""
    return int(stored) if _PLAIN_INTEGER(stored) else Decimal(stored)


def size(attribute: Attribute) -> int:
    """Bytes that the value counts for."""
    [(kind, value)] = attribute.items()
    if kind == "S":
        return len(value) if value.isascii() else len(value.encode())
    if kind == "N":
        digits = len(value.strip("-0.").replace(".", ""))
        return (digits + 1) // 2 + (2 if value.startswith("-") else 1)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + size(inner) for name, inner in value.items())
    if kind == "L":
        return 3 + sum(1 + size(inner) for inner in value)
    return 1


def weighed(item: Mapping[str, Attribute]) -> tuple[Item, int]:
    """The item as it is stored, and the bytes that it counts for, its attributes' names included."""
    own, total = {}, 0
    for name, attribute in item.items():
        value = attribute.get("S")
        if type(value) is str and len(attribute) == 1 and value.isascii():  # nearly all are: the way without calls
            own[name] = {"S": value}
            total += len(value)
        else:
            own[name] = canonical(attribute)
            total += size(own[name])
        total += len(name) if name.isascii() else len(name.encode())
    return own, total
