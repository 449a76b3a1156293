"""Checkouts, derived as the shop derives them, and the people who fill them in."""

from datetime import UTC, datetime
from typing import Any

from builders.pricing import offer, settings, wanted
from builders.stock import supply
from commerce.checkout.model import Checkout
from commerce.checkout.service import derive
from commerce.clock import epoch, iso
from commerce.contact import Buyer, PostalAddress
from commerce.pricing.model import Offer

NOW = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)


def buyer(**changes: Any) -> Buyer:
    """Ada, who can be written to."""
    return Buyer(**{"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", **changes})


def address(**changes: Any) -> PostalAddress:
    """A whole address in Oregon, where no tax is collected."""
    fields = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "street_address": "1 Analytical Way",
        "address_locality": "Portland",
        "address_region": "OR",
        "postal_code": "97201",
        "address_country": "US",
    }
    return PostalAddress(**{**fields, **changes})


def checkout(**changes: Any) -> Checkout:
    """What a guest asked for, complete, and not derived yet: one shirt by standard shipping to Oregon."""
    fields: dict[str, Any] = {
        "id": "chk_1",
        "status": "incomplete",
        "currency": "USD",
        "lines": (wanted(),),
        "buyer": buyer(),
        "destination": address(),
        "destination_id": "dest_1",
        "option_id": "standard",
        "created_at": iso(NOW),
        "updated_at": iso(NOW),
        "expires_at": epoch(NOW) + 6 * 3600,
    }
    return Checkout(**{**fields, **changes})


def offers_for(checkout: Checkout) -> dict[str, Offer]:
    """An offer for every line."""
    return {line.sku: offer(line.sku) for line in checkout.lines}


def ready_checkout(**changes: Any) -> Checkout:
    """A checkout that may be completed: everything asked for is there, in stock and derived."""
    asked = checkout(**changes)
    return derive(asked, offers_for(asked), {line.sku: supply(10_000) for line in asked.lines}, {}, settings(), NOW)
