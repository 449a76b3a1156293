"""Stock as staff see it."""

from collections.abc import Iterable
from datetime import date

from commerce.inventory.model import Incoming, Movement, Stock, arrivals, by_location
from commerce.model import Model
from commerce.supply import SellingMode, SellingPolicy


class StockLevel(Model):
    """A SKU at one location. `on_hand` is what a count of the shelf would find."""

    location: str
    available: int
    reserved: int
    on_hand: int
    shards: int
    """Rows over which it is spread, of a SKU that is pooled; 0 otherwise."""


class StockResponse(Model):
    """A SKU at all of the shop's locations."""

    sku: str
    locations: tuple[StockLevel, ...]


class StockOverview(StockResponse):
    """A SKU at all of the shop's locations, and what purchase orders bring there."""

    incoming: tuple[Incoming, ...]
    """One entry for each location to which units are on their way."""


class MovementsResponse(Model):
    """A page of a SKU's ledger of one month, the newest first."""

    movements: tuple[Movement, ...]
    cursor: str | None


def level(stock: Stock) -> StockLevel:
    """The SKU's stock at one location."""
    return StockLevel(**{name: getattr(stock, name) for name in StockLevel.model_fields})


def levels(sku: str, rows: Iterable[Stock]) -> StockResponse:
    """The SKU's stock per location, all rows of a pool summed."""
    return StockResponse(sku=sku, locations=tuple(map(level, by_location(rows))))


def overview(sku: str, rows: Iterable[Stock], incoming: Iterable[Incoming]) -> StockOverview:
    """The SKU's stock, there and on its way."""
    return StockOverview(**dict(levels(sku, rows)), incoming=arrivals(incoming))


class PolicyResponse(Model):
    """How a SKU may be sold."""

    sku: str
    version: int
    """0 while nobody decided anything."""
    mode: SellingMode
    cap: int
    """Units that may be sold ahead in all."""
    expected_on: date | None
    location: str | None
    """Where units that are sold ahead will arrive."""
    purchase_limit: int | None
    """Units that one buyer may have, over all orders."""
    low_stock: int | None
    """Up to so many free units are few."""


def policy_of(sku: str, policy: SellingPolicy) -> PolicyResponse:
    """The SKU's selling policy."""
    return PolicyResponse(sku=sku, **{**dict(policy), "location": policy.location or None})
