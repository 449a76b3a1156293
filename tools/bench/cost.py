"""From counted calls to dollars per 1,000 orders.

Everything is counted but two figures that a laptop cannot know: how long an invocation takes on Lambda, and how much it
logs. They are assumed, here in one place.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from stacks.functions import FUNCTIONS
from tools.bench.prices import PRICES
from tools.local.instance import ROOT

MILLISECONDS_PER_INVOCATION = 12
MILLISECONDS_PER_CALL = 8
MILLISECONDS_PER_PROVIDER_CALL = 250
"""Assumed duration of a warm invocation: our own work, and each call to AWS, Stripe or the carrier one after the other.
"""
LOG_BYTES_PER_INVOCATION = 900
"""Assumed: Lambda's own report line, the access log's line, and one line of the function's in two invocations."""
_ASKED_BY_COMPLETION = ("stripe payment_intents.create", "stripe payment_intents.confirm")
ROW_BYTES = 5 * 1024
"""Firehose rounds every record up to this."""


Units = dict[str, float]
"""How much of everything was used, by the names of `PRICES`."""


def units(counted: dict[str, Any]) -> Units:
    """What a part of a visit used, as `tools.bench.play` counted it."""
    invocations: dict[str, int] = counted["invocations"]
    runs = sum(invocations.values())
    requests = sum(count for name, count in invocations.items() if name in _behind_the_api())
    messages: dict[str, int] = counted["messages"]
    rows = counted["entries"].get("export_analytics", 0)
    return {
        "edge_request": requests,
        "api_request": requests,
        "invocation": runs,
        "gigabyte_second": _gigabyte_seconds(counted) + _gigabyte_seconds_waiting(counted["asked"]),
        "trace": sum(count for name, count in invocations.items() if FUNCTIONS[name].starts_traces),
        "transition": len(counted.get("transitions", ())),
        "read_unit": counted["read_units"],
        "write_unit": counted["write_units"],
        "bus_event": counted["entries"].get("relay_outbox", 0),
        # Each message is sent alone; a batch is received and deleted at once, by one invocation.
        "queue_request": sum(messages.values()) + 2 * sum(invocations[name] for name in messages),
        "email": counted.get("emails", 0),
        "delivery_gigabyte": rows * ROW_BYTES / 1e9,
        "log_gigabyte": runs * LOG_BYTES_PER_INVOCATION / 1e9,
    }


def kept_by_cloudfront(counted: dict[str, Any]) -> Units:
    """What requests use that CloudFront answers by itself."""
    return {**dict.fromkeys(PRICES, 0.0), "edge_request": units(counted)["edge_request"]}


def summed(parts: Iterable[Units]) -> Units:
    """All of it."""
    total = Counter[str]()
    for part in parts:
        total.update(part)
    return dict(total)


def per_thousand(used: Units) -> Units:
    """Dollars per 1,000 times these units."""
    return {name: PRICES[name].of(count) * 1000 for name, count in used.items()}


def _gigabyte_seconds(counted: dict[str, Any]) -> float:
    calls: dict[str, dict[str, int]] = counted["calls_by_function"]
    milliseconds: dict[str, float] = {
        name: count * MILLISECONDS_PER_INVOCATION + sum(calls.get(name, {}).values()) * MILLISECONDS_PER_CALL
        for name, count in counted["invocations"].items()
    }
    return sum(_gigabytes(name) * spent / 1000 for name, spent in milliseconds.items())


def _gigabyte_seconds_waiting(provider_calls: dict[str, int]) -> float:
    """The buyer's own two calls are made in the function with the most memory, all others in one like the rest."""
    return sum(
        count
        * MILLISECONDS_PER_PROVIDER_CALL
        / 1000
        * _gigabytes("complete_checkout" if name in _ASKED_BY_COMPLETION else "ship_order")
        for name, count in provider_calls.items()
    )


def _gigabytes(function: str) -> float:
    return FUNCTIONS[function].memory / 1024


def _behind_the_api() -> frozenset[str]:
    """The functions that have routes: each request invokes one of them once."""
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    return frozenset(
        operation["x-function"] for path in paths.values() for operation in path.values() if "x-function" in operation
    )
