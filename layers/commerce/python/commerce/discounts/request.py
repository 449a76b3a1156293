"""What clients and staff send about discounts."""

from pydantic import Field

from commerce.contact import Text
from commerce.discounts.model import Code, DiscountContent
from commerce.model import OpenModel


class DiscountsRequest(OpenModel):
    """The discount extension of a checkout: `codes` replaces all that were entered before."""

    codes: tuple[Text, ...] = Field(default=(), max_length=50)


class DiscountCreateRequest(DiscountContent):
    """A new discount. Without a `code` it gets one that nobody guesses."""

    code: Code | None = None
