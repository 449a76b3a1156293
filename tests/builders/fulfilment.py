"""A paid order on its way through the warehouse, and a shop in memory that it goes through.

The memory keeps the promises that the domain builds on: a change holds only for the order as it was read, and
everything in one transaction happens or nothing does. `Boundaries` breaks off after any effect, as a crash would.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from commerce.clock import iso
from commerce.contact import Buyer, PostalAddress
from commerce.errors import ConditionFailed, Conflict, NotFound
from commerce.events import Event
from commerce.fulfilment.model import PickedLine, TrackingEvent, TrackingStatus, reference
from commerce.inventory.model import Part, Stock
from commerce.orders.model import (
    NEXT,
    Allocation,
    Label,
    Order,
    OrderLine,
    Shipment,
    ShippingChoice,
    Status,
    shipments_of,
)
from commerce.orders.ports import Stores
from commerce.payments.model import PaymentEvent, payment_event
from commerce.payments.service import Capture, Refund
from commerce.pricing.model import Total
from commerce.supply import SellingPolicy

NOW = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
TRACKING = "1Z-TEST-1"


def line(line_id: str = "line_1", sku: str = "SHIRT-BLUE-M", quantity: int = 2, **changes: Any) -> OrderLine:
    """Two shirts at 19.99 from the main warehouse, 200 grams each."""
    fields: dict[str, Any] = {
        "id": line_id,
        "sku": sku,
        "product_id": "prod_1",
        "title": "Linen Shirt - Blue / M",
        "quantity": quantity,
        "original": quantity,
        "unit_price": 1999,
        "weight_grams": 200,
        "totals": (
            Total(type="subtotal", amount=1999 * quantity),
            Total(type="total", amount=1999 * quantity),
        ),
        "allocations": (Allocation(location="main", quantity=quantity),),
    }
    return OrderLine(**{**fields, **changes})


def order(status: Status = "confirmed", **changes: Any) -> Order:
    """A guest's order of one line, paid, in the given status."""
    lines = changes.pop("lines", (line(),))
    fields: dict[str, Any] = {
        "id": "order_1",
        "checkout_id": "chk_1",
        "attempt": 1,
        "customer": None,
        "status": status,
        "currency": "USD",
        "lines": lines,
        "shipments": parcels(status, *lines),
        "totals": (
            Total(type="subtotal", amount=sum(1999 * one.quantity for one in lines)),
            Total(type="total", amount=sum(1999 * one.quantity for one in lines)),
        ),
        "buyer": Buyer(email="ada@example.com"),
        "shipping_address": PostalAddress(address_country="US"),
        "shipping": ShippingChoice(
            option_id="standard", title="Standard", carrier="USPS", amount=0, earliest=iso(NOW), latest=iso(NOW)
        ),
        "placed_at": iso(NOW),
        "hold_until": iso(NOW),
        "payment_intent": "pi_1",
        "task_token": "token-1",
        "task_state": "AwaitWarehouse",
    }
    return Order(**{**fields, **changes})


_AS_ITS_ORDER = ("picked", "packed", "ready_to_ship", "shipped", "delivered", "lost")


def parcels(status: Status, *lines: OrderLine, **changes: Any) -> tuple[Shipment, ...]:
    """The parcels of an order in `status` that has these lines."""
    stage = status if status in _AS_ITS_ORDER else "pending"
    return tuple(one.model_copy(update={"status": stage, **changes}) for one in shipments_of(lines))


def shipped_order(status: Status = "shipped", **changes: Any) -> Order:
    """An order that the carrier has, or had."""
    lines = changes.pop("lines", (line(fulfilled=2),))
    sent = tuple(
        one.model_copy(update={"label": label(number)}) for number, one in enumerate(parcels(status, *lines), 1)
    )
    return order(status, **{"lines": lines, "shipments": sent, "task_state": "AwaitDelivery", **changes})


def from_two_places(**changes: Any) -> tuple[OrderLine, ...]:
    """Two shirts from the main warehouse and a mug from the annex: two parcels."""
    annex = (Allocation(location="annex", quantity=1),)
    return line(**changes), line("line_2", "MUG", 1, allocations=annex, **changes)


def label(number: int = 1, **changes: Any) -> Label:
    """The carrier's label of the order's first parcel, or of another one."""
    tracking = f"1Z-TEST-{number}"
    fields = {
        "id": f"shp_{number}",
        "carrier": "USPS",
        "tracking_number": tracking,
        "tracking_url": f"https://carrier.example/{tracking}",
        "label_url": "https://carrier.example/label.png",
    }
    return Label(**{**fields, **changes})


def news(status: TrackingStatus, *, at: datetime = NOW, tracking_number: str = TRACKING) -> TrackingEvent:
    """What the carrier says of the order's first parcel, or of another one."""
    return TrackingEvent(order_id="order_1", tracking_number=tracking_number, status=status, occurred_at=at)


def found(quantity: int, line_id: str = "line_1") -> tuple[PickedLine, ...]:
    """The picker's count of the one line in the parcel."""
    return (PickedLine(line_id=line_id, quantity=quantity),)


class Crash(Exception):
    """The function died here."""


@dataclass
class Boundaries:
    """Counts effects, and breaks off right after the one numbered `crash_after` (from 1), once."""

    crash_after: int | None = None
    passed: int = 0

    def effect(self) -> None:
        """An effect has just taken place."""
        self.passed += 1
        if self.passed == self.crash_after:
            raise Crash


@dataclass
class Warehouse:
    """Stock in memory: free and promised units by SKU and location."""

    free: dict[tuple[str, str], int] = field(default_factory=dict)
    promised: dict[tuple[str, str], int] = field(default_factory=dict)
    guards: set[str] = field(default_factory=set)
    locations: tuple[str, ...] = ("main", "annex")

    def stock(self, sku: str, location: str) -> Stock:
        """The stock of one shelf."""
        place = (sku, location)
        free, promised = self.free.get(place, 0), self.promised.get(place, 0)
        return Stock(sku=sku, location=location, on_hand=free + promised, available=free)

    def rows(self, sku: str, location: str) -> tuple[Stock, ...]:
        """No SKU is pooled here."""
        return (self.stock(sku, location),)

    def policy(self, sku: str) -> SellingPolicy:
        """Everything here is sold from the shelf."""
        return SellingPolicy()

    def done(self, change_id: str) -> bool:
        """Whether the adjustment was made."""
        return change_id in self.guards

    def adjust(self, part: Part, kind: str, *, adjustment_id: str, **_: Any) -> None:
        """Adds to what is free, once."""
        place = (part.sku, part.location)
        if self.free.get(place, 0) + part.quantity < 0:
            raise ConditionFailed((0,))
        if adjustment_id in self.guards:
            raise ConditionFailed((1,))
        self.guards.add(adjustment_id)
        self.free[place] = self.free.get(place, 0) + part.quantity

    def ship_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """Promised units leave."""
        return [self._action(f"{order_id} left", part, promised=-part.quantity) for part in parts]

    def release_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """Promised units are free again."""
        return [self._action(f"{order_id} left", part, free=part.quantity, promised=-part.quantity) for part in parts]

    def return_actions(self, return_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """Units come back."""
        return [self._action(return_id, part, free=part.quantity) for part in parts]

    def reserve_actions(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        """Orders here are made with their stock promised."""
        raise NotImplementedError

    def unlimit_actions(self, buyer: str, units: Mapping[str, int]) -> list[dict[str, Any]]:
        """Nothing here is limited."""
        assert not units
        return []

    def keep_actions(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        """Orders here are made paid."""
        raise NotImplementedError

    def _action(self, guard: str, part: Part, *, free: int = 0, promised: int = 0) -> dict[str, Any]:
        place = (part.sku, part.location)
        own = f"{guard} {place}"

        def apply() -> None:
            self.guards.add(own)
            self.free[place] = self.free.get(place, 0) + free
            self.promised[place] = self.promised.get(place, 0) + promised

        return {"holds": lambda: own not in self.guards and self.promised.get(place, 0) + promised >= 0, "apply": apply}


@dataclass
class Memory:
    """Orders, payment events, audit entries and published events in memory."""

    boundaries: Boundaries
    orders: dict[str, Order] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    payments: list[PaymentEvent] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def find(self, order_id: str) -> Order | None:
        """The order, or None."""
        return self.orders.get(order_id)

    def get(self, order_id: str, *_: Any) -> Order:
        """The order."""
        if order_id not in self.orders:
            raise NotFound("there is no such order")
        return self.orders[order_id]

    def listed(self, status: Status, *, after: str | None = None, limit: int | None = None) -> Iterator[Order]:
        """Orders in a status, the oldest first."""
        chosen = [one for one in self.orders.values() if one.status == status and (not after or one.placed_at > after)]
        return iter(sorted(chosen, key=lambda one: one.placed_at))

    def place(self, *_: Any, **__: Any) -> None:
        """Orders are put in by the test."""
        raise NotImplementedError

    def change(
        self,
        order: Order,
        *,
        to: Status | None = None,
        now: datetime | None = None,
        fields: Mapping[str, Any] | None = None,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> Order:
        """All of it or nothing, and only for the order as it is now."""
        if to is not None and to not in NEXT[order.status]:
            raise Conflict(f"an order that is {order.status} cannot become {to}")
        known, wanted = self.orders[order.id], list(actions)
        refused = [0] if (known.version, known.status) != (order.version, order.status) else []
        refused += [position for position, action in enumerate(wanted, 1) if not action["holds"]()]
        if refused:
            raise ConditionFailed(tuple(refused))
        changed = order.model_copy(
            update={**(fields or {}), "status": to or order.status, "version": order.version + 1}
        )
        token = {"task_token": known.task_token, "task_state": known.task_state}
        self.orders[order.id] = changed.model_copy(update=token)
        for action in wanted:
            action["apply"]()
        self.events += events
        self.boundaries.effect()
        return changed

    def followed(self, order: Order) -> None:
        """Nobody looks after orders here."""

    def of(self, order_id: str) -> list[PaymentEvent]:
        """The order's payment events."""
        return list(self.payments)

    def recorded(self, order_id: str, key: str) -> bool:
        """Whether the news is known."""
        return any(known.key == key for known in self.payments)

    def append_actions(self, order_id: str, events: Iterable[PaymentEvent]) -> list[dict[str, Any]]:
        """Each once."""
        return [
            {
                "holds": lambda event=event: all(event.key != known.key for known in self.payments),
                "apply": lambda event=event: self.payments.append(event),
            }
            for event in events
        ]

    def action(self, resource: str, **entry: Any) -> dict[str, Any]:
        """An audit entry."""
        return {"holds": lambda: True, "apply": lambda: self.entries.append({"resource": resource, **entry})}


class NoCheckouts:
    """The checkout is long gone."""

    def get(self, checkout_id: str, now: datetime) -> Any:
        """Never there."""
        raise NotFound("there is no such checkout")

    def action(self, old: Any, new: Any) -> dict[str, Any]:
        """Never asked for."""
        raise NotImplementedError


class NoDiscounts:
    """Nothing was taken off, so there is nothing to count."""

    def use_actions(self, discounts: Any) -> dict[str, dict[str, Any]]:
        """Nothing."""
        assert not list(discounts)
        return {}

    def buyer_use_actions(self, discounts: Any, buyer: str) -> dict[str, dict[str, Any]]:
        """Nothing."""
        return self.use_actions(discounts)

    def give_back_actions(self, discounts: Any, buyer: str) -> list[dict[str, Any]]:
        """Nothing."""
        return list(self.use_actions(discounts).values())


@dataclass
class Signals:
    """The workflow: what it was told."""

    told: list[tuple[str | None, str]] = field(default_factory=list)

    def start(self, order_id: str) -> None:
        """It runs already."""

    def succeed(self, token: str | None, output: dict[str, Any]) -> None:
        """Go on."""
        self.told.append((token, "go on"))

    def fail(self, token: str | None, error: str, cause: str) -> None:
        """Compensate."""
        self.told.append((token, error))


@dataclass
class FakeCarrier:
    """Sells one label per parcel; hands the same one out again."""

    boundaries: Boundaries
    labels: dict[str, Label] = field(default_factory=dict)
    """By the parcel's reference."""
    weights: list[int] = field(default_factory=list)
    given_back: set[str] = field(default_factory=set)

    def buy_label(self, order: Order, shipment: Shipment, weight_grams: int, key: str) -> Label:
        """The label."""
        known = reference(order, shipment)
        if known not in self.labels:
            self.labels[known] = label(len(self.labels) + 1)
            self.weights.append(weight_grams)
            self.boundaries.effect()
        return self.labels[known]

    def void_label(self, order: Order, shipment: Shipment) -> None:
        """Takes it back."""
        known = reference(order, shipment)
        if known in self.labels and self.labels[known].id not in self.given_back:
            self.given_back.add(self.labels[known].id)
            self.boundaries.effect()

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """What the carrier says, as it stands."""
        return TrackingEvent.model_validate_json(raw_body)


@dataclass
class Bank:
    """Captures and refunds as it is told to, and moves money once per key."""

    boundaries: Boundaries
    outcome: str = "captured"
    refunds: str = "refunded"
    """What becomes of a refund."""
    taken: dict[str, int] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)

    def capture(self, intent_id: str, amount: int, key: str) -> Capture:
        """Takes the money."""
        if self.outcome != "captured":
            return Capture(outcome=self.outcome, reason="expired")
        if key not in self.taken:
            self.taken[key] = amount
            self.boundaries.effect()
        return Capture(outcome="captured", charge_id="ch_1", amount=amount)

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        """Gives money back."""
        if self.refunds != "refunded":
            return Refund(outcome=self.refunds, refund_id="re_1")
        if key not in self.returned:
            self.returned[key] = amount
            self.boundaries.effect()
        return Refund(outcome="refunded", refund_id=f"re_{key}", amount=amount)


class Shop:
    """A shop with one order in it."""

    def __init__(self, order: Order, *, crash_after: int | None = None) -> None:
        self.boundaries = Boundaries(crash_after)
        self.memory = Memory(self.boundaries, {order.id: order})
        self.memory.payments.append(payment_event("authorized", "pi_1", order.total, "USD", NOW))
        self.warehouse = Warehouse()
        for one in order.lines:
            for allocation in one.allocations:
                place = (one.sku, allocation.location)
                self.warehouse.promised[place] = self.warehouse.promised.get(place, 0) + allocation.quantity
        self.signals = Signals()
        self.carrier = FakeCarrier(self.boundaries)
        self.bank = Bank(self.boundaries)
        self.stores = Stores(
            orders=self.memory,
            checkouts=NoCheckouts(),
            inventory=self.warehouse,
            discounts=NoDiscounts(),
            payments=self.memory,
            audit=self.memory,
        )

    @property
    def order(self) -> Order:
        """The order as it is now."""
        return self.memory.orders["order_1"]

    @property
    def published(self) -> list[str]:
        """The types of the events so far."""
        return [event.type for event in self.memory.events]

    @property
    def money(self) -> list[str]:
        """The types of the payment events so far."""
        return [event.type for event in self.memory.payments]
