"""Orders in DynamoDB: the table `orders`, see docs/architecture.md."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, get_args

from commerce.adapters.dynamodb import Item, Table, put, transact, update
from commerce.adapters.outbox import Outbox
from commerce.adapters.sealing import SEALED, Sealed, Seals
from commerce.adapters.sharding import SHARDS, merged, shard_of
from commerce.clock import iso
from commerce.contact import Buyer, PostalAddress, address_key
from commerce.errors import ConditionFailed, Conflict, NotFound
from commerce.events import Event
from commerce.model import read_back
from commerce.orders.model import FOLLOWED, NEXT, Order, Shipment, ShipmentStatus, Status, shipments_of

_INDEXED = ("pk", "sk", "status_shard", "ahead", "email_key")
_PERSONAL = {"buyer", "shipping_address"}
_ONE_PARCEL = ("shipment", "weight_grams")
"""Label and weight of the one parcel of orders that were placed before each location sent its own."""
_READ_AT_ONCE = 100
"""Orders, as many as one call takes."""
_ATTEMPTS = 40
"""Against other transactions on the same stock: about 11 s, so that a rush for one SKU is queued, not refused."""


@dataclass(frozen=True)
class OrderRepository:
    """Reads orders, and changes them together with whatever must change with them. Who bought is stored sealed.

    Without `seals` it sees nobody: `buyer` and `shipping_address` are empty. No change of an order touches them.
    """

    table: Table
    outbox: Outbox
    seals: Seals | None = None

    def get(self, order_id: str) -> Order:
        """The order. Raises NotFound."""
        order = self.find(order_id)
        if order is None:
            raise NotFound("there is no such order")
        return order

    def find(self, order_id: str) -> Order | None:
        """The order, or None."""
        item = self.table.get(f"ORDER#{order_id}", "ORDER")
        return next(self._opened([item])) if item else None

    def place(
        self,
        order: Order,
        *,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
        patient: bool = True,
    ) -> None:
        """Makes the order, in one transaction with `actions` and the publication of `events`.

        Raises ConditionFailed: position 0 where the checkout's attempt has its order already (positions 1… are those
        of `actions`), and Contended: at the first conflict where the caller is not `patient`.
        """
        assert self.seals is not None, "who is not told the keys places no orders"
        sealed = self.seals.sealed(
            order.checkout_id, order.id, _personal(order), email=order.buyer.email, until=None
        )
        own = put(self.table.name, {**_item(order), **sealed}, ("pk", "missing"))
        kept = self.seals.keep(order.checkout_id)
        published = map(self.outbox.action, events)
        transact(self.table.client, [own, *actions, kept, *published], attempts=_ATTEMPTS if patient else 1)

    def change(
        self,
        order: Order,
        *,
        to: Status | None = None,
        now: datetime | None = None,
        fields: dict[str, Any] | None = None,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> Order:
        """Moves the order on, in one transaction with `actions` and the publication of `events`.

        Holds only if nobody changed the order since it was read: raises ConditionFailed with position 0 otherwise
        (positions 1… are those of `actions`). `now` goes with `to`: it is when the order comes there. `fields` are
        whole new values of Order's fields. Answers the order as it is now.

        A change that nothing goes with is no transaction, which would cost twice as much. Where its answer is lost it
        is sent again and meets itself: ConditionFailed, and whoever reads the order again finds what they wanted.
        """
        if to is not None and to not in NEXT[order.status]:
            raise Conflict(f"an order that is {order.status} cannot become {to}")
        moved = {**(fields or {}), "status": to or order.status, "version": order.version + 1}
        if to is not None and now is not None:
            moved["moved_at"] = iso(now)
        changed = order.model_copy(update=moved)
        stored = {
            "status_shard": _status_shard(changed),
            **changed.model_dump(mode="json", exclude_none=True, include={*moved}),
            **_ahead(changed, to),
        }
        names = sorted({*moved, "status_shard", *(["ahead"] if to in FOLLOWED or changed.settled else [])})
        target = (f"ORDER#{order.id}", "ORDER", ("version", "=", order.version), ("status", "=", order.status))
        written = {name: stored[name] for name in names if name in stored}
        removed = [name for name in names if name not in stored]
        beside = [*actions, *map(self.outbox.action, events)]
        if beside:
            own = update(self.table.name, *target, set=written, remove=removed)
            transact(self.table.client, [own, *beside], attempts=_ATTEMPTS)
        else:
            self.table.update(*target, set=written, remove=removed)
        return changed

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in this status, the oldest first, those placed after the moment `after` (RFC 3339). Who bought them
        stays sealed: no list says it.

        Of the first `limit` entries all orders are read that are still there; more may be.
        """
        sort = ("placed_at", ">", after) if after else None
        return self._read(merged(lambda shard: self._entries(status, shard, sort, limit), key="placed_at"), status)

    def under_way(self, *, turn: int) -> Iterator[Order]:
        """Shipped orders, the oldest first: those of one shard, so that as many turns as there are shards see all."""
        return self._read(self._entries("shipped", turn % SHARDS), "shipped")

    def _entries(
        self, status: Status, shard: int, sort: tuple[str, str, str] | None = None, limit: int | None = None
    ) -> Iterator[Item]:
        keys = ("status_shard", "placed_at")
        return self.table.query(f"{status}#{shard}", index="in_status", keys=keys, sort=sort, limit=limit)

    def _read(self, entries: Iterator[Item], status: Status) -> Iterator[Order]:
        """The orders behind an index's entries, in their order. One that has moved on meanwhile is left out."""
        while some := [entry["pk"] for entry in islice(entries, _READ_AT_ONCE)]:
            found = {item["pk"]: item for item in self.table.get_many((pk, "ORDER") for pk in some)}
            yield from (_order(found[pk]) for pk in some if pk in found and found[pk]["status"] == status)

    def followed(self, order: Order) -> None:
        """The execution has come to where the order stands. One that has moved on meanwhile is left as it is."""
        with suppress(ConditionFailed):
            self.table.update(f"ORDER#{order.id}", "ORDER", ("status", "=", order.status), remove=["ahead"])

    def ahead(self, *, before: datetime, limit: int) -> Iterator[str]:
        """The ids of orders that came to their status before then and whose executions have not followed since.

        The oldest first; the first `limit` of them are read for sure, more may be.
        """

        def shard(number: int) -> Iterator[Item]:
            return self.table.query(
                str(number),
                index="by_ahead",
                keys=("ahead", "moved_at"),
                sort=("moved_at", "<=", iso(before)),
                limit=limit,
            )

        return (item["pk"].removeprefix("ORDER#") for item in merged(shard, key="moved_at"))

    def of_customer(self, customer: str, *, before: str | None = None, limit: int = 20) -> Iterator[Order]:
        """The customer's orders, the newest first, those placed before the moment `before` (RFC 3339)."""
        items = self.table.query(
            customer,
            index="by_customer",
            keys=("customer", "placed_at"),
            sort=("placed_at", "<", before) if before else None,
            limit=limit,
            descending=True,
        )
        return self._opened(items)

    def of_address(self, email: str, *, limit: int) -> list[str]:
        """The ids of the latest orders that were placed with this e-mail address, the newest first."""
        keys = ("email_key", "placed_at")
        items = self.table.query(address_key(email), index="by_email", keys=keys, limit=limit, descending=True)
        return [item["pk"].removeprefix("ORDER#") for item in items]

    def _opened(self, items: Iterable[Item]) -> Iterator[Order]:
        """The orders with who bought them, where this repository may see it."""
        read = list(items)
        if self.seals is None:
            return map(_order, read)
        sealed = [Sealed(item["checkout_id"], item["id"], item[SEALED]) for item in read if SEALED in item]
        personal = iter(self.seals.opened_all(sealed))
        return iter([_known(_order(item), next(personal)) if SEALED in item else _order(item) for item in read])


def _ahead(order: Order, to: Status | None) -> Item:
    """The order's mark while its execution has yet to follow; storing the next token removes it (docs/workflow.md)."""
    return {"ahead": str(shard_of(order.id))} if to in FOLLOWED else {}


def _status_shard(order: Order) -> str:
    """Its partition of the index by status."""
    return f"{order.status}#{shard_of(order.id)}"


def _item(order: Order) -> Item:
    """The order as it is stored; empty fields are left out, so that indexes stay sparse."""
    return {
        "pk": f"ORDER#{order.id}",
        "sk": "ORDER",
        "status_shard": _status_shard(order),
        **({"email_key": address_key(order.buyer.email)} if order.buyer.email else {}),
        **order.model_dump(mode="json", exclude_none=True, exclude=_PERSONAL),
    }


def _personal(order: Order) -> Item:
    return order.model_dump(mode="json", exclude_none=True, include=_PERSONAL)


def _known(order: Order, personal: Item) -> Order:
    """The order with who bought it; nobody where the key is gone."""
    return order.model_copy(
        update={
            "buyer": Buyer.model_validate(personal.get("buyer", {})),
            "shipping_address": PostalAddress.model_validate(personal.get("shipping_address", {})),
        }
    )


def _order(item: Item) -> Order:
    """The order as far as it is not sealed."""
    stored = {name: value for name, value in item.items() if name not in (*_INDEXED, *_ONE_PARCEL)}
    order = read_back(Order, {**stored, "unsealed": SEALED not in item})
    return order if "shipments" in item else order.model_copy(update={"shipments": _shipments(order, item)})


def _shipments(order: Order, item: Item) -> tuple[Shipment, ...]:
    """The parcels of an order from a release that knew one per order: split like a new order's while nobody has touched
    it, and from the pick on the one parcel that it was packed as.
    """
    parts = shipments_of(order.lines)
    status = order.status if order.status in get_args(ShipmentStatus) else "pending"
    if status == "pending" and not any(name in item for name in _ONE_PARCEL):
        return parts
    label = {**item.get("shipment", {})}
    shipped_at = label.pop("shipped_at", None)
    lines = [{"line_id": line.id, "quantity": line.quantity} for line in order.lines]
    return (
        Shipment.model_validate(
            {
                "location": parts[0].location,
                "lines": lines,
                "status": status,
                "weight_grams": item.get("weight_grams"),
                "label": label or None,
                "shipped_at": shipped_at,
            }
        ),
    )
