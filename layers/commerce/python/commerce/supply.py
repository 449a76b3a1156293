"""On which terms a SKU is sold, how much of it can be sold at this moment, and the word by which buyers are told.

Inventory works it out; catalogue, carts, checkout and orders go by it: so all of them know it, and none the shelves.
"""

from datetime import date
from typing import Literal

from commerce.model import Model

SellingMode = Literal["deny", "backorder", "preorder"]
"""What happens when the shelf is empty: nothing is sold; or goods that come again; or that come for the first time."""

Availability = Literal["in_stock", "low_stock", "out_of_stock", "backorder", "preorder"]
"""All that a buyer learns. `low_stock` is the shop's own word, the others are the protocol's (UCP availability)."""


class SellingTerms(Model):
    """What staff decide about a SKU."""

    mode: SellingMode = "deny"
    cap: int = 0
    """Units that may be sold ahead in all: so far below zero may `available` go at `location`."""
    expected_on: date | None = None
    """When units that are sold ahead should lie on the shelf. A preorder ends with this day."""
    location: str = ""
    """Where they will arrive. One place, since a transaction can hold a cap on one item only."""
    purchase_limit: int | None = None
    """Units that one buyer may have, over all orders."""
    low_stock: int | None = None
    """Up to so many free units are few; the shop's own threshold if none is named."""


class SellingPolicy(SellingTerms):
    """The terms as they are stored. Version 0 was never decided: everybody may have what lies on the shelf."""

    version: int = 0

    def over(self, today: date) -> bool:
        """Whether the day is past on which units were expected."""
        return self.expected_on is not None and self.expected_on < today


class Supply(Model):
    """How many units of a SKU can be sold. The counts are never shown as they are."""

    free: int = 0
    """Units on shelves that nobody is promised."""
    ahead: int = 0
    """Units that may be sold before they lie on a shelf."""
    low: int = 0
    """Up to so many free units are few."""
    expected_on: date | None = None
    """When units that are sold ahead may be promised; None where nobody knows."""
    policy: SellingPolicy = SellingPolicy()

    @property
    def left(self) -> int:
        """The most units that can be sold."""
        return self.free + self.ahead

    @property
    def availability(self) -> Availability:
        """The word for it."""
        if self.free > 0:
            return "low_stock" if self.free <= self.low else "in_stock"
        return "out_of_stock" if self.policy.mode == "deny" or not self.ahead else self.policy.mode

    def beyond(self, quantity: int) -> int:
        """How many of `quantity` units would be sold ahead."""
        return max(quantity - self.free, 0)


NOTHING = Supply()
"""Of a SKU that the shop never had."""
