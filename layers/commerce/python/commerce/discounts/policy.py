"""The rules by which codes take something off: pure functions of the goods, the codes, their discounts and the moment.

Codes of messages: UCP's discount extension, and where it has none the Agentic Commerce Protocol's `DiscountErrorCode`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from commerce.discounts.model import (
    AppliedDiscount,
    Discount,
    DiscountAllocation,
    DiscountedLines,
    OrderDiscount,
    normalized,
    state_of,
)
from commerce.messages import Message, error, warning
from commerce.money import allocate, display, share
from commerce.pricing.model import PricedLine, amount_of
from commerce.pricing.service import reduced


def discounted(
    lines: Sequence[PricedLine],
    codes: Sequence[str],
    discounts: Mapping[str, Discount],
    currency: str,
    now: datetime,
) -> DiscountedLines:
    """Takes the codes' discounts off the lines, the smallest priority first, then by code, each off what is left.

    A code that cannot be used is no error: the buyer is warned and pays the whole price.
    """
    refused = _refusals(lines, codes, discounts, currency, now)
    left = [amount_of(line.totals, "subtotal") for line in lines]
    applied = []
    usable = {normalized(code): position for position, code in enumerate(codes) if position not in refused}
    for code in sorted(usable, key=lambda one: (discounts[one].priority, one)):
        parts = _parts(discounts[code], lines, left, currency)
        if any(parts):
            left = [rest - part for rest, part in zip(left, parts, strict=True)]
            applied.append(_applied(discounts[code], parts))
        else:
            content = f"The discount code {code} takes nothing off these goods."
            refused[usable[code]] = warning("discount_code_invalid", content, path=path_of(usable[code]))
    return DiscountedLines(
        lines=tuple(reduced(line, rest) for line, rest in zip(lines, left, strict=True)),
        applied=tuple(applied),
        messages=tuple(refused[position] for position in sorted(refused)),
    )


def path_of(position: int) -> str:
    """Where the code stands in a checkout."""
    return f"$.discounts.codes[{position}]"


def unknown_codes(
    codes: Iterable[str], before: Iterable[str], discounts: Mapping[str, Discount], now: datetime
) -> int:
    """How many codes are new and, as far as buyers may know, none at all."""
    known = {code for code, discount in discounts.items() if state_of(discount, now) != "scheduled"}
    return len({normalized(code) for code in codes} - {normalized(code) for code in before} - known)


def given(applied: Iterable[AppliedDiscount], discounts: Mapping[str, Discount]) -> tuple[OrderDiscount, ...]:
    """What an order keeps of the discounts that are taken off it."""
    return tuple(
        OrderDiscount(
            code=one.code,
            title=one.title,
            amount=one.amount,
            counted=discounts[one.code].limit is not None,
            counted_for_buyer=discounts[one.code].limit_per_buyer is not None,
        )
        for one in applied
    )


def counters(discounts: Iterable[OrderDiscount]) -> int:
    """How many counters an order with these discounts changes."""
    return sum(discount.counted + discount.counted_for_buyer for discount in discounts)


def buyer_limit_messages(
    codes: Sequence[str], reached: Iterable[str], discounts: Mapping[str, Discount]
) -> tuple[Message, ...]:
    """Told when the order is to be made, and not before: who asks for somebody else learns nothing of them."""
    return tuple(
        error(
            "discount_code_user_ineligible",
            f"One buyer may use the discount code {code} {_times(discounts[code].limit_per_buyer)}. Take it out.",
            path=path_of(position),
        )
        for position, code in enumerate(map(normalized, codes))
        if code in reached
    )


def _times(count: int | None) -> str:
    return "once" if count == 1 else f"{count} times"


def _refusals(
    lines: Iterable[PricedLine],
    codes: Iterable[str],
    discounts: Mapping[str, Discount],
    currency: str,
    now: datetime,
) -> dict[int, Message]:
    """By position, why the codes cannot be used, whatever they would take off."""
    goods = sum(amount_of(line.totals, "subtotal") for line in lines)
    seen: set[str] = set()
    found = {}
    for position, code in enumerate(map(normalized, codes)):
        path = path_of(position)
        if code in seen:
            content = f"The discount code {code} was entered already."
            found[position] = warning("discount_code_already_applied", content, path=path)
        elif message := _refusal(code, discounts.get(code), goods, currency, now, path):
            found[position] = message
        seen.add(code)
    return found


def _refusal(
    code: str, discount: Discount | None, goods: int, currency: str, now: datetime, path: str
) -> Message | None:
    """Why the code cannot be used. One that is still to come is as unknown as those that do not exist."""
    state = state_of(discount, now) if discount else "scheduled"
    if discount is None or state == "scheduled":
        return warning("discount_code_invalid", f"There is no discount code {code}.", path=path)
    if state == "ended":
        return warning("discount_code_expired", f"The discount code {code} is over.", path=path)
    if state == "used_up":
        content = f"The discount code {code} has been used up."
        return warning("discount_code_usage_limit_reached", content, path=path)
    if any(by_currency and currency not in by_currency for by_currency in (discount.amounts, discount.minimum)):
        content = f"The discount code {code} is not for prices in {currency}."
        return warning("discount_code_invalid", content, path=path)
    least = discount.minimum.get(currency, 0)
    if goods < least:
        content = f"The discount code {code} is for goods of {display(least, currency)} or more."
        return warning("discount_code_minimum_not_met", content, path=path)
    return None


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
            DiscountAllocation(path=f"$.line_items[{position}]", amount=part)
            for position, part in enumerate(parts)
            if part
        ),
    )
