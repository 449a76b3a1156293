"""Stock counts as staff see them."""

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from commerce.model import Model
from commerce.stockroom.bulk import RowOutcome, RowResult
from commerce.stockroom.model import CountLine, Outcome, StockCount, Tally, tally

MISSING_SHOWN = 100
"""Of the SKUs that nobody has counted yet."""


class CountLineView(Model):
    """One SKU of a count. `variance` is what was found beyond what the books said at that moment."""

    sku: str
    counted: int
    on_hand: int
    variance: int
    counted_at: str
    counted_by: str
    outcome: Outcome | None
    """What posting did: `adjusted` all of it; `short` only down to what is promised to orders; `outdated` nothing,
    since the shelf was corrected after it was counted: count it again."""
    posted: int
    """By how many units the stock was corrected."""
    short: int
    """Promised units that were not found. Their orders end as short picks."""


class CountResponse(Model):
    """A count with its figures, and the SKUs that it lists and nobody has counted yet (the first 100)."""

    count: StockCount
    figures: Tally
    missing: tuple[str, ...]


class CountsResponse(Model):
    """A page of the counts in a status, the oldest first."""

    counts: tuple[StockCount, ...]
    cursor: str | None


class EnteredResponse(Model):
    """What was entered, next to what the books say."""

    lines: tuple[CountLineView, ...]


class CountLinesResponse(Model):
    """A page of a count's lines, by SKU."""

    lines: tuple[CountLineView, ...]
    cursor: str | None


class BulkResponse(Model):
    """What became of every row, and of how many."""

    rows: tuple[RowResult, ...]
    adjusted: int
    done_before: int
    refused: int
    try_again: int


def bulk_view(results: Iterable[RowResult]) -> BulkResponse:
    """The answer to a table."""
    rows = tuple(results)
    outcomes = Counter(row.outcome for row in rows)
    return BulkResponse(rows=rows, **{outcome: outcomes[outcome] for outcome in get_args(RowOutcome)})


def count_view(count: StockCount, listed: Iterable[str], lines: Iterable[CountLine]) -> CountResponse:
    """The count as it is now."""
    counted = {line.sku: line for line in lines}
    missing = [sku for sku in listed if sku not in counted]
    return CountResponse(count=count, figures=tally(counted.values()), missing=tuple(missing[:MISSING_SHOWN]))


def line_view(line: CountLine) -> CountLineView:
    """One line."""
    return CountLineView(**{name: getattr(line, name) for name in CountLineView.model_fields})
