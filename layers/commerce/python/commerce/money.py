"""Money: a signed integer of minor units and an ISO 4217 code. No float ever holds money."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import Field

from commerce.errors import Invalid
from commerce.model import Model, written

MAX_AMOUNT = 999_999_999_99
"""The largest price or payment the shop accepts, in minor units."""

MIN_PAYMENT = 50
"""The smallest payment that goes by card, in minor units, whatever the currency: Stripe's, for most of them.

Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
"""

Currency = Annotated[str, written(r"^[A-Z]{3}$", "use the three capital letters of ISO 4217, such as USD")]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT, strict=True)]

_ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split())
_THREE_DECIMAL = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_DECIMAL_TEXT = re.compile(r"^\d{1,12}(\.\d+)?$")


class Money(Model):
    """`amount` minor units of `currency`: Money(amount=1999, currency="USD") is $19.99."""

    amount: Amount
    currency: Currency


def decimals(currency: str) -> int:
    """How many digits of `currency` stand behind the decimal point (ISO 4217, as Stripe counts them)."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def minor_units(text: str, currency: str) -> int:
    """`"19.99"` of USD is 1999. Raises Invalid where the text is no plain amount or has too many digits."""
    if not _DECIMAL_TEXT.match(text):
        raise Invalid(f"{text!r} is not an amount; write it like 19.99")
    try:
        shifted = Decimal(text).scaleb(decimals(currency))
    except InvalidOperation as error:  # pragma: no cover - the pattern admits only what Decimal reads
        raise Invalid(f"{text!r} is not an amount") from error
    if shifted != shifted.to_integral_value():
        raise Invalid(f"{text!r} has more digits than {currency} has")
    amount = int(shifted)
    if amount > MAX_AMOUNT:
        raise Invalid(f"{text!r} is larger than the shop accepts")
    return amount


def display(amount: int, currency: str) -> str:
    """For people: `1999, "USD"` is `19.99 USD`; negative amounts keep their sign."""
    digits = decimals(currency)
    return f"{Decimal(amount).scaleb(-digits):,.{digits}f} {currency}"


def share(amount: int, basis_points: int) -> int:
    """`basis_points` ten-thousandths of `amount`, rounded half up. 1999 at 825 (8.25 %) is 165."""
    return (amount * basis_points + 5_000) // 10_000


def allocate(amount: int, weights: list[int]) -> list[int]:
    """Splits `amount` by `weights` so that the parts sum to it exactly (largest remainder first, then position)."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
