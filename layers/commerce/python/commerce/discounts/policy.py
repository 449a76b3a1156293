"""The rules by which codes take something off: pure functions of the goods, the codes and how their discounts stand."""

from collections.abc import Iterable, Mapping, Sequence

from commerce.discounts.model import (
    Allocation,
    AppliedDiscount,
    Coupon,
    Discount,
    OrderDiscount,
    Reduced,
    normalized,
)
from commerce.messages import Message, warning
from commerce.money import allocate, display, share
from commerce.pricing.model import PricedLine, amount_of
from commerce.pricing.service import reduced


def wrong_codes(codes: Iterable[str], known_before: Iterable[str], coupons: Mapping[str, Coupon]) -> int:
    """How many codes are new and no codes at all."""
    before = {normalized(code) for code in known_before}
    return len({normalized(code) for code in codes} - before - coupons.keys())


def reduce(
    lines: Sequence[PricedLine], codes: Sequence[str], coupons: Mapping[str, Coupon], currency: str
) -> Reduced:
    """Takes the codes' discounts off the lines, the one with the smallest priority first, and each off what is left.

    A code that cannot be used is no error: the buyer is warned and pays the whole price.
    """
    goods = sum(amount_of(line.totals, "subtotal") for line in lines)
    left = [amount_of(line.totals, "subtotal") for line in lines]
    warnings: dict[int, Message] = {}
    usable: dict[str, int] = {}
    for position, code in enumerate(map(normalized, codes)):
        refused = _repeated(code) if code in usable else _refusal(code, coupons.get(code), goods, currency)
        if refused is None:
            usable[code] = position
        else:
            warnings[position] = _about(position, *refused)
    applied = []
    for code in sorted(usable, key=lambda one: (coupons[one].discount.priority, one)):
        discount = coupons[code].discount
        parts = _parts(discount, lines, left, currency)
        if not any(parts):
            warnings[usable[code]] = _about(usable[code], *_takes_nothing(code))
            continue
        left = [rest - part for rest, part in zip(left, parts, strict=True)]
        applied.append(_applied(discount, parts))
    return Reduced(
        lines=tuple(reduced(line, rest) for line, rest in zip(lines, left, strict=True)),
        applied=tuple(applied),
        messages=tuple(warnings[position] for position in sorted(warnings)),
    )


def redeemed(applied: Iterable[AppliedDiscount], coupons: Mapping[str, Coupon]) -> tuple[OrderDiscount, ...]:
    """What an order keeps of the discounts that it is given."""
    return tuple(
        OrderDiscount(
            code=one.code,
            title=one.title,
            amount=one.amount,
            counted=coupons[one.code].discount.limit is not None,
            counted_for_buyer=coupons[one.code].discount.limit_per_buyer is not None,
        )
        for one in applied
    )


def counts(discounts: Iterable[OrderDiscount]) -> int:
    """How many counters an order with these discounts changes."""
    return sum(discount.counted + discount.counted_for_buyer for discount in discounts)


def _refusal(code: str, coupon: Coupon | None, goods: int, currency: str) -> tuple[str, str] | None:
    """The message's code and content, or None where it may be used. What is still to come is as unknown as the rest."""
    if coupon is None or coupon.state == "scheduled":
        return "discount_code_invalid", f"There is no discount code {code}."
    discount = coupon.discount
    if coupon.state == "ended":
        return "discount_code_expired", f"The discount code {code} is over."
    if coupon.state == "used_up":
        return "discount_code_usage_limit_reached", f"The discount code {code} has been used up."
    if coupon.spent:
        content = f"One buyer may use the discount code {code} {_times(discount.limit_per_buyer)}."
        return "discount_code_usage_limit_reached", content
    if discount.basis_points is None and currency not in discount.amounts:
        return "discount_code_invalid", f"The discount code {code} is not for prices in {currency}."
    least = discount.minimum.get(currency, 0)
    if goods < least:
        content = f"The discount code {code} is for goods of {display(least, currency)} or more."
        return "discount_code_minimum_not_met", content
    return None


def _times(count: int | None) -> str:
    return "once" if count == 1 else f"{count} times"


def _repeated(code: str) -> tuple[str, str]:
    return "discount_code_already_applied", f"The discount code {code} was entered already."


def _takes_nothing(code: str) -> tuple[str, str]:
    return "discount_code_invalid", f"The discount code {code} takes nothing off these goods."


def _about(position: int, code: str, content: str) -> Message:
    return warning(code, content, path=f"$.discounts.codes[{position}]")


def _parts(discount: Discount, lines: Sequence[PricedLine], left: Sequence[int], currency: str) -> list[int]:
    """How much is taken off each line, never more than is left of it."""
    base = [
        rest if not discount.product_ids or line.product_id in discount.product_ids else 0
        for line, rest in zip(lines, left, strict=True)
    ]
    if discount.basis_points is not None:
        return [share(rest, discount.basis_points) for rest in base]
    return allocate(min(discount.amounts[currency], sum(base)), base)


def _applied(discount: Discount, parts: Sequence[int]) -> AppliedDiscount:
    return AppliedDiscount(
        code=discount.code,
        title=discount.title,
        amount=sum(parts),
        method=discount.method,
        priority=discount.priority,
        allocations=tuple(
            Allocation(path=f"$.line_items[{position}]", amount=part) for position, part in enumerate(parts) if part
        ),
    )
