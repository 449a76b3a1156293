"""Checkouts in DynamoDB: the table `carts`, see docs/architecture.md."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commerce.adapters.dynamodb import ConditionFailed, Item, Table, fields, put, transact, update
from commerce.adapters.sealing import SEALED, Sealed, Seals
from commerce.checkout.model import Checkout
from commerce.contact import Buyer, PostalAddress
from commerce.errors import Conflict, Contended, NotFound
from commerce.model import read_back

_PERSONAL = {"buyer", "destination"}


@dataclass(frozen=True)
class CheckoutRepository:
    """Reads checkouts, and replaces them only as they were read. Who buys, and where it goes, is stored sealed.

    Without `seals` it moves checkouts and sees nobody: `buyer` and `destination` are empty, and stay what they are.
    """

    table: Table
    seals: Seals | None = None

    def get(self, checkout_id: str, now: datetime) -> Checkout:
        """The checkout. Raises NotFound, also for one that has expired."""
        checkout = self.find(checkout_id)
        if checkout is None or checkout.expired(now):
            raise NotFound("there is no such checkout; it may have expired")
        return checkout

    def find(self, checkout_id: str) -> Checkout | None:
        """The checkout, expired or not; None where it is gone."""
        item = self.table.get(f"CHECKOUT#{checkout_id}", "CHECKOUT")
        return self._opened(item) if item else None

    def add(self, checkout: Checkout) -> None:
        """Stores a new checkout. Written twice, it is there once: the identifier is fresh."""
        self.table.put(self._item(checkout))

    def action(self, old: Checkout, new: Checkout) -> dict[str, Any]:
        """The transaction's action that moves `old` on to `new`, if nobody changed it since it was read.

        All but its personal data, which nobody changes while an order is made of it or follows.
        """
        moved = _fields(new.model_copy(update={"version": old.version + 1}))
        return update(
            self.table.name,
            f"CHECKOUT#{old.id}",
            "CHECKOUT",
            ("version", "=", old.version),
            set=moved,
            remove=sorted(Checkout.model_fields.keys() - _PERSONAL - {"unsealed"} - moved.keys()),
        )

    def save(self, old: Checkout, new: Checkout) -> Checkout:
        """Replaces `old` by `new` and answers the new one with its version. Raises Conflict."""
        replacing = new.model_copy(update={"version": old.version + 1, "unsealed": False})
        try:
            self.table.replace(self._item(replacing), old.version)
        except ConditionFailed:
            raise Conflict("the checkout was changed at the same moment; read it again") from None
        return replacing

    def remove(self, checkout_id: str) -> None:
        """Removes the checkout; one that is gone already stays gone."""
        self.table.delete(f"CHECKOUT#{checkout_id}", "CHECKOUT")

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
                [put(self.table.name, link, unchanged), put(self.table.name, self._item(checkout), ("pk", "missing"))],
            )
        except ConditionFailed:
            return False
        return True

    def _item(self, checkout: Checkout) -> Item:
        assert self.seals is not None, "who is not told the keys does not write who buys"
        return {
            "pk": f"CHECKOUT#{checkout.id}",
            "sk": "CHECKOUT",
            **_fields(checkout),
            **self.seals.sealed(
                checkout.id,
                checkout.id,
                _personal(checkout),
                email=checkout.buyer.email,
                until=checkout.expires_at,
            ),
        }

    def _opened(self, item: Item) -> Checkout:
        checkout = _checkout(item)
        if self.seals is None or SEALED not in item:
            return checkout
        personal = self.seals.opened(Sealed(checkout.id, checkout.id, item[SEALED]))
        destination = personal.get("destination")
        return checkout.model_copy(
            update={
                "buyer": Buyer.model_validate(personal.get("buyer", {})),
                "destination": PostalAddress.model_validate(destination) if destination else None,
            }
        )


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


def _fields(checkout: Checkout) -> Item:
    return checkout.model_dump(mode="json", exclude_none=True, exclude=_PERSONAL)


def _checkout(item: Item) -> Checkout:
    """The checkout as far as it is not sealed."""
    stored = {name: value for name, value in fields(item).items() if name != SEALED}
    return read_back(Checkout, {**stored, "unsealed": not _PERSONAL.isdisjoint(stored)})


def _personal(checkout: Checkout) -> Item:
    """What it says of the buyer; nothing where it says nothing yet."""
    return checkout.model_dump(mode="json", exclude_none=True, include=_PERSONAL) if checkout.tells_of_buyer else {}
