"""The waiting room: what more buyers want at once than the shop can serve is given out in turn, by a schedule.

Each SKU has a fixed number of lines (one partition key takes only so many writes), each a leaky bucket: who joins gets
the next slot, and who comes back at their slot is let in. The place stands on the checkout, so asking again loses
nothing. No stock is promised by it: what is gone when a buyer's turn comes is gone.
"""

import math
import zlib
from datetime import datetime
from typing import Protocol

from commerce.checkout.model import Place
from commerce.errors import WaitingRoom

LINES = 16
PACE = 50
"""Buyers per second that are let in for each row of stock: a row serves one at a time, for about 20 ms."""
LONGEST_SECONDS = 60
"""Who waits longer is told to ask how far the line has come."""


class Lines(Protocol):
    """Where the lines are kept."""

    def note(self, sku: str) -> None:
        """Buyers of the SKU were in each other's way."""

    def is_contended(self, sku: str) -> bool:
        """Whether that was a moment ago."""

    def join(self, sku: str, number: int, *, interval: int, now: int) -> int:
        """The buyer's slot at the end of the line, `interval` after the one before. Epoch milliseconds."""


def join(lines: Lines, checkout_id: str, sku: str, rows: int, now: datetime) -> Place:
    """The checkout's place in the line for `sku`, which is sold from `rows` rows."""
    interval = max(1, LINES * 1000 // (PACE * rows))
    number = zlib.crc32(checkout_id.encode()) % LINES
    slot = lines.join(sku, number, interval=interval, now=_milliseconds(now))
    return Place(sku=sku, slot=slot, pace=max(1, LINES * 1000 // interval))


def is_early(place: Place, now: datetime) -> bool:
    """Whether the buyer's turn is still to come."""
    return place.slot > _milliseconds(now)


def turn(place: Place, now: datetime) -> WaitingRoom:
    """What the buyer is told: about how many are before them, and when to come back."""
    left = max(0, place.slot - _milliseconds(now)) / 1000
    return WaitingRoom(1 + math.floor(left * place.pace), min(max(1, math.ceil(left)), LONGEST_SECONDS))


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
