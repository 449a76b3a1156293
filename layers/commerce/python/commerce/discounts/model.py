"""Discounts as they are stored, and as buyers see them. Amounts are minor units, shares are basis points.

What a buyer sees is the protocol's discount extension. Source: UCP 2026-08-25, discount.json.
"""

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from commerce.clock import iso
from commerce.messages import Message
from commerce.model import Model, StaffModel, written
from commerce.money import Amount, Currency
from commerce.pricing.model import PricedLine

MAX_CODES = 5
"""Of one checkout. A code takes up to two of the 100 actions of the transaction that makes the order."""
MAX_UNKNOWN_CODES = 20
"""How many codes that the shop does not know may be tried in one checkout, before it takes no further ones."""
MAX_PRODUCTS = 50
"""To which one discount may be confined."""
MAX_CURRENCIES = 20
"""That one discount may name."""
WHOLE = 10_000
"""Basis points."""

CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{3,39}")


def normalized(code: str) -> str:
    """Codes are the same however they are written: `spring-10 ` is `SPRING-10`."""
    return code.strip().upper()


def _code(text: str) -> str:
    code = normalized(text)
    if not text.isascii() or not CODE.fullmatch(code):
        raise ValueError("a code has 4 to 40 letters, digits, - and _, the first of them a letter or a digit")
    return code


def _moment(text: str) -> str:
    try:
        return iso(datetime.fromisoformat(text))
    except OverflowError:
        raise ValueError("this is beyond the calendar") from None


Code = Annotated[str, AfterValidator(_code)]
Moment = Annotated[
    str,
    written(
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$",
        "use a moment with its time zone, such as 2026-12-24T18:00:00Z",
        json_schema_extra={"format": "date-time"},
    ),
    AfterValidator(_moment),
]
"""RFC 3339, with its time zone: `2026-12-24T18:00:00Z`."""
ProductId = Annotated[str, Field(min_length=1, max_length=100)]


class DiscountContent(StaffModel):
    """What staff decide about a discount: a share of the goods (`basis_points`), or an amount of each currency."""

    title: str = written(r"\S", "use more than spaces", max_length=100)
    """What buyers see."""
    basis_points: int | None = Field(default=None, ge=1, le=WHOLE)
    """1000 is 10 %."""
    amounts: dict[Currency, Annotated[Amount, Field(ge=1)]] = Field(default_factory=dict, max_length=MAX_CURRENCIES)
    """What is taken off in all, by currency. In a currency that is not named the code does not work."""
    product_ids: tuple[ProductId, ...] = Field(default=(), max_length=MAX_PRODUCTS)
    """To which it is confined; none means all."""
    minimum: dict[Currency, Amount] = Field(default_factory=dict, max_length=MAX_CURRENCIES)
    """What all goods must cost before discounts, by currency. In one that is not named the code does not work then."""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    limit: int | None = Field(default=None, ge=1, le=1_000_000)
    """How many orders may use it. Without a limit nobody counts."""
    limit_per_buyer: int | None = Field(default=None, ge=1, le=1_000)
    priority: int = Field(default=100, ge=1, le=1_000)
    """Of several codes the one with the smallest is taken off first; of equal ones the first by its letters."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.basis_points is None) is (not self.amounts):
            raise ValueError("say either basis_points or amounts, and not both")
        return self


class Discount(Model):
    """A discount as it is stored. `uses` is counted where it has a limit."""

    code: str
    version: int = 1
    title: str
    basis_points: int | None = None
    amounts: dict[str, int] = Field(default_factory=dict)
    product_ids: tuple[str, ...] = ()
    minimum: dict[str, int] = Field(default_factory=dict)
    starts_at: str | None = None
    ends_at: str | None = None
    limit: int | None = None
    limit_per_buyer: int | None = None
    priority: int = 100
    created_at: str
    uses: int = 0

    @property
    def method(self) -> Literal["each", "across"]:
        """A share is taken of each line; an amount is spread across them."""
        return "across" if self.basis_points is None else "each"


State = Literal["scheduled", "active", "used_up", "ended"]


def state_of(discount: Discount, now: datetime) -> State:
    """What has become of the discount."""
    if discount.ends_at and datetime.fromisoformat(discount.ends_at) <= now:
        return "ended"
    if discount.starts_at and datetime.fromisoformat(discount.starts_at) > now:
        return "scheduled"
    return "used_up" if discount.limit is not None and discount.uses >= discount.limit else "active"


class DiscountAllocation(Model):
    """How much of a discount falls on what `path` leads to."""

    path: str
    amount: int


class AppliedDiscount(Model):
    """A discount that is taken off, by the protocol's shape. `amount` is positive, and the allocations sum to it."""

    code: str
    title: str
    amount: int
    method: Literal["each", "across"]
    priority: int
    allocations: tuple[DiscountAllocation, ...]


class OrderDiscount(Model):
    """A discount that an order was given, and where its use was counted: there it is given back."""

    code: str
    title: str
    amount: int
    counted: bool = False
    counted_for_buyer: bool = False


class DiscountedLines(Model):
    """Lines after their discounts, what was taken off, and which codes were not taken."""

    lines: tuple[PricedLine, ...]
    applied: tuple[AppliedDiscount, ...]
    messages: tuple[Message, ...]


class BuyerLimitReached(Exception):
    """The buyer has used these codes as often as one buyer may."""

    def __init__(self, codes: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(codes)))
        self.codes = codes
