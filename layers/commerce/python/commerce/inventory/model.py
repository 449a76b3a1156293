"""Stock, reservations and movements. From where an order's lines are filled is decided in `allocation.py`."""

from collections.abc import Iterable
from typing import Literal, Protocol

from commerce.model import Model

MAX_PARTS = 31
"""Parts of one order. A part takes three of the 100 actions of a transaction, and the order needs some itself."""

MAX_SHARDS = 30
"""Rows of a pool beside the SKU's own. One order can take from all, and one transaction can move between all."""

ACTIONS_PER_PART = 3
"""Reserving, releasing, shipping and taking back each write stock, guard and movement, in this order."""

MAX_UNITS = 1_000_000_000
"""The largest quantity of one adjustment; keeps the counters far from what they can hold."""


class Pool(Model):
    """What the SKU's own row at a location says of the rows that lie beside it while the SKU is hot."""

    shards: int
    """The rows are numbered from 1 to this; 0 where the pool is gone again."""
    ledgers: int
    """How many rows there ever were: each has a ledger of its own."""
    draining: bool = False
    """Switched off: its free units go back to the SKU's own row, and it ends when nothing is promised from it."""
    transfers: int = 0
    """Grows with every move between the rows: two reads that find it unchanged have seen every unit in between."""
    watched: int | None = None
    """How many units were free when it was last told, or known, which line they had crossed."""


class Stock(Model):
    """The units of a SKU at one location, or in one row there. Nothing but a movement ever changes them."""

    sku: str
    location: str
    shard: int = 0
    """Which row of a pool; 0 is the row that every SKU has."""
    pool: Pool | None = None
    """Stands on row 0 of a SKU that is or was hot."""
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

    @property
    def shards(self) -> int:
        """How many rows lie beside this one."""
        return self.pool.shards if self.pool else 0


class Part(Model):
    """Units of one SKU that one location gives to an order, and the row there (`Stock.shard`) that they come from."""

    sku: str
    location: str
    quantity: int
    shard: int = 0
    backordered: int = 0
    """How many of them are not there yet: they are sold ahead, by the SKU's selling policy."""

    @property
    def shelf(self) -> str:
        """The location, and the row there where it is one of a pool: `main`, `main#7`."""
        return f"{self.location}#{self.shard}" if self.shard else self.location

    def with_more(self, quantity: int, backordered: int) -> "Part":
        """The part with units added to it."""
        more = {"quantity": self.quantity + quantity, "backordered": self.backordered + backordered}
        return self.model_copy(update=more)


ReservationStatus = Literal["reserved", "released", "shipped"]


class Reservation(Model):
    """A part promised to an order. `deadline` (RFC 3339) stands until the order is paid."""

    order_id: str
    sku: str
    location: str
    shard: int = 0
    quantity: int
    status: ReservationStatus
    deadline: str | None = None


MovementKind = Literal["received", "reserved", "released", "shipped", "returned", "adjusted", "transferred"]


class Movement(Model):
    """One entry of the stock ledger. The sums of `on_hand` and `available` over a SKU's entries are its stock."""

    id: str
    sku: str
    location: str
    shard: int = 0
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


class Incoming(Model):
    """Units of a SKU on their way to a location, and the day (`2026-12-24`) on which the next of them should come."""

    location: str
    quantity: int
    expected_on: str


class OutOfStock(Exception):
    """Some lines cannot be filled. Nothing was taken."""

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(", ".join(sorted({shortage.sku for shortage in shortages})))
        self.shortages = shortages


class LimitReached(Exception):
    """One buyer would have more of these SKUs than a buyer may have. Nothing was taken."""

    def __init__(self, skus: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(skus)))
        self.skus = skus


class TooManyParts(Exception):
    """The lines would have to come from so many shelves that one transaction cannot hold them."""


def summed(parts: Iterable[Part]) -> tuple[Part, ...]:
    """One part per SKU, location and row, as reservations are kept, in order of first mention."""
    sums: dict[tuple[str, str], Part] = {}
    for part in parts:
        place = (part.sku, part.shelf)
        sums[place] = sums[place].with_more(part.quantity, part.backordered) if place in sums else part
    return tuple(sums.values())


def arrivals(incoming: Iterable[Incoming]) -> tuple[Incoming, ...]:
    """One entry per location: all units that are on their way there, and the next day."""
    sums: dict[str, Incoming] = {}
    for one in incoming:
        so_far = sums.get(one.location, Incoming(location=one.location, quantity=0, expected_on=one.expected_on))
        sums[one.location] = Incoming(
            location=one.location,
            quantity=so_far.quantity + one.quantity,
            expected_on=min(so_far.expected_on, one.expected_on),
        )
    return tuple(sums[location] for location in sorted(sums))


def by_location(rows: Iterable[Stock]) -> tuple[Stock, ...]:
    """One entry per SKU and location: its rows' sums, and what row 0 says besides. In order of first mention."""
    sums: dict[tuple[str, str], Stock] = {}
    for row in rows:
        place = (row.sku, row.location)
        so_far = sums.get(place)
        sums[place] = row if so_far is None else _added(so_far, row)
    return tuple(sums.values())


def _added(place: Stock, row: Stock) -> Stock:
    return place.model_copy(
        update={
            "on_hand": place.on_hand + row.on_hand,
            "available": place.available + row.available,
        }
    )
