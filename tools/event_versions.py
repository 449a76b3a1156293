"""The shapes of events, by type and version, as they went out: `docs/events/versions.json`, which only grows.

A version keeps its shape. It may gain a field that is not required, since consumers leave out what they do not know and
older events do without it. Every other change of an event's model needs a new `version`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from commerce.events import Event

Shape = dict[str, Any]
"""Field by name, and the shapes that fields refer to."""
Versions = dict[str, dict[str, Shape]]
"""Shapes by type and version."""


class ChangedWithoutVersion(Exception):
    """An event changed its shape and not its version; the text says which, and what to do."""


def shape(kind: type[Event]) -> Shape:
    """The shape of the event's fields, without the words about them."""
    made = kind.model_json_schema()
    return {
        "fields": _bare(made["properties"]),
        "required": sorted(made.get("required", ())),
        "parts": _bare(made.get("$defs", {})),
    }


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        words = ("description", "title") if not _names_fields(value) else ()
        return {name: _bare(inner) for name, inner in value.items() if name not in words}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


def _names_fields(value: Mapping[str, Any]) -> bool:
    """Whether these are fields by name, one of which may well be called `description`."""
    return all(isinstance(inner, Mapping) for inner in value.values())


def grown(known: Versions, events: Iterable[type[Event]]) -> Versions:
    """The known shapes and those of today. Raises ChangedWithoutVersion."""
    made = {kind: dict(versions) for kind, versions in known.items()}
    for event in events:
        versions = made.setdefault(event.type, {})
        today, before = shape(event), versions.get(str(event.version))
        if before and (wrong := _broken(before, today)):
            raise ChangedWithoutVersion(f"{event.type} {wrong}, and is version {event.version} still: raise `version`")
        versions[str(event.version)] = today
    return made


def _broken(before: Shape, today: Shape) -> str:
    """What a consumer of the version could trip over; empty where it could not."""
    for name, field in before["fields"].items():
        if name not in today["fields"]:
            return f"has lost {name}"
        if today["fields"][name] != field:
            return f"has another {name}"
    if new := sorted(set(today["required"]) - set(before["required"])):
        return f"requires {', '.join(new)}"
    if changed := sorted(name for name, part in before["parts"].items() if today["parts"].get(name) != part):
        return f"has another {', '.join(changed)}"
    return ""


def as_text(versions: Versions) -> str:
    """As it is kept: a field for each line."""
    return json.dumps(versions, indent=1, sort_keys=True) + "\n"
