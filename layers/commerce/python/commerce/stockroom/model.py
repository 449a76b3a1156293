"""Stock counts: what people find on the shelves of one location, and the pure rules by which it corrects the stock."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal

from pydantic import Field

from commerce.errors import Invalid
from commerce.inventory.model import MAX_UNITS, Stock
from commerce.model import Model, StaffModel

MAX_SKUS = 500
"""SKUs that a count can list. A count without a list has no such limit."""

MAX_ENTRIES = 90
"""Lines that are entered at once: one transaction holds 100 actions, and the count and its audit entry need two."""

CountStatus = Literal["open", "approved", "posting", "posted", "canceled"]

NEXT: dict[CountStatus, frozenset[CountStatus]] = {
    "open": frozenset({"approved", "canceled"}),
    "approved": frozenset({"posting", "canceled"}),
    "posting": frozenset({"posted"}),
    "posted": frozenset(),
    "canceled": frozenset(),
}
"""Which status may follow which. What is being posted is posted to its end."""


class StockCount(Model):
    """A count of one location as it is stored, without its lines. Times in RFC 3339."""

    id: str
    location: str
    status: CountStatus
    version: int = 1
    """Grows with every entry too, so that nobody approves what they have not seen."""
    note: str = ""
    opened_at: str
    opened_by: str
    approved_by: str | None = None
    posted_at: str | None = None


Outcome = Literal["adjusted", "short", "outdated"]
"""What posting did with a line that differs: all of it; only down to what is promised to orders; nothing, since
somebody corrected the shelf by hand after it was counted."""


class CountLine(Model):
    """What somebody found of one SKU, and what the books said at that moment."""

    sku: str
    counted: int
    on_hand: int
    """By the books, read when the count was entered."""
    adjustments: int
    """The shelf's corrections by then; see `Stock.adjustments`."""
    counted_at: str
    counted_by: str
    outcome: Outcome | None = None
    """None until it is posted, and where nothing differs."""
    posted: int = 0
    """By how many units the stock was corrected."""

    @property
    def variance(self) -> int:
        """Signed: what was found beyond what the books said. Goods that move afterwards move on shelf and books alike,
        so it stays true until somebody corrects the books."""
        return self.counted - self.on_hand

    @property
    def short(self) -> int:
        """Units that are promised to orders, and that the count did not find."""
        return self.posted - self.variance if self.outcome == "short" else 0


class Entry(StaffModel):
    """What lies on the shelf of one SKU now, with what is picked for orders and has not left."""

    sku: str = Field(min_length=1, max_length=64)
    counted: int = Field(ge=0, le=MAX_UNITS)


class Tally(Model):
    """A count in figures."""

    lines: int
    """SKUs that were counted."""
    differing: int
    over: int
    """Units found that the books do not know, summed over SKUs."""
    under: int
    """Units that the books know and nobody found."""
    adjusted: int
    short: int
    """Promised units that were not found, once it is posted."""
    outdated: int


def check_entries(entries: Iterable[Entry], listed: Collection[str], known: Collection[str]) -> None:
    """Raises Invalid for a SKU that is named twice, that the count does not list, or that the catalogue lacks."""
    seen: set[str] = set()
    for position, entry in enumerate(entries):
        path = f"$.entries[{position}].sku"
        if entry.sku in seen:
            raise Invalid(f"{entry.sku} is named twice", path=path)
        if listed and entry.sku not in listed:
            raise Invalid(f"this count does not list {entry.sku}", path=path)
        if entry.sku not in known:
            raise Invalid(f"the catalogue has no SKU {entry.sku}", path=path)
        seen.add(entry.sku)


def to_post(lines: Iterable[CountLine]) -> list[CountLine]:
    """The lines that differ and have not been posted."""
    return [line for line in lines if line.variance and line.outcome is None]


def settled(line: CountLine, stock: Stock) -> CountLine:
    """The line once it is posted onto the shelf as it is now.

    Units that are promised to orders stay in the books, however few were found: the picker of such an order reports
    a short pick, which tells the buyer and takes them out. The free ones go at once, so that nobody buys them.
    """
    if stock.adjustments != line.adjustments:
        return line.model_copy(update={"outcome": "outdated"})
    posted = max(line.variance, -max(stock.available, 0))
    return line.model_copy(update={"outcome": "adjusted" if posted == line.variance else "short", "posted": posted})


def tally(lines: Iterable[CountLine]) -> Tally:
    """The count's figures."""
    counted = list(lines)
    variances = [line.variance for line in counted]
    outcomes = Counter(line.outcome for line in counted)
    return Tally(
        lines=len(counted),
        differing=sum(1 for variance in variances if variance),
        over=sum(variance for variance in variances if variance > 0),
        under=-sum(variance for variance in variances if variance < 0),
        adjusted=outcomes["adjusted"],
        short=sum(line.short for line in counted),
        outdated=outcomes["outdated"],
    )
