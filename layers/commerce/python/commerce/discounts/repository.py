"""Discounts in DynamoDB: the table `inventory`, see docs/architecture.md. Uses are counted in orders' transactions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commerce.adapters.dynamodb import Item, Table, at_most, fields, put, transact, update
from commerce.discounts.model import CODE, Discount, OrderDiscount, normalized
from commerce.errors import NotFound
from commerce.model import read_back

_LIST = "DISCOUNTS"
_KEPT = {"code", "uses", "created_at"}
"""What no change of a discount touches."""


@dataclass(frozen=True)
class DiscountRepository:
    """Reads discounts, changes them, and makes the actions by which orders count their uses."""

    table: Table

    def get(self, code: str) -> Discount:
        """The discount. Raises NotFound."""
        found = self.discounts([code], consistent=True)
        if not found:
            raise NotFound("there is no such discount")
        return found[normalized(code)]

    def page(self, *, after: str | None, limit: int) -> tuple[tuple[Discount, ...], str | None]:
        """Discounts by code, and the code behind which the next page begins."""
        sort = ("sk", ">", after) if after else None
        codes = [item["sk"] for item in self.table.query(_LIST, sort=sort, limit=limit + 1)]
        found = self.discounts(codes[:limit])
        some = tuple(found[code] for code in codes[:limit] if code in found)
        return some, codes[limit - 1] if len(codes) > limit else None

    def add(self, discount: Discount, *, actions: Iterable[dict[str, Any]]) -> None:
        """Makes the discount, together with `actions`. Raises ConditionFailed where the code is taken."""
        pk, sk = _key(discount.code)
        item = {"pk": pk, "sk": sk, **_stored(discount), "uses": 0}
        listed = {"pk": _LIST, "sk": discount.code}
        own = [put(self.table.name, item, ("code", "missing")), put(self.table.name, listed)]
        transact(self.table.client, [*own, *actions])

    def save(self, old: Discount, new: Discount, *, actions: Iterable[dict[str, Any]]) -> None:
        """Replaces what staff decided, together with `actions`; uses are counted on. Raises ConditionFailed."""
        stored = {name: value for name, value in _stored(new).items() if name not in _KEPT}
        own = update(
            self.table.name,
            *_key(old.code),
            ("version", "=", old.version),
            set=stored,
            remove=sorted(Discount.model_fields.keys() - stored.keys() - _KEPT),
        )
        transact(self.table.client, [own, *actions])

    def discounts(self, codes: Iterable[str], *, consistent: bool = False) -> dict[str, Discount]:
        """The discounts that exist, by their codes: one batch read, none where nothing could be a code.

        An item without its code is no discount: uses that were given back after the discount itself was lost.
        """
        wanted = [code for code in map(normalized, codes) if CODE.fullmatch(code)]
        if not wanted:
            return {}
        found = self.table.get_many(map(_key, wanted), consistent=consistent)
        return {item["code"]: read_back(Discount, fields(item)) for item in found if "code" in item}

    def use_actions(self, discounts: Iterable[Discount]) -> dict[str, dict[str, Any]]:
        """By code, the actions that count one use of each that has a limit.

        Refused where it was changed since, or has been used up. What guards them is the order, which is made once.
        """
        return {
            discount.code: update(
                self.table.name,
                *_key(discount.code),
                ("version", "=", discount.version),
                at_most("uses", discount.limit - 1),
                add={"uses": 1},
            )
            for discount in discounts
            if discount.limit is not None
        }

    def buyer_use_actions(self, discounts: Iterable[Discount], buyer: str) -> dict[str, dict[str, Any]]:
        """By code, the actions that count one use of the buyer's. Refused where they had as many as they may."""
        return {
            discount.code: update(
                self.table.name,
                *_buyer_key(buyer, discount.code),
                at_most("uses", discount.limit_per_buyer - 1),
                add={"uses": 1},
            )
            for discount in discounts
            if discount.limit_per_buyer is not None
        }

    def give_back_actions(self, discounts: Sequence[OrderDiscount], buyer: str) -> list[dict[str, Any]]:
        """Takes the counted uses back; what guards them is the order that leaves its status."""
        keys = [_key(one.code) for one in discounts if one.counted]
        keys += [_buyer_key(buyer, one.code) for one in discounts if one.counted_for_buyer]
        return [update(self.table.name, *key, add={"uses": -1}) for key in keys]


def _key(code: str) -> tuple[str, str]:
    return f"DISCOUNT#{code}", "DISCOUNT"


def _buyer_key(buyer: str, code: str) -> tuple[str, str]:
    return f"BUYER#{buyer}", f"DISCOUNT#{code}"


def _stored(discount: Discount) -> Item:
    return discount.model_dump(mode="json", exclude_none=True)
