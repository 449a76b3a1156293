"""The difference of two readings of the local AWS's meter (tools/local/meter.py)."""

from collections import Counter
from typing import Any

from stacks.functions import FUNCTIONS
from stacks.tables import ALL

Reading = dict[str, Any]

WATCHER = "client"
"""The meter's name for whoever is no function: the bench itself, which only watches."""
BACKGROUND = ("reconcile",)
"""Functions that run by the clock: no order causes what they ask."""


def spent(before: Reading, after: Reading) -> Reading:
    """What the shop asked of AWS between the readings: `calls` by service and operation, and by function; the entries,
    invocations and messages of a queue by function; read and write units, the latter also by table.
    """
    calls: Counter[str] = Counter()
    by_function: dict[str, dict[str, int]] = {}
    for name, count in _grown(before["calls"], after["calls"]).items():
        caller, action = name.split(" ")
        if _counts(caller):
            calls[action] += count
            by_function.setdefault(plain(caller), {})[action] = count
    units = {
        caller: [now - then for then, now in zip(before["units"].get(caller, (0.0, 0.0)), grown, strict=True)]
        for caller, grown in after["units"].items()
        if _counts(caller)
    }
    return {
        "calls": dict(calls),
        "calls_by_function": by_function,
        "entries": _of_functions(before["entries"], after["entries"]),
        "invocations": _of_functions(before["invocations"], after["invocations"]),
        "messages": _of_functions(before["messages"], after["messages"]),
        "written": _of_tables(before["written"], after["written"]),
        "read_units": sum(read for read, _ in units.values()),
        "write_units": sum(write for _, write in units.values()),
    }


def total(parts: list[Reading]) -> Reading:
    """The sum of several differences."""
    summed: Reading = dict.fromkeys(("read_units", "write_units"), 0.0)
    for name in ("calls", "entries", "invocations", "messages"):
        counts: Counter[str] = Counter()
        for part in parts:
            counts.update(part[name])
        summed[name] = dict(sorted(counts.items()))
    by_function: dict[str, Counter[str]] = {}
    written: dict[str, float] = {}
    for part in parts:
        summed["read_units"] += part["read_units"]
        summed["write_units"] += part["write_units"]
        written |= {table: written.get(table, 0.0) + units for table, units in part["written"].items()}
        for function, calls in part["calls_by_function"].items():
            by_function.setdefault(function, Counter()).update(calls)
    summed["written"] = written
    summed["calls_by_function"] = {name: dict(sorted(calls.items())) for name, calls in sorted(by_function.items())}
    return summed


def plain(caller: str) -> str:
    """`tradepost-local-ship-order` is `ship_order`, and `states` the state machine itself."""
    fitting = [name for name in FUNCTIONS if caller.endswith(f"-{name.replace('_', '-')}")]
    return max(fitting, key=len, default=caller)


def _counts(caller: str) -> bool:
    return caller != WATCHER and plain(caller) not in BACKGROUND


def _of_functions(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {
        plain(name.split(" ")[0]): count for name, count in _grown(before, after).items() if _counts(name.split(" ")[0])
    }


def _of_tables(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """By the tables' names in their specifications, with which those begin that CloudFormation gave."""
    units: dict[str, float] = {}
    for name, count in after.items():
        caller, _, table = name.partition(" ")
        if _counts(caller) and count > before.get(name, 0.0):
            spec = next(spec.name for spec in ALL if f"-{spec.name.capitalize()}" in table)
            units[spec] = units.get(spec, 0.0) + count - before.get(name, 0.0)
    return units


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
