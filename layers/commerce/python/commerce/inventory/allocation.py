"""The rule by which an order's lines are filled from the shop's locations.

A strategy ranks the locations for one order; `allocate` fills the lines in that order. The shop's settings choose the
strategy by its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Protocol

from commerce.contact import PostalAddress
from commerce.inventory.model import (
    ACTIONS_PER_PART,
    MAX_PARTS,
    OutOfStock,
    Part,
    Shortage,
    Stock,
    TooManyParts,
    Wanted,
    by_location,
    summed,
)
from commerce.settings import AllocationStrategy, Settings
from commerce.supply import NOTHING, Supply

Shelves = Mapping[str, Sequence[Stock]]
"""The stock of each SKU: its own row at every location, then the rows of its pools."""


class Strategy(Protocol):
    """Ranks the shop's locations (by id) for an order that goes to `destination`, the preferred one first."""

    def __call__(self, settings: Settings, stock: Shelves, destination: PostalAddress) -> list[str]:
        """All locations of the settings, each once."""


def priority(settings: Settings, stock: Shelves, destination: PostalAddress) -> list[str]:
    """As the settings list them."""
    return [location.id for location in settings.locations]


def nearest(settings: Settings, stock: Shelves, destination: PostalAddress) -> list[str]:
    """The same country first, then the same region, then the longest common beginning of the postal code."""
    near = sorted(settings.locations, key=lambda location: _distance(settings.address_of(location.id), destination))
    return [location.id for location in near]


def most_stock(settings: Settings, stock: Shelves, destination: PostalAddress) -> list[str]:
    """Where most units of the order's SKUs are free, so that shelves empty evenly."""
    free = dict.fromkeys(priority(settings, stock, destination), 0)
    for places in stock.values():
        for place in places:
            free[place.location] = free.get(place.location, 0) + max(place.available, 0)
    return sorted(free, key=lambda location: -free[location])


STRATEGIES: Mapping[AllocationStrategy, Strategy] = {
    "priority": priority,
    "nearest": nearest,
    "most_stock": most_stock,
}


def _distance(here: PostalAddress, there: PostalAddress) -> tuple[bool, bool, int]:
    """Smaller is nearer. No map is asked: carriers price by country, region and postal code too."""
    codes = zip(here.postal_code or "", there.postal_code or "", strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], codes))
    return here.address_country != there.address_country, here.address_region != there.address_region, -common


def allocate(
    lines: Iterable[Wanted],
    stock: Shelves,
    ranking: Sequence[str],
    supply: Mapping[str, Supply],
    *,
    start: int = 0,
    besides: int = 0,
) -> dict[str, tuple[Part, ...]]:
    """From where each line (by its id) is filled. `ranking` names the locations, the preferred one first.

    `start` says with which row of a pool to begin: buyers who begin with different ones do not meet.
    `besides` is how many other things the order counts in the same transaction.

    Lines of the same SKU are summed first, so that two lines of 1 cannot both take the last unit. All of it comes from
    the first location that has everything; where none has, each SKU comes whole from the first that has it, rather from
    one that sends a parcel anyway, and is split only where none can fill it. What no shelf has is sold ahead, as far as
    the `supply` of `stock` allows. Raises OutOfStock with every line at fault, and TooManyParts.
    """
    wanted_lines = list(lines)
    sums: dict[str, int] = {}
    for line in wanted_lines:
        sums[line.sku] = sums.get(line.sku, 0) + line.quantity
    left = {sku: supply.get(sku, NOTHING).left for sku in sums}
    if short := tuple(
        Shortage(line_id=line.id, sku=line.sku, wanted=sums[line.sku], left=left[line.sku])
        for line in wanted_lines
        if sums[line.sku] > left[line.sku]
    ):
        raise OutOfStock(short)
    ahead = {sku: beyond for sku, quantity in sums.items() if (beyond := supply[sku].beyond(quantity))}
    there = {sku: rest for sku, quantity in sums.items() if (rest := quantity - ahead.get(sku, 0))}
    places = {sku: by_location(stock[sku]) for sku in there}
    chosen = _from_one(there, places, ranking) or _from_many(there, places, ranking)
    shelves = {sku: [row for part in parts for row in _rows(part, stock[sku], start)] for sku, parts in chosen.items()}
    for sku, quantity in ahead.items():
        shelves[sku] = [*shelves.get(sku, []), _sold_ahead(sku, quantity, supply[sku])]
    if _actions(shelves, supply) + besides > MAX_PARTS * ACTIONS_PER_PART:
        raise TooManyParts
    return {line.id: summed(_hand_out(line.quantity, shelves[line.sku])) for line in wanted_lines}


def _sold_ahead(sku: str, quantity: int, supply: Supply) -> Part:
    """Units that no shelf has: owed at the place where they will arrive."""
    return Part(sku=sku, location=supply.policy.location, quantity=quantity, backordered=quantity)


def _actions(shelves: Mapping[str, Sequence[Part]], supply: Mapping[str, Supply]) -> int:
    """What the transaction that reserves all this holds: see `StockActions.reserve_actions`."""
    parts = sum(len(own) for own in shelves.values())
    policies = sum(any(part.backordered for part in own) for own in shelves.values())
    limits = sum(supply[sku].policy.purchase_limit is not None for sku in shelves)
    return parts * ACTIONS_PER_PART + policies + limits


def _from_one(sums: Mapping[str, int], stock: Shelves, ranking: Sequence[str]) -> dict[str, list[Part]]:
    """Everything from the first location that has it all; empty where none has."""
    for location in ranking:
        free = {sku: sum(place.available for place in stock[sku] if place.location == location) for sku in sums}
        if all(free[sku] >= quantity for sku, quantity in sums.items()):
            return {
                sku: [Part(sku=sku, location=location, quantity=quantity)] for sku, quantity in sums.items()
            }
    return {}


def _from_many(sums: Mapping[str, int], stock: Shelves, ranking: Sequence[str]) -> dict[str, list[Part]]:
    shelves: dict[str, list[Part]] = {}
    used: set[str] = set()
    for sku, quantity in sums.items():
        rank = {location: (location not in used, place) for place, location in enumerate(ranking)}
        shelves[sku] = _fill(sku, quantity, sorted(stock[sku], key=lambda place: rank[place.location]))
        used |= {part.location for part in shelves[sku]}
    return shelves


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


def _rows(part: Part, stock: Sequence[Stock], start: int) -> list[Part]:
    """The rows at the part's location that give it: one of the pool if any has enough, then the SKU's own.

    Where no row has enough alone, the richest give all they have, so that the last units are sold too.
    """
    here = [row for row in stock if row.location == part.location]
    if len(here) == 1:
        return [part]
    own, pool = here[0], here[1:]
    first = start % len(pool)
    for row in (*pool[first:], *pool[:first], own):
        if row.available >= part.quantity:
            return [part.model_copy(update={"shard": row.shard})]
    parts, left = [], part.quantity
    for row in sorted(here, key=lambda row: -row.available):
        if taken := min(max(row.available, 0), left):
            parts.append(part.model_copy(update={"shard": row.shard, "quantity": taken}))
            left -= taken
    return parts


def _hand_out(quantity: int, parts: list[Part]) -> tuple[Part, ...]:
    """Takes `quantity` units off the front of `parts`."""
    taken = []
    while quantity:
        part = parts.pop(0)
        given = min(part.quantity, quantity)
        taken.append(_units(part, given))
        if given < part.quantity:
            parts.insert(0, _units(part, part.quantity - given))
        quantity -= given
    return tuple(taken)


def _units(part: Part, quantity: int) -> Part:
    """So many units of a part that is there, or sold ahead, as a whole."""
    return part.model_copy(update={"quantity": quantity, "backordered": quantity if part.backordered else 0})
