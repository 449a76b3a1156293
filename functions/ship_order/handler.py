"""The workflow's shipping task: label, capture, shipped. Input `{"order_id": …}` and maybe a `correlation_id`.

Answers where the order stands: `{"outcome": "shipped" | "delivered" | "canceled" | "lost", "currency": …, "total": …}`.
"""

from typing import Any

from commerce.adapters import wiring
from commerce.adapters.invocation import correlated
from commerce.clock import now
from commerce.fulfilment.shipping import ship

stores = wiring.personal_stores()
wiring.at_start(wiring.stripe)
shelves = wiring.inventory()


@correlated
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Runs again from wherever it stopped. Raises what the workflow retries, and then hands to a person."""
    order = ship(stores, shelves, wiring.carrier(), wiring.payment_gateway(), order_id=event["order_id"], now=now())
    return {"outcome": order.status, "currency": order.currency, "total": order.total}
