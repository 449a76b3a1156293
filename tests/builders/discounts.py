"""Discounts for tests."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from builders.checkout import NOW
from commerce.clock import iso
from commerce.discounts.model import Coupon, Discount, normalized


def discount(code: str = "SPRING", **changes: Any) -> Discount:
    """Ten per cent off everything, unless told otherwise."""
    share = {} if "amounts" in changes else {"basis_points": 1000}
    return Discount(**{"code": code, "title": code.title(), "created_at": iso(NOW), **share, **changes})


def coupon(code: str = "SPRING", *, state: Any = "active", spent: bool = False, **changes: Any) -> dict[str, Coupon]:
    """How a discount stands, by its code."""
    return {code: Coupon(discount=discount(code, **changes), state=state, spent=spent)}


@dataclass
class Coupons:
    """Discounts in a dictionary, and who asked for them."""

    kept: dict[str, Coupon] = field(default_factory=dict)
    buyers: list[str | None] = field(default_factory=list)

    def coupons(
        self, codes: Iterable[str], buyer: str | None, now: datetime, *, consistent: bool = False
    ) -> dict[str, Coupon]:
        """Port."""
        self.buyers.append(buyer)
        return {code: self.kept[code] for code in map(normalized, codes) if code in self.kept}
