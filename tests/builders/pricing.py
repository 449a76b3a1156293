"""Offers, rates and settings that are valid in one line."""

from typing import Any

from commerce.pricing.model import Offer, WantedLine
from commerce.settings import Settings, ShippingRate, TaxRate


def offer(sku: str = "SHIRT-M", **changes: Any) -> Offer:
    """A published linen shirt at 25.00 USD and 23.00 EUR."""
    fields: dict[str, Any] = {
        "sku": sku,
        "product_id": f"prod_{sku}",
        "title": f"Linen Shirt - {sku}",
        "prices": {"USD": 2500, "EUR": 2300},
    }
    return Offer(**{**fields, **changes})


def wanted(sku: str = "SHIRT-M", quantity: int = 1, id: str = "line_1") -> WantedLine:
    """One piece of the shirt."""
    return WantedLine(id=id, sku=sku, quantity=quantity)


def shipping_rate(id: str = "standard", **changes: Any) -> ShippingRate:
    """Everywhere for 5.00, free from 100.00, in three to five days."""
    fields: dict[str, Any] = {
        "id": id,
        "title": f"{id.title()} shipping",
        "carrier": "USPS",
        "price": {"USD": 500, "EUR": 500},
        "free_from": {"USD": 10_000, "EUR": 10_000},
        "earliest_days": 3,
        "latest_days": 5,
    }
    return ShippingRate(**{**fields, **changes})


def settings(**changes: Any) -> Settings:
    """A shop that sells in USD and EUR to the US and Germany: Oregon without tax, California 8.25 %, Germany 19 %."""
    fields: dict[str, Any] = {
        "name": "Tradepost",
        "url": "https://shop.example",
        "email_from": "shop@shop.example",
        "currencies": ("USD", "EUR"),
        "countries": ("US", "DE"),
        "low_stock": 0,
        "shipping_rates": (
            shipping_rate(),
            shipping_rate("express", countries=("US",), price={"USD": 1500}, free_from={}),
        ),
        "tax_rates": (
            TaxRate(country="US", region="CA", basis_points=825, title="Sales tax"),
            TaxRate(country="DE", basis_points=1900, title="VAT"),
        ),
    }
    return Settings(**{**fields, **changes})
