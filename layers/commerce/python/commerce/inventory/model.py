"""Stock, reservations and movements. From where an order's lines are filled is decided in `allocation.py`."""

from collections.abc import Iterable
from typing import Literal, Protocol

from commerce.model import Model

MAX_PARTS = 31
"""Parts of one order. A part takes three of the 100 actions of a transaction, and the order needs some itself."""

MAX_UNITS = 1_000_000_000
"""The largest quantity of one adjustment; keeps the counters far from what they can hold."""


class Stock(Model):
    """The units of a SKU at one location. Nothing but a movement ever changes them."""

    sku: str
    location: str
    on_hand: int
    """What a count of the shelf would find."""
    available: int
    """Free to be sold."""
    known: bool = True
    """Whether the location ever had this SKU."""
    adjustments: int = 0
    """How often somebody corrected it by hand, which makes a count of the shelf from before worthless."""

    @property
    def reserved(self) -> int:
        """Promised to orders that have not left yet. Derived, never stored."""
        return self.on_hand - self.available


class Part(Model):
    """Units of one SKU that one location gives to an order."""

    sku: str
    location: str
    quantity: int


ReservationStatus = Literal["reserved", "released", "shipped"]


class Reservation(Model):
    """A part promised to an order. `deadline` (RFC 3339) stands until the order is paid."""

    order_id: str
    sku: str
    location: str
    quantity: int
    status: ReservationStatus
    deadline: str | None = None


MovementKind = Literal["received", "reserved", "released", "shipped", "returned", "adjusted", "transferred"]


class Movement(Model):
    """One entry of the stock ledger. The sums of `on_hand` and `available` over a SKU's entries are its stock."""

    id: str
    sku: str
    location: str
    kind: MovementKind
    on_hand: int
    """Signed: by how much the units on the shelf changed."""
    available: int
    """Signed: by how much the units free to be sold changed."""
    occurred_at: str
    reference: str
    """The order, return, adjustment or transfer that caused it."""
    reason: str | None = None
    actor: str | None = None
    """Who on the staff did it; none where an order did."""

    @property
    def reserved(self) -> int:
        """Signed: by how much the promised units changed."""
        return self.on_hand - self.available

    @property
    def position(self) -> str:
        """Where it stands in its SKU's ledger: by time."""
        return f"{self.occurred_at}#{self.id}"


class Wanted(Protocol):
    """A line of a cart, a checkout or an order."""

    @property
    def id(self) -> str:
        """The line's id, unique among the lines it stands with."""

    @property
    def sku(self) -> str:
        """Which SKU."""

    @property
    def quantity(self) -> int:
        """How many units."""


class Shortage(Model):
    """A line that cannot be filled: its SKU's lines want `wanted` units together, and `left` are free."""

    line_id: str
    sku: str
    wanted: int
    left: int


class OutOfStock(Exception):
    """Some lines cannot be filled. Nothing was taken."""

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(", ".join(sorted({shortage.sku for shortage in shortages})))
        self.shortages = shortages


class TooManyParts(Exception):
    """The lines would have to come from so many shelves that one transaction cannot hold them."""


def summed(parts: Iterable[Part]) -> tuple[Part, ...]:
    """One part per SKU and location, as reservations are kept, in order of first mention."""
    sums: dict[tuple[str, str], int] = {}
    for part in parts:
        place = (part.sku, part.location)
        sums[place] = sums.get(place, 0) + part.quantity
    return tuple(Part(sku=sku, location=location, quantity=quantity) for (sku, location), quantity in sums.items())
