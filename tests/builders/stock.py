"""Stock and selling policies, valid in one line."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from commerce.inventory.model import Stock
from commerce.inventory.policy import supply_of
from commerce.supply import SellingPolicy, Supply

TODAY = date(2026, 11, 22)
CHRISTMAS = date(2026, 12, 24)


def place(available: int, location: str = "main", sku: str = "SHIRT-M", *, reserved: int = 0) -> Stock:
    """The SKU at one location."""
    return Stock(sku=sku, location=location, on_hand=available + reserved, available=available)


def backorder(cap: int = 10, **changes: Any) -> SellingPolicy:
    """Sold ahead at the main location, without a day."""
    fields: dict[str, Any] = {"mode": "backorder", "cap": cap, "location": "main", "version": 1}
    return SellingPolicy(**{**fields, **changes})


def preorder(cap: int = 10, **changes: Any) -> SellingPolicy:
    """Sold ahead at the main location until Christmas Eve."""
    return backorder(cap, **{"mode": "preorder", "expected_on": CHRISTMAS, **changes})


def supply(available: int, policy: SellingPolicy | None = None, *, low: int = 0, now: datetime | None = None) -> Supply:
    """What can be sold of so many units at the main location."""
    today = (now or datetime.combine(TODAY, datetime.min.time(), UTC)).date()
    return supply_of([place(available)], policy or SellingPolicy(), low_stock=low, today=today)


def supplied(stock: Mapping[str, Iterable[Stock]], policy: SellingPolicy | None = None) -> dict[str, Supply]:
    """What can be sold of this stock; every SKU is sold under the same policy."""
    terms = policy or SellingPolicy()
    return {sku: supply_of(rows, terms, low_stock=0, today=TODAY) for sku, rows in stock.items()}
