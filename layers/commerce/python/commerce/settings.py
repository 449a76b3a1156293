"""The shop's own rules: currencies, tax table, shipping rates, limits. One value per environment (`config/*.toml`)."""

from typing import Literal

from pydantic import Field

from commerce.contact import PostalAddress
from commerce.model import Model
from commerce.money import Amount, Currency


class ShippingRate(Model):
    """One way to ship to some countries. An empty `countries` means everywhere."""

    id: str
    title: str
    carrier: str
    countries: tuple[str, ...] = ()
    price: dict[Currency, Amount]
    free_from: dict[Currency, Amount] = {}
    """From this subtotal on the rate costs nothing, per currency."""
    earliest_days: int = Field(ge=0)
    latest_days: int = Field(ge=0)


class TaxRate(Model):
    """A flat tax added on goods and shipping sent to `country` (and `region`, where given)."""

    country: str
    region: str | None = None
    basis_points: int = Field(ge=0, le=5_000)
    title: str


AllocationStrategy = Literal["priority", "nearest", "most_stock"]
"""By which rule the locations are ranked that fill an order: see `inventory/allocation.py`."""


class Location(Model):
    """A place where stock lies and parcels leave."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """What stock, movements and allocations call it."""
    name: str = ""
    address: PostalAddress | None = None
    """Where its parcels leave, if not at the shop's `ship_from`."""


class Settings(Model):
    """What the merchant decides about the shop as a whole."""

    name: str
    url: str
    """Where the shop's API answers, without a slash at the end; the base of every link to it."""
    storefront_url: str = Field(default="", pattern=r"^(https?://[^\s]*[^\s/])?$")
    """Where the pages of the storefront are, if not there: `/cart/<id>`, `/checkout/<id>`, `/privacy`, `/terms`."""
    email_from: str
    currencies: tuple[Currency, ...]
    """The first one is the shop's default."""
    countries: tuple[str, ...]
    """Where the shop ships to (ISO 3166-1 alpha-2)."""
    shipping_rates: tuple[ShippingRate, ...]
    tax_rates: tuple[TaxRate, ...]
    hold_seconds: int = 900
    """How long stock is held for an order whose payment has not come."""
    cart_days: int = 30
    checkout_hours: int = 6
    max_quantity: int = 999
    """Per line of a cart."""
    max_lines: int = 30
    """Per cart. One transaction holds 100 actions, and a line takes three: stock, reservation, movement."""
    locations: tuple[Location, ...] = (Location(id="main"),)
    """Where stock lies, the preferred place first."""
    allocation: AllocationStrategy = "priority"
    low_stock: int = Field(default=5, ge=0)
    """Up to so many free units are few, for SKUs whose selling policy names no other number."""
    ship_from: PostalAddress = PostalAddress()
    """Where parcels leave. Carriers sell no label without its street, town and country."""

    @property
    def pages(self) -> str:
        """The base of links to the storefront's pages."""
        return self.storefront_url or self.url

    @property
    def location_ids(self) -> tuple[str, ...]:
        """The locations as stock knows them."""
        return tuple(location.id for location in self.locations)

    def address_of(self, location_id: str) -> PostalAddress:
        """Where parcels leave the location; the shop's own address for one that is closed by now."""
        own = (location.address for location in self.locations if location.id == location_id)
        return next(own, None) or self.ship_from
