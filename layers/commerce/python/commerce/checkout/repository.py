"""Checkouts in DynamoDB: the table `carts`, see docs/architecture.md."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commerce.adapters.dynamodb import ConditionFailed, Item, Table, fields, put, transact
from commerce.checkout.model import Checkout
from commerce.errors import Conflict, Contended, NotFound


@dataclass(frozen=True)
class CheckoutRepository:
    """Reads checkouts, and replaces them only as they were read."""

    table: Table

    def get(self, checkout_id: str, now: datetime) -> Checkout:
        """The checkout. Raises NotFound, also for one that has expired."""
        checkout = self.find(checkout_id)
        if checkout is None or checkout.expired(now):
            raise NotFound("there is no such checkout; it may have expired")
        return checkout

    def find(self, checkout_id: str) -> Checkout | None:
        """The checkout, expired or not; None where it is gone."""
        item = self.table.get(f"CHECKOUT#{checkout_id}", "CHECKOUT")
        return _checkout(item) if item else None

    def add(self, checkout: Checkout) -> None:
        """Stores a new checkout. Written twice, it is there once: the identifier is fresh."""
        self.table.put(_item(checkout))

    def action(self, old: Checkout, new: Checkout) -> dict[str, Any]:
        """The transaction's action that replaces `old` by `new`, if nobody changed it since it was read."""
        replacing = new.model_copy(update={"version": old.version + 1})
        return put(self.table.name, _item(replacing), ("version", "=", old.version))

    def save(self, old: Checkout, new: Checkout) -> Checkout:
        """Replaces `old` by `new` and answers the new one with its version. Raises Conflict."""
        replacing = new.model_copy(update={"version": old.version + 1})
        try:
            self.table.replace(_item(replacing), old.version)
        except ConditionFailed:
            raise Conflict("the checkout was changed at the same moment; read it again") from None
        return replacing

    def converted(self, cart_id: str) -> str | None:
        """The id of the checkout that the cart was last turned into, whatever became of it."""
        link = self.table.get(f"CART#{cart_id}", "CHECKOUT")
        return link["checkout_id"] if link else None

    def add_for_cart(self, checkout: Checkout, *, instead_of: str | None) -> bool:
        """Stores a cart's new checkout, if the cart's last one still is `instead_of`; False where another came first.

        One transaction: of two conversions at once, one wins, and the other finds the winner's by `converted`.
        """
        link = {
            "pk": f"CART#{checkout.cart_id}",
            "sk": "CHECKOUT",
            "checkout_id": checkout.id,
            "expires_at": checkout.expires_at,
        }
        unchanged = ("checkout_id", "=", instead_of) if instead_of else ("pk", "missing")
        try:
            transact(
                self.table.client,
                [put(self.table.name, link, unchanged), put(self.table.name, _item(checkout), ("pk", "missing"))],
            )
        except ConditionFailed:
            return False
        return True


_CONTENDED_SECONDS = 2.0
_KEPT_SECONDS = 3600
_TRIES = 10


@dataclass(frozen=True)
class LineRepository:
    """The lines of waiting buyers (items `LINE#<sku>#<number>`/`LINE`): each knows its next free slot."""

    table: Table
    clock: Callable[[], float] = time.monotonic
    rushes: dict[str, float] = field(default_factory=dict)
    """Until when this process takes a SKU for contended. So a SKU that is not costs nothing."""

    def note(self, sku: str) -> None:
        """Buyers of the SKU were in each other's way."""
        self.rushes[sku] = self.clock() + _CONTENDED_SECONDS

    def is_contended(self, sku: str) -> bool:
        """Whether that was a moment ago."""
        return self.rushes.get(sku, 0.0) > self.clock()

    def join(self, sku: str, number: int, *, interval: int, now: int) -> int:
        """The buyer's slot at the end of the line, `interval` after the one before. Epoch milliseconds.

        A line that came to its end begins anew at `now`: slots are not saved up. A slot that is taken twice, because an
        answer was lost, stays empty. Raises Contended.
        """
        pk = f"LINE#{sku}#{number}"
        alive = {"expires_at": now // 1000 + _KEPT_SECONDS}
        for _ in range(_TRIES):
            line = self.table.get(pk, "LINE")
            try:
                if line and line["next"] >= now:
                    following = self.table.advance(pk, "LINE", "next", interval, ("next", ">=", now), set=alive)
                    return following - interval
                as_seen = ("next", "=", line["next"]) if line else ("pk", "missing")
                self.table.update(pk, "LINE", as_seen, set={**alive, "next": now + interval})
                return now
            except ConditionFailed:
                continue
        raise Contended("many buyers want the same thing at this moment; send the request again")


def _item(checkout: Checkout) -> Item:
    return {
        "pk": f"CHECKOUT#{checkout.id}",
        "sk": "CHECKOUT",
        **checkout.model_dump(mode="json", exclude_none=True),
    }


def _checkout(item: Item) -> Checkout:
    return Checkout.model_validate(fields(item))
