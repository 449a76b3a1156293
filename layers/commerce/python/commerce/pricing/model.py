"""Offers, totals and priced lines. All amounts in minor units of one currency."""

from collections.abc import Iterable
from typing import Literal, Protocol

from pydantic import Field

from commerce.model import Model
from commerce.money import Amount, Currency

TotalType = Literal["subtotal", "items_discount", "discount", "fulfillment", "tax", "fee", "total"]


class Offer(Model):
    """What pricing, carts and shipping must know of a SKU. Comes from the catalogue, never from a client."""

    sku: str
    product_id: str
    title: str
    """The product's and the variant's name: `Linen Shirt - Blue / M`."""
    prices: dict[Currency, Amount]
    compare_at: dict[Currency, Amount] = Field(default_factory=dict)
    image_url: str | None = None
    weight_grams: int = 0
    published: bool = True

    def price_in(self, currency: str) -> int | None:
        """What one piece costs; None where it is not sold, or not in this currency."""
        return self.prices.get(currency) if self.published else None


class Catalog(Protocol):
    """What the shop sells."""

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        """The offers of those SKUs that exist."""


class SubTotal(Model):
    """A part of a ledger entry; parts sum to their entry."""

    display_text: str
    amount: int


class Total(Model):
    """One entry of the totals ledger. Discounts are negative. Entries but `total` sum to `total`."""

    type: TotalType
    amount: int
    display_text: str | None = None
    lines: tuple[SubTotal, ...] | None = None


class WantedLine(Model):
    """What the client asked for."""

    id: str
    sku: str
    quantity: int = Field(ge=1)


class PricedLine(Model):
    """A wanted line with what the shop derived for it."""

    id: str
    sku: str
    product_id: str
    title: str
    quantity: int
    unit_price: Amount
    image_url: str | None = None
    weight_grams: int = 0
    totals: tuple[Total, ...]


class ShippingOption(Model):
    """One way to ship a whole cart, with its price for that cart. Times in RFC 3339."""

    id: str
    title: str
    carrier: str
    amount: Amount
    earliest: str
    latest: str


def amount_of(totals: tuple[Total, ...], kind: TotalType) -> int:
    """The amount of the entry of this kind, or 0."""
    return sum(total.amount for total in totals if total.type == kind)
