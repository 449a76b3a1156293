"""The rules by which a SKU is sold ahead of its stock, how many go to one buyer, and when it runs low."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

from commerce.errors import Invalid
from commerce.ids import derived_id
from commerce.inventory.model import Part, Stock, by_location
from commerce.model import Model
from commerce.supply import SellingPolicy, SellingTerms, Supply

_TAG = re.compile(r"\+[^@]*(?=@)")
"""What mail servers let people put behind their name; it leads to the same mailbox."""


def check_terms(terms: SellingTerms, today: date) -> None:
    """Raises Invalid, naming the field, for terms that contradict themselves."""
    if terms.mode == "deny":
        if terms.cap:
            raise Invalid("a SKU that is sold from the shelf only has no cap", path="$.cap")
        if terms.expected_on is not None:
            raise Invalid("a SKU that is sold from the shelf only has no such day", path="$.expected_on")
        return
    if terms.cap < 1:
        raise Invalid(f"a {terms.mode} needs a cap: how many units may be sold ahead", path="$.cap")
    if terms.mode == "preorder" and terms.expected_on is None:
        raise Invalid("a preorder needs the day on which the units should arrive", path="$.expected_on")
    if terms.expected_on is not None and terms.expected_on < today:
        raise Invalid("this day is past; units are expected today or later", path="$.expected_on")


def supply_of(stock: Iterable[Stock], policy: SellingPolicy, *, low_stock: int, today: date) -> Supply:
    """What can be sold. `low_stock` is the shop's threshold. A day that is past is no longer promised to anybody.

    What is owed at a location goes off what is free there, whichever row of a pool it lies in.
    """
    rows = tuple(stock)
    return Supply(
        free=sum(max(place.available, 0) for place in by_location(rows)),
        ahead=_room(rows, policy, today),
        low=threshold(policy, low_stock),
        expected_on=None if policy.over(today) else policy.expected_on,
        policy=policy,
    )


def threshold(policy: SellingPolicy, low_stock: int) -> int:
    """From how many free units on the SKU is low; the shop's own number, `low_stock`, where staff decided nothing."""
    return low_stock if policy.low_stock is None else policy.low_stock


def _room(rows: Iterable[Stock], policy: SellingPolicy, today: date) -> int:
    """How many more units may be sold ahead."""
    if policy.mode == "deny" or (policy.mode == "preorder" and policy.over(today)):
        return 0
    own = (row for row in rows if row.location == policy.location and not row.shard)
    owed = sum(max(-row.available, 0) for row in own)
    return max(policy.cap - owed, 0)


def needed(part: Part, cap: int) -> int:
    """The least `available` that the part's row must have, so that it gives the part and keeps to the cap.

    Units that the buyer was told to lie on the shelf must be there: an order never becomes a backorder unseen.
    """
    on_the_shelf = part.quantity - part.backordered
    return on_the_shelf or part.quantity - cap


def buyer_key(subject: str | None, email: str | None) -> str:
    """Under which key a buyer's purchases are counted. It names nobody, and one mailbox is one buyer."""
    if subject is not None:
        return derived_id("buyer", "subject", subject)
    return derived_id("buyer", "email", _TAG.sub("", (email or "").strip().lower()))


Crossing = Literal["low", "out", "back"]
"""A line that the free units of a SKU at a location have crossed: the threshold, or zero in either direction."""


class StockChange(Model):
    """One change of the free units of a SKU at a location."""

    id: str
    """The change's own, the same however often it is told."""
    sku: str
    location: str
    before: int | None
    """None where nobody watched until now."""
    after: int
    occurred_at: str


def level(free: int, low: int) -> Literal["plenty", "low", "out"]:
    """Between which lines so many free units lie."""
    if free <= 0:
        return "out"
    return "low" if free <= low else "plenty"


def crossing(before: int | None, after: int, low: int) -> Crossing | None:
    """Which line was crossed, if any. Below zero, where units are sold ahead, is no further line."""
    was, now = None if before is None else level(before, low), level(after, low)
    if was == now:
        return None
    if was == "out":
        return "back"
    return None if now == "plenty" else now
