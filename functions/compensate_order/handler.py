"""The workflow's way back. Input `{"order_id": …, "error": …}` and maybe a `correlation_id`.

Answers `{"outcome": "compensated" | "carry_on"}`.
"""

from typing import Any

from commerce.adapters import wiring
from commerce.adapters.invocation import correlated
from commerce.clock import now
from commerce.orders.endings import compensate
from commerce.orders.ports import Running

stores = wiring.stores()
wiring.at_start(wiring.stripe)


@correlated
def handler(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Runs again without doing anything twice. Raises what the workflow retries, and then hands to a person."""
    outcome = compensate(
        stores,
        Running(),
        wiring.payment_gateway(),
        order_id=event["order_id"],
        error=event.get("error", ""),
        now=now(),
    )
    return {"outcome": outcome}
