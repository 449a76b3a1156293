"""Discounts as staff and buyers see them."""

from datetime import datetime

from commerce.discounts.model import AppliedDiscount, Discount, State, state_of
from commerce.model import Model


class DiscountsExtension(Model):
    """The discount extension: the codes as they were entered, and what was taken off for them."""

    codes: tuple[str, ...]
    applied: tuple[AppliedDiscount, ...]


class DiscountView(Discount):
    """A discount for staff. `uses` is counted where it has a limit."""

    state: State


class DiscountsResponse(Model):
    """A page of the discounts, by code."""

    discounts: tuple[DiscountView, ...]
    cursor: str | None


def discount_view(discount: Discount, now: datetime) -> DiscountView:
    """The discount as it stands at this moment."""
    return DiscountView(**discount.model_dump(), state=state_of(discount, now))
