"""Checkouts in DynamoDB: the table `carts`, see docs/architecture.md."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commerce.adapters.dynamodb import ConditionFailed, Item, Table, fields, put, transact
from commerce.checkout.model import Checkout
from commerce.errors import Conflict, NotFound


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


def _item(checkout: Checkout) -> Item:
    return {
        "pk": f"CHECKOUT#{checkout.id}",
        "sk": "CHECKOUT",
        **checkout.model_dump(mode="json", exclude_none=True),
    }


def _checkout(item: Item) -> Checkout:
    return Checkout.model_validate(fields(item))
