"""Requests in the table `privacy`, and a person's data over all tables: docs/architecture.md and docs/privacy.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from commerce.adapters import listing
from commerce.adapters.dynamodb import Condition, ConditionFailed, Item, Table, fields, put, transact
from commerce.adapters.sealing import SEALED, Sealed, Seals
from commerce.carts.repository import CartRepository
from commerce.checkout.model import Checkout
from commerce.checkout.repository import CheckoutRepository
from commerce.clock import epoch, iso
from commerce.errors import NotFound
from commerce.ids import order_id_for
from commerce.model import read_back
from commerce.orders.repository import OrderRepository
from commerce.privacy.model import EXPORTS_FOR, KnownOrder, PersonFile, PersonRequest

MOST_ORDERS = 1_000
"""Of one person. A wholesale buyer with more is erased in several requests."""
_OF_THE_BUYER = ("sealed", "buyer", "shipping_address", "email_key", "customer", "buyer_key")
"""What of an order tells who bought; the second and third in orders of the first release."""
_LIST = "person requests"


@dataclass(frozen=True)
class RequestRepository:
    """Requests: `REQUEST#<id>`/`REQUEST`. The address is sealed under a key of the request's own.

    That of an export ends after a month, and is destroyed with the person's others; that of an erasure outlives them.
    """

    seals: Seals

    def get(self, request_id: str) -> PersonRequest:
        """The request. Raises NotFound."""
        item = self._table.get(f"REQUEST#{request_id}", "REQUEST")
        if item is None:
            raise NotFound("there is no such request")
        return self._opened(item)

    def listed(self, *, after: str | None, limit: int) -> tuple[list[PersonRequest], str | None]:
        """Requests, the oldest first, without the addresses, and the position behind which there are more."""
        items, end = listing.page(self._table, _LIST, after=after, limit=limit)
        return [_request(item) for item in items], end

    def add(self, request: PersonRequest, *, recorded: dict[str, Any]) -> PersonRequest:
        """Stores a new request with its audit entry; answers the one that is there already under its id."""
        try:
            self._write(request, recorded, ("pk", "missing"))
        except ConditionFailed:
            return self.get(request.id)
        return request

    def move(self, old: PersonRequest, new: PersonRequest, *, recorded: dict[str, Any]) -> None:
        """Replaces `old` with an audit entry. One that has moved on meanwhile is left as it is."""
        try:
            self._write(new, recorded, ("state", "=", old.state))
        except ConditionFailed:
            return
        if new.email is None:
            self.seals.destroy(new.id)

    def record(self, recorded: dict[str, Any]) -> None:
        """Writes an audit entry alone."""
        transact(self._table.client, [recorded])

    @property
    def _table(self) -> Table:
        return self.seals.table

    def _write(self, request: PersonRequest, recorded: dict[str, Any], condition: Condition) -> None:
        personal = {"email": request.email} if request.email else {}
        found_by, until = None, None
        if request.kind == "export":
            found_by, until = request.email, epoch(datetime.fromisoformat(request.requested_at) + EXPORTS_FOR)
        item = {
            "pk": f"REQUEST#{request.id}",
            "sk": "REQUEST",
            **listing.listed(_LIST, request.id, position=request.requested_at),
            **request.model_dump(mode="json", exclude_none=True, exclude={"email"}),
            **self.seals.sealed(request.id, request.id, personal, email=found_by, until=until),
        }
        transact(self._table.client, [put(self._table.name, item, condition), recorded])

    def _opened(self, item: Item) -> PersonRequest:
        """The request with its address, as long as its key is there."""
        request = _request(item)
        if SEALED not in item:
            return request
        return request.model_copy(update=self.seals.opened(Sealed(request.id, request.id, item[SEALED])))


def _request(item: Item) -> PersonRequest:
    """The request without its address."""
    stored = listing.unlisted(fields(item))
    return read_back(PersonRequest, {name: value for name, value in stored.items() if name != SEALED})


@dataclass(frozen=True)
class PersonFiles:
    """What is known of a person, over the tables of carts, checkouts and orders."""

    seals: Seals
    carts: CartRepository
    checkouts: CheckoutRepository
    orders: OrderRepository

    def of(self, email: str, subject: str | None) -> PersonFile:
        """Everything under this address, or of the account with this subject."""
        holders = self.seals.of_person(email)
        checkouts = tuple(found for one in holders if (found := self.checkouts.find(one)))
        orders = tuple(self._known(order_id) for order_id in self._orders(email, subject, checkouts))
        also = {known.order.checkout_id for known in orders} - set(holders)
        return PersonFile(
            email=email,
            carts=tuple(cart for one in holders if (cart := self.carts.find(one))),
            checkouts=checkouts,
            orders=orders,
            holders=(*holders, *sorted(also)),
        )

    def erase(self, file: PersonFile, now: datetime) -> None:
        """The keys go last: as long as they are there, what is left of the person is found again."""
        for known in file.orders:
            self._anonymise(known, now)
        for cart in file.carts:
            self.carts.remove(cart)
        for holder in file.holders:
            self.checkouts.remove(holder)
        for holder in file.holders:
            self.seals.destroy(holder)

    def _orders(self, email: str, subject: str | None, checkouts: tuple[Checkout, ...]) -> list[str]:
        """Placed with this address, by this account, or made of these checkouts in any of their attempts."""
        found = dict.fromkeys(self.orders.of_address(email, limit=MOST_ORDERS))
        if subject is not None:
            found |= dict.fromkeys(order.id for order in self.orders.of_customer(subject, limit=MOST_ORDERS))
        for checkout in checkouts:
            tried = (order_id_for(checkout.id, attempt) for attempt in range(1, checkout.attempt + 1))
            found |= dict.fromkeys(order_id for order_id in tried if self.orders.find(order_id))
        return list(islice(found, MOST_ORDERS))

    def _known(self, order_id: str) -> KnownOrder:
        around = {
            kind: tuple(_unkeyed(item) for item in self._around(order_id, kind)) for kind in ("PAYMENT", "EMAIL")
        }
        return KnownOrder(order=self.orders.get(order_id), payments=around["PAYMENT"], emails=around["EMAIL"])

    def _around(self, order_id: str, kind: str) -> Iterator[Item]:
        return self.orders.table.query(f"ORDER#{order_id}", prefix=f"{kind}#", consistent=True)

    def _anonymise(self, known: KnownOrder, now: datetime) -> None:
        """Amounts, goods, dates and the country stay; who, where, and what staff wrote to them go."""
        order, table = known.order, self.orders.table
        for item in self._around(order.id, "PAYMENT"):
            if "note" in item:
                table.update(item["pk"], item["sk"], ("pk", "exists"), remove=["note"])
        unsaid = [one.model_dump(mode="json", exclude_none=True, exclude={"description"}) for one in order.adjustments]
        place = {"country": order.country or order.shipping_address.address_country}
        table.update(
            f"ORDER#{order.id}",
            "ORDER",
            ("pk", "exists"),
            set={
                "erased_at": iso(now),
                "adjustments": unsaid,
                **{name: value for name, value in place.items() if value},
            },
            remove=_OF_THE_BUYER,
        )


def _unkeyed(item: Item) -> dict[str, Any]:
    """What an item beside the order says; its sort key tells which e-mail it was."""
    return {"what": item["sk"].split("#")[1] if item["sk"].startswith("EMAIL#") else "payment", **fields(item)}
