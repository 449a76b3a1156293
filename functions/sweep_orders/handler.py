"""Every minute: ends the orders that nobody paid and nobody ended, and tends the pools of hot SKUs."""

from typing import Any

from aws_lambda_powertools import Logger

from commerce.adapters import wiring
from commerce.clock import now
from commerce.inventory.pooling import tend_all
from commerce.orders.endings import sweep

LIMIT = 200
"""Orders of one run; what is left is found by the next one."""

logger = Logger()
stores = wiring.stores()
workflow = wiring.workflow()


def handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Two runs at once end each order once."""
    ended = sweep(stores, wiring.orders(), workflow, limit=LIMIT, now=now())
    if ended:
        logger.warning("ended orders that nobody paid and nobody ended", order_ids=ended)
    return {"ended": len(ended), "pools": tend_all(wiring.inventory(), now=now())}
