"""From the counted calls of one delivered order to dollars per 1,000 orders."""

from typing import Any

from tools.bench.prices import PRICES

MEMORY_GIGABYTES = 0.5
"""The memory that the stacks give a function."""
MILLISECONDS_PER_INVOCATION = 12
MILLISECONDS_PER_CALL = 8
"""Assumed duration of a warm invocation: our own work plus its calls to AWS, one after the other."""
MILLISECONDS_PER_PROVIDER_CALL = 250
PROVIDER_CALLS = {"complete_checkout": 2, "ship_order": 3}
"""Calls to the payment provider and the carrier that an order makes, by function."""
LOG_BYTES_PER_INVOCATION = 600
RECORD_BYTES = 5_120


def units(order: dict[str, Any]) -> dict[str, float]:
    """What one order uses, by the names of `PRICES`. `order` is the report of the demonstration."""
    calls: dict[str, int] = order["calls"]
    invocations: dict[str, int] = order["invocations"]
    runs = sum(invocations.values())
    provider = sum(PROVIDER_CALLS.get(_plain(name), 0) * count for name, count in invocations.items())
    milliseconds = (
        runs * MILLISECONDS_PER_INVOCATION
        + sum(calls.values()) * MILLISECONDS_PER_CALL
        + provider * MILLISECONDS_PER_PROVIDER_CALL
    )
    published = len(order["emails"]) + order["analytics_rows"]
    return {
        "api_request": order["api_requests"],
        "invocation": runs,
        "gigabyte_second": milliseconds / 1000 * MEMORY_GIGABYTES,
        "transition": len(order["transitions"]),
        "read_unit": order["read_units"],
        "write_unit": order["write_units"],
        "bus_event": order["analytics_rows"],
        "queue_request": 3 * published,
        "email": sum(order["emails"].values()),
        "delivery_gigabyte": order["analytics_rows"] * RECORD_BYTES / 1e9,
        "log_gigabyte": runs * LOG_BYTES_PER_INVOCATION / 1e9,
    }


def per_thousand(order: dict[str, Any]) -> dict[str, float]:
    """Dollars per 1,000 orders, by the names of `PRICES`."""
    return {name: PRICES[name].of(count) * 1000 for name, count in units(order).items()}


def _plain(function: str) -> str:
    """`tradepost-local-ship_order` is `ship_order`."""
    return function.rpartition("-")[2]
