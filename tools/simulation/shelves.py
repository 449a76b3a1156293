"""What really lies in the warehouse, apart from what the shop says: units on shelves, and in boxes that have not left.

People change it with their hands: goods arrive, are carried, break, are picked into boxes, and leave with the carrier.
Once nothing moves any more, the books must say what lies there (`Checks`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

Place = tuple[str, str]
"""SKU and location."""
Box = tuple[str, str]
"""The order's id and the location where its parcel is packed."""


class Shelves:
    """The units of one schedule, by place."""

    def __init__(self, before: Mapping[Place, int]) -> None:
        self._loose: Counter[Place] = Counter(before)
        self._boxes: dict[Box, Counter[str]] = {}
        self._in_hands: Counter[str] = Counter()
        """By SKU: how many people carry units of it."""
        self._losses: set[Place] = set()

    def places(self) -> set[Place]:
        """Wherever something ever lay."""
        return {*self._loose, *((sku, location) for (_, location), box in self._boxes.items() for sku in box)}

    def there(self, sku: str, location: str, *, without: Collection[str] = ()) -> int:
        """Units on the shelf and in boxes that stand beside it, without those of some orders."""
        boxes = (box[sku] for (order, place), box in self._boxes.items() if place == location and order not in without)
        return self._loose[sku, location] + sum(boxes)

    def add(self, sku: str, location: str, units: int) -> None:
        """Units (signed) come onto the shelf, or are gone from it."""
        self._loose[sku, location] += units

    def lose(self, sku: str, location: str) -> None:
        """A unit is gone from the shelf, and nobody knows."""
        self._loose[sku, location] -= 1
        self._losses.add((sku, location))

    def drop(self, box: Box, sku: str) -> None:
        """A unit breaks in the hands of whoever fills the box."""
        self._boxes[box][sku] -= 1
        self._losses.add((sku, box[1]))

    def lost(self, sku: str, location: str) -> bool:
        """Whether a unit ever broke there, or was gone: who finds too few elsewhere has found wrong books."""
        return (sku, location) in self._losses

    @contextmanager
    def in_hands(self, skus: Collection[str]) -> Iterator[None]:
        """Somebody carries units of these SKUs about, until the books say where they are."""
        self._in_hands.update(skus)
        yield
        self._in_hands.subtract(skus)

    def quiet(self, skus: Iterable[str]) -> bool:
        """Whether nobody carries any of these about: only then is a shelf with too few units a loss."""
        return not any(self._in_hands[sku] for sku in skus)

    def pick(self, box: Box, wanted: Mapping[str, int]) -> Counter[str]:
        """Fills the box as far as the shelf can, and answers what is in it."""
        self.unpack(box)
        location = box[1]
        found = Counter({sku: max(0, min(units, self._loose[sku, location])) for sku, units in wanted.items()})
        for sku, units in found.items():
            self._loose[sku, location] -= units
        self._boxes[box] = found
        return found

    def unpack(self, box: Box) -> None:
        """What is in the box goes back onto the shelf."""
        for sku, units in self._boxes.pop(box, Counter()).items():
            self._loose[sku, box[1]] += units

    def unpack_all(self, orders: Collection[str]) -> None:
        """The boxes of these orders are not wanted any more."""
        for box in [box for box in self._boxes if box[0] in orders]:
            self.unpack(box)

    def leaves(self, box: Box) -> None:
        """The carrier takes the box."""
        self._boxes.pop(box, None)

    def loose(self) -> dict[Place, int]:
        """What lies on the shelves."""
        return dict(self._loose)
