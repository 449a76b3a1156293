"""Carts in DynamoDB: the table `carts`, see docs/architecture.md."""

from dataclasses import dataclass
from datetime import datetime

from commerce.adapters.dynamodb import ConditionFailed, Item, Table, fields
from commerce.adapters.sealing import SEALED, Sealed, Seals
from commerce.carts.model import Cart
from commerce.errors import Conflict, NotFound
from commerce.model import read_back


@dataclass(frozen=True)
class CartRepository:
    """Reads carts, and replaces them only as they were read. Who buys is stored sealed."""

    table: Table
    seals: Seals

    def get(self, cart_id: str, now: datetime) -> Cart:
        """The cart. Raises NotFound, also for one that has expired."""
        item = self.table.get(f"CART#{cart_id}", "CART")
        if item is None or item["expires_at"] <= now.timestamp():
            raise NotFound("there is no such cart; it may have expired")
        return self._cart(item)

    def find(self, cart_id: str) -> Cart | None:
        """The cart, expired or not; None where it is gone."""
        item = self.table.get(f"CART#{cart_id}", "CART")
        return self._cart(item) if item else None

    def add(self, cart: Cart) -> None:
        """Stores a new cart. Written twice, it is there once: the identifier is fresh."""
        self.table.put(self._item(cart))

    def save(self, old: Cart, new: Cart) -> Cart:
        """Replaces `old` by `new` and answers the new one with its version. Raises Conflict."""
        replacing = new.model_copy(update={"version": old.version + 1, "unsealed": False})
        try:
            self.table.replace(self._item(replacing), old.version)
        except ConditionFailed:
            raise Conflict("the cart was changed at the same moment; read it again") from None
        return replacing

    def remove(self, cart: Cart) -> None:
        """Removes the cart; one that is gone already stays gone."""
        self.table.delete(f"CART#{cart.id}", "CART")

    def _item(self, cart: Cart) -> Item:
        personal = {"buyer": cart.buyer.model_dump(exclude_none=True)} if cart.tells_of_buyer else {}
        return {
            "pk": f"CART#{cart.id}",
            "sk": "CART",
            **cart.model_dump(mode="json", exclude_none=True, exclude={"buyer"}),
            **self.seals.sealed(cart.id, cart.id, personal, email=cart.buyer.email, until=cart.expires_at),
        }

    def _cart(self, item: Item) -> Cart:
        stored = fields(item)
        sealed = stored.pop(SEALED, None)
        personal = self.seals.opened(Sealed(stored["id"], stored["id"], sealed)) if sealed else {}
        return read_back(Cart, {**stored, **personal, "unsealed": "buyer" in stored})
