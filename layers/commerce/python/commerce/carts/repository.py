"""Carts in DynamoDB: the table `carts`, see docs/architecture.md."""

from dataclasses import dataclass
from datetime import datetime

from commerce.adapters.dynamodb import ConditionFailed, Item, Table, fields
from commerce.carts.model import Cart
from commerce.errors import Conflict, NotFound


@dataclass(frozen=True)
class CartRepository:
    """Reads carts, and replaces them only as they were read."""

    table: Table

    def get(self, cart_id: str, now: datetime) -> Cart:
        """The cart. Raises NotFound, also for one that has expired."""
        item = self.table.get(f"CART#{cart_id}", "CART")
        if item is None or item["expires_at"] <= now.timestamp():
            raise NotFound("there is no such cart; it may have expired")
        return _cart(item)

    def add(self, cart: Cart) -> None:
        """Stores a new cart. Written twice, it is there once: the identifier is fresh."""
        self.table.put(_item(cart))

    def save(self, old: Cart, new: Cart) -> Cart:
        """Replaces `old` by `new` and answers the new one with its version. Raises Conflict."""
        replacing = new.model_copy(update={"version": old.version + 1})
        try:
            self.table.replace(_item(replacing), old.version)
        except ConditionFailed:
            raise Conflict("the cart was changed at the same moment; read it again") from None
        return replacing

    def remove(self, cart: Cart) -> None:
        """Removes the cart; one that is gone already stays gone."""
        self.table.delete(f"CART#{cart.id}", "CART")


def _item(cart: Cart) -> Item:
    return {"pk": f"CART#{cart.id}", "sk": "CART", **cart.model_dump(mode="json", exclude_none=True)}


def _cart(item: Item) -> Cart:
    return Cart.model_validate(fields(item))
