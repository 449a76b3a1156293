"""A shop in memory: what it offers and has, and where its carts and checkouts are kept."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from builders.checkout import buyer
from builders.pricing import offer, settings
from builders.stock import supply
from commerce.carts.model import Cart
from commerce.carts.request import CartRequest
from commerce.carts.service import Shelf
from commerce.checkout.model import Checkout
from commerce.checkout.request import CheckoutCreateRequest, CheckoutUpdateRequest
from commerce.errors import Conflict, NotFound
from commerce.pricing.model import Offer
from commerce.settings import Settings
from commerce.supply import SellingPolicy, Supply


@dataclass
class Shop:
    """Offers by SKU and units by SKU; a test changes them as it likes. Counts how often it was asked."""

    offered: dict[str, Offer] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    policies: dict[str, SellingPolicy] = field(default_factory=dict)
    low: int = 0
    asked: int = 0

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        """Port of the catalogue."""
        self.asked += 1
        return {sku: self.offered[sku] for sku in skus if sku in self.offered}

    def supply(self, skus: Iterable[str], now: datetime) -> dict[str, Supply]:
        """Port of the inventory."""
        self.asked += 1
        return {sku: supply(self.units.get(sku, 0), self.policies.get(sku), low=self.low, now=now) for sku in skus}

    def shelf(self, rules: Settings | None = None) -> Shelf:
        """What the use cases take."""
        return Shelf(self, self, rules or settings())


def shop(**units: int) -> Shop:
    """A shop with so many units of each SKU, all at the usual price."""
    return Shop({sku: offer(sku) for sku in units}, dict(units))


@dataclass
class Carts:
    """Carts in a dictionary."""

    kept: dict[str, Cart] = field(default_factory=dict)

    def get(self, cart_id: str, now: datetime) -> Cart:
        """Port."""
        if cart_id not in self.kept or self.kept[cart_id].expires_at <= now.timestamp():
            raise NotFound("there is no such cart")
        return self.kept[cart_id]

    def add(self, cart: Cart) -> None:
        """Port."""
        self.kept[cart.id] = cart

    def save(self, old: Cart, new: Cart) -> Cart:
        """Port."""
        if self.kept.get(old.id) != old:
            raise Conflict("changed")
        self.kept[old.id] = new.model_copy(update={"version": old.version + 1})
        return self.kept[old.id]

    def remove(self, cart: Cart) -> None:
        """Port."""
        self.kept.pop(cart.id, None)


@dataclass
class Checkouts:
    """Checkouts in a dictionary."""

    kept: dict[str, Checkout] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def get(self, checkout_id: str, now: datetime) -> Checkout:
        """Port."""
        if checkout_id not in self.kept or self.kept[checkout_id].expired(now):
            raise NotFound("there is no such checkout")
        return self.kept[checkout_id]

    def find(self, checkout_id: str) -> Checkout | None:
        """Port."""
        return self.kept.get(checkout_id)

    def add(self, checkout: Checkout) -> None:
        """Port."""
        self.kept[checkout.id] = checkout

    def save(self, old: Checkout, new: Checkout) -> Checkout:
        """Port."""
        if self.kept.get(old.id) != old:
            raise Conflict("changed")
        self.kept[old.id] = new.model_copy(update={"version": old.version + 1})
        return self.kept[old.id]

    def converted(self, cart_id: str) -> str | None:
        """Port."""
        return self.links.get(cart_id)

    def add_for_cart(self, checkout: Checkout, *, instead_of: str | None) -> bool:
        """Port."""
        if self.links.get(checkout.cart_id or "") != instead_of:
            return False
        self.links[checkout.cart_id or ""] = checkout.id
        self.add(checkout)
        return True


def lines(*wanted: tuple[str, int]) -> list[dict[str, Any]]:
    """`line_items` as a client sends them."""
    return [{"item": {"id": sku}, "quantity": quantity} for sku, quantity in wanted]


def cart_request(*wanted: tuple[str, int], **more: Any) -> CartRequest:
    """A whole cart."""
    return _sent(CartRequest, line_items=lines(*wanted), **more)


def checkout_request(*wanted: tuple[str, int], **more: Any) -> CheckoutCreateRequest:
    """A new checkout of these items."""
    return _sent(CheckoutCreateRequest, line_items=lines(*wanted), **more)


def update_request(*wanted: tuple[str, int], **more: Any) -> CheckoutUpdateRequest:
    """A whole checkout, complete unless `more` says otherwise."""
    filled_in = {"buyer": buyer().model_dump(exclude_none=True), "fulfillment": fulfillment()}
    return _sent(CheckoutUpdateRequest, line_items=lines(*wanted), **{**filled_in, **more})


def fulfillment(option: str | None = "standard", **address: Any) -> dict[str, Any]:
    """Shipping to a whole address in Oregon, as a client sends it."""
    whole = {
        "id": "home",
        "street_address": "1 Analytical Way",
        "address_locality": "Portland",
        "address_region": "OR",
        "postal_code": "97201",
        "address_country": "US",
    }
    return {
        "methods": [
            {
                "type": "shipping",
                "destinations": [{**whole, **address}],
                "selected_destination_id": "home",
                "groups": [{"selected_option_id": option}],
            }
        ]
    }


def _sent(model: Any, **fields: Any) -> Any:
    """As it arrives: through JSON, strictly."""
    return model.model_validate_json(json.dumps(fields))
