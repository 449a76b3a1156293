"""The table of events: one row per event, one column per field that any event has.

Rows hold no personal data, because events hold none. Delivery is at least once, so whoever counts, counts distinct ids.
"""

import json
from types import UnionType
from typing import Any, Union, get_args, get_origin

from commerce.events import ALL, Event, detail
from commerce.model import Model

_SCALARS: dict[Any, str] = {str: "string", int: "bigint", bool: "boolean"}


def row(event: Event) -> str:
    """The event as one line of JSON, with its newline. Fields that the event does not have are left out."""
    fields = {name: value for name, value in detail(event).items() if value is not None}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False) + "\n"


def _type(annotation: Any) -> str:
    """The column's type in Glue and Athena. Raises TypeError for a field that no column can hold yet."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Model):
        fields = ",".join(f"{name}:{_type(field.annotation)}" for name, field in annotation.model_fields.items())
        return f"struct<{fields}>"
    arguments = [argument for argument in get_args(annotation) if argument not in (type(None), Ellipsis)]
    if get_origin(annotation) is tuple:
        return f"array<{_type(arguments[0])}>"
    if get_origin(annotation) in (Union, UnionType):
        [inner] = arguments
        return _type(inner)
    if arguments and all(isinstance(argument, str) for argument in arguments):
        return "string"
    raise TypeError(f"no column can hold {annotation}")


def _columns() -> tuple[tuple[str, str], ...]:
    columns = {"type": "string", "version": "bigint"}
    for event in ALL:
        for name, field in event.model_fields.items():
            kind = _type(field.annotation)
            if columns.setdefault(name, kind) != kind:
                raise TypeError(f"{event.type} has {name} as {kind}, and another event as {columns[name]}")
    return tuple(columns.items())


COLUMNS = _columns()
"""(name, Glue type) of every column, in a stable order. The table of the analytics stack is made from this."""
