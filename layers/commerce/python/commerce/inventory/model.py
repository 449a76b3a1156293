"""Stock, reservations and movements, and the rule by which an order's lines are filled from the shop's locations."""

from collections.abc import Iterable, Mapping
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
    available: int
    """Free to be sold."""
    reserved: int
    """Promised to orders that have not left yet."""
    known: bool = True
    """Whether the location ever had this SKU."""

    @property
    def on_hand(self) -> int:
        """What a count of the shelf would find. Derived, never stored."""
        return self.available + self.reserved


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


MovementKind = Literal["received", "reserved", "released", "shipped", "returned", "adjusted"]


class Movement(Model):
    """One entry of the stock ledger. The sums of `available` and `reserved` over a SKU's entries are its stock."""

    id: str
    sku: str
    location: str
    kind: MovementKind
    available: int
    """Signed: by how much the units free to be sold changed."""
    reserved: int
    """Signed: by how much the promised units changed."""
    occurred_at: str
    reference: str
    """The order, return or adjustment that caused it."""
    reason: str | None = None

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


def allocate(lines: Iterable[Wanted], stock: Mapping[str, Iterable[Stock]]) -> dict[str, tuple[Part, ...]]:
    """From where each line (by its id) is filled. `stock` gives each SKU's locations, the preferred one first.

    Lines of the same SKU are summed first, so that two lines of 1 cannot both take the last unit. A SKU comes whole
    from the first location that can fill it, and is split only where none can. Raises OutOfStock with every line at
    fault, and TooManyParts.
    """
    wanted_lines = list(lines)
    sums: dict[str, int] = {}
    for line in wanted_lines:
        sums[line.sku] = sums.get(line.sku, 0) + line.quantity
    left = {sku: sum(place.available for place in stock.get(sku, ())) for sku in sums}
    if short := tuple(
        Shortage(line_id=line.id, sku=line.sku, wanted=sums[line.sku], left=left[line.sku])
        for line in wanted_lines
        if sums[line.sku] > left[line.sku]
    ):
        raise OutOfStock(short)
    shelves = {sku: _fill(sku, quantity, list(stock[sku])) for sku, quantity in sums.items()}
    if sum(len(parts) for parts in shelves.values()) > MAX_PARTS:
        raise TooManyParts
    return {line.id: _hand_out(line.quantity, shelves[line.sku]) for line in wanted_lines}


def _fill(sku: str, quantity: int, places: list[Stock]) -> list[Part]:
    for place in places:
        if place.available >= quantity:
            return [Part(sku=sku, location=place.location, quantity=quantity)]
    parts = []
    for place in places:
        if taken := min(max(place.available, 0), quantity):
            parts.append(Part(sku=sku, location=place.location, quantity=taken))
            quantity -= taken
    return parts


def _hand_out(quantity: int, parts: list[Part]) -> tuple[Part, ...]:
    """Takes `quantity` units off the front of `parts`."""
    taken = []
    while quantity:
        part = parts.pop(0)
        given = min(part.quantity, quantity)
        taken.append(part.model_copy(update={"quantity": given}))
        if given < part.quantity:
            parts.insert(0, part.model_copy(update={"quantity": part.quantity - given}))
        quantity -= given
    return tuple(taken)


def summed(parts: Iterable[Part]) -> tuple[Part, ...]:
    """One part per SKU and location, as reservations are kept, in order of first mention."""
    sums: dict[tuple[str, str], int] = {}
    for part in parts:
        place = (part.sku, part.location)
        sums[place] = sums.get(place, 0) + part.quantity
    return tuple(Part(sku=sku, location=location, quantity=quantity) for (sku, location), quantity in sums.items())
