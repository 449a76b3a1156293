"""What one partition key can take in a second, and what a transaction under way keeps from others.

DynamoDB serves 1,000 write units and 3,000 read units a second per partition; a transaction costs both twice. A
transaction is prepared at every item and then committed (or canceled) at every item; between the two, other writes of
those items are refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

Place = tuple[str, str, str]
"""Table, partition key and sort key of an item."""


@dataclass
class Capacity:
    """The limits, and what is used of them at the moment. Seconds are the database's clock."""

    write_units: float = 1000
    read_units: float = 3000
    latency: float = 0.02
    """Seconds for which a transaction holds its items. An assumption: measure your own."""
    throttled: int = 0
    conflicts: int = 0
    _used: dict[tuple[str, str, str], tuple[int, float]] = field(default_factory=dict)
    """By kind, table and partition key: the second, and the units used in it."""
    _held: dict[Place, float] = field(default_factory=dict)
    """By item: the moment until which a transaction holds it."""

    def copy(self) -> "Capacity":
        """The same state, on its own."""
        return replace(self, _used=dict(self._used), _held=dict(self._held))

    def takes(self, kind: str, table: str, partition: str, units: float, now: float) -> bool:
        """Uses units (kind `write` or `read`) of the partition's second; False where it has not so many left."""
        second, used = self._used.get((kind, table, partition), (-1, 0.0))
        if second != int(now):
            used = 0.0
        if used + units > (self.write_units if kind == "write" else self.read_units):
            self.throttled += 1
            return False
        self._used[kind, table, partition] = (int(now), used + units)
        return True

    def is_held(self, place: Place, now: float) -> bool:
        """Whether a transaction that is under way holds the item."""
        until = self._held.get(place)
        if until is None:
            return False
        if until <= now:
            del self._held[place]
            return False
        self.conflicts += 1
        return True

    def hold(self, places: Iterable[Place], now: float) -> None:
        """Keeps the items from others for `latency` seconds."""
        for place in places:
            self._held[place] = now + self.latency
