"""Discounts for tests."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from builders.checkout import NOW
from commerce.clock import iso
from commerce.discounts.model import Discount, normalized

OVER = {"ends_at": "2026-01-01T00:00:00Z"}
"""Of a discount that has ended."""
NOT_YET = {"starts_at": "2027-01-01T00:00:00Z"}
USED_UP = {"limit": 1, "uses": 1}


def discount(code: str = "SPRING", **changes: Any) -> Discount:
    """Ten per cent off everything, unless told otherwise."""
    share = {} if "amounts" in changes else {"basis_points": 1000}
    return Discount(**{"code": code, "title": code.title(), "created_at": iso(NOW), **share, **changes})


def offered(code: str = "SPRING", **changes: Any) -> dict[str, Discount]:
    """The same, by its code."""
    return {code: discount(code, **changes)}


@dataclass
class Discounts:
    """Discounts in a dictionary, and which codes were looked up."""

    kept: dict[str, Discount] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def discounts(self, codes: Iterable[str], *, consistent: bool = False) -> dict[str, Discount]:
        """Port."""
        wanted = tuple(map(normalized, codes))
        self.asked.append(wanted)
        return {code: self.kept[code] for code in wanted if code in self.kept}
