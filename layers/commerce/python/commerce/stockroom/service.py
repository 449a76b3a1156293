"""From an open count to corrected stock: open, enter, approve, post, or cancel.

Each step holds only for the count as it was read. Posting corrects each shelf in a transaction of its own, guarded by
the line, so that it can be cut off anywhere and is then simply asked for again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.clock import iso
from commerce.errors import ConditionFailed, Conflict, Contended, Invalid, StaleVersion
from commerce.events import Event, StockAdjusted, StockCounted, at
from commerce.inventory.model import Part, Stock, by_location
from commerce.inventory.service import StockLedger, with_enough
from commerce.pricing.model import Catalog
from commerce.stockroom.model import (
    CountLine,
    CountStatus,
    Entry,
    StockCount,
    check_entries,
    settled,
    tally,
    to_post,
)

POSTED_AT_ONCE = 100
"""Lines that one request posts, a few hundredths of a second each; the next request goes on."""
_TRIES = 5
_NAMED = 10
"""SKUs that a refusal names."""


class Counts(Protocol):
    """Where stock counts are kept."""

    def get(self, count_id: str) -> StockCount:
        """The count. Raises NotFound."""

    def listed_skus(self, count_id: str) -> tuple[str, ...]:
        """Which SKUs are to be counted; none where all that is entered counts."""

    def lines(self, count_id: str) -> Iterator[CountLine]:
        """What was counted so far."""

    def line(self, count_id: str, sku: str) -> CountLine:
        """What was counted of the SKU. Raises NotFound."""

    def open(self, count: StockCount, skus: tuple[str, ...], *, actions: Iterable[dict[str, Any]]) -> None:
        """Makes the count. Raises ConditionFailed where it is there already."""

    def enter(self, count: StockCount, lines: Iterable[CountLine], *, actions: Iterable[dict[str, Any]]) -> None:
        """Writes the lines. Raises ConditionFailed where the count is not open any more."""

    def settle_action(self, count: StockCount, line: CountLine) -> dict[str, Any]:
        """The transaction's action that records what posting did with the line, once."""

    def settle(self, count: StockCount, line: CountLine, *, actions: Iterable[dict[str, Any]]) -> None:
        """Records it where the stock stays. Raises ConditionFailed where that is on record."""

    def change(
        self,
        count: StockCount,
        *,
        to: CountStatus,
        actions: Iterable[dict[str, Any]],
        events: Iterable[Event] = (),
        **changes: Any,
    ) -> StockCount:
        """Moves the count on. Raises ConditionFailed where somebody else changed it."""


class Shelves(StockLedger, Protocol):
    """Where stock is kept."""

    def stock_of(self, skus: Iterable[str]) -> Mapping[str, Collection[Stock]]:
        """Every SKU's stock, row by row, as it is now."""


def open_count(
    counts: Counts,
    inventory: StockLedger,
    catalog: Catalog,
    audit: Audit,
    *,
    count_id: str,
    location: str,
    skus: tuple[str, ...],
    note: str,
    actor: str,
    now: datetime,
) -> StockCount:
    """Begins a count; one that `count_id` made before is answered as it is. Raises Invalid, naming the field."""
    if location not in inventory.locations:
        raise Invalid(f"{location} is no location of the shop", path="$.location")
    known = catalog.offers(skus)
    for position, sku in enumerate(skus):
        if sku not in known or sku in skus[:position]:
            fault = "the catalogue has no such SKU" if sku not in known else "this SKU is named twice"
            raise Invalid(fault, path=f"$.skus[{position}]")
    count = StockCount(id=count_id, location=location, status="open", note=note, opened_at=iso(now), opened_by=actor)
    after = {"location": location, "skus": len(skus)}
    try:
        counts.open(count, skus, actions=[_recorded(audit, count, "opened", actor, now, after)])
    except ConditionFailed:
        return counts.get(count_id)
    return count


def enter(
    counts: Counts,
    inventory: Shelves,
    catalog: Catalog,
    audit: Audit,
    *,
    count_id: str,
    entries: tuple[Entry, ...],
    actor: str,
    now: datetime,
) -> tuple[CountLine, ...]:
    """Records what somebody found, next to what the books say at this moment; a SKU that was entered is counted again.

    Raises Invalid, naming the field, and Conflict where the count is not open any more.
    """
    count = counts.get(count_id)
    _expect(count, "open")
    skus = [entry.sku for entry in entries]
    check_entries(entries, counts.listed_skus(count_id), catalog.offers(skus).keys())
    shelves = inventory.stock_of(skus)
    lines = tuple(_line(entry, count.location, shelves[entry.sku], actor, now) for entry in entries)
    after = {line.sku: {"counted": line.counted, "variance": line.variance} for line in lines}
    try:
        counts.enter(count, lines, actions=[_recorded(audit, count, "entered", actor, now, after)])
    except ConditionFailed:
        _expect(counts.get(count_id), "open")
        raise Contended("the count keeps changing; send the entries again") from None
    return lines


def _line(entry: Entry, location: str, places: Collection[Stock], actor: str, now: datetime) -> CountLine:
    [shelf] = [place for place in by_location(places) if place.location == location]
    return CountLine(
        sku=entry.sku,
        counted=entry.counted,
        on_hand=shelf.on_hand,
        adjustments=shelf.adjustments,
        counted_at=iso(now),
        counted_by=actor,
    )


def approve(
    counts: Counts, audit: Audit, *, count_id: str, expected: int, actor: str, now: datetime
) -> StockCount:
    """Accepts the variances of the version that the approver has seen; from now on nothing can be entered.

    Raises StaleVersion where more was entered since, Conflict where a listed SKU was not counted, or none was.
    """
    count = counts.get(count_id)
    if (count.status, count.approved_by, count.version) == ("approved", actor, expected + 1):
        return count
    _expect(count, "open")
    if count.version != expected:
        raise StaleVersion(f"this is version {count.version} by now; look at what was entered since")
    counted = {line.sku for line in counts.lines(count_id)}
    missing = [sku for sku in counts.listed_skus(count_id) if sku not in counted]
    if missing or not counted:
        raise Conflict(f"not counted yet: {_some(missing) or 'anything'}; enter it, or cancel the count")
    return _moved(counts, audit, count, "approved", actor, now, approved_by=actor)


def cancel(counts: Counts, audit: Audit, *, count_id: str, actor: str, now: datetime) -> StockCount:
    """Ends the count without touching the stock. Raises Conflict once posting has begun."""
    count = counts.get(count_id)
    if count.status == "canceled":
        return count
    return _moved(counts, audit, count, "canceled", actor, now)


def post(
    counts: Counts, inventory: StockLedger, audit: Audit, *, count_id: str, actor: str, now: datetime
) -> StockCount:
    """Corrects the stock by the variances, each once, up to 100 lines; `posting` is the answer as long as more wait.

    Raises Conflict for a count that is not approved, Contended where orders keep taking what a line wants to take:
    asked for again, it goes on where it was.
    """
    count = counts.get(count_id)
    if count.status == "posted":
        return count
    if count.status != "posting":
        _expect(count, "approved")
        count = _moved(counts, audit, count, "posting", actor, now)
    waiting = to_post(counts.lines(count_id))
    for line in waiting[:POSTED_AT_ONCE]:
        _post_line(counts, inventory, audit, count, line, actor, now)
    if len(waiting) > POSTED_AT_ONCE:
        return count
    return _finish(counts, audit, count, actor, now)


def _post_line(
    counts: Counts,
    inventory: StockLedger,
    audit: Audit,
    count: StockCount,
    line: CountLine,
    actor: str,
    now: datetime,
) -> None:
    """Stock, movement, line, audit entry and event in one transaction. A line that another request posted is left."""
    for _ in range(_TRIES):
        rows = inventory.rows(line.sku, count.location)
        done = settled(line, *by_location(rows))
        recorded = _posted(audit, count, done, actor, now)
        try:
            if done.posted:
                rows = with_enough(inventory, rows, -done.posted, actor, now)
                inventory.adjust(
                    Part(sku=line.sku, location=count.location, quantity=done.posted),
                    "adjusted",
                    adjustment_id=f"{count.id}#{line.sku}",
                    reason=f"stock count {count.id}",
                    actor=actor,
                    now=now,
                    seen=rows if done.short else (),
                    adjustments=line.adjustments,
                    actions=[counts.settle_action(count, done), recorded],
                    events=[_adjusted(count, done, now)],
                )
            else:
                counts.settle(count, done, actions=[recorded])
            return
        except ConditionFailed:
            if counts.line(count.id, line.sku).outcome:
                return
    raise Contended(f"orders keep taking {line.sku} from {count.location}; post the count again")


def _finish(counts: Counts, audit: Audit, count: StockCount, actor: str, now: datetime) -> StockCount:
    figures = tally(counts.lines(count.id))
    counted = StockCounted(
        occurred_at=at(now),
        subject=count.id,
        location=count.location,
        skus=figures.lines,
        differing=figures.differing,
        short=figures.short,
        outdated=figures.outdated,
    )
    return _moved(counts, audit, count, "posted", actor, now, events=[counted], posted_at=iso(now))


def _moved(
    counts: Counts,
    audit: Audit,
    count: StockCount,
    to: CountStatus,
    actor: str,
    now: datetime,
    events: Iterable[Event] = (),
    **changes: Any,
) -> StockCount:
    """The count in its next status; also where somebody else brought it there at this moment."""
    recorded = _recorded(audit, count, to, actor, now, {"status": to})
    try:
        return counts.change(count, to=to, actions=[recorded], events=events, **changes)
    except ConditionFailed:
        current = counts.get(count.id)
        if current.status == to:
            return current
        raise Conflict("somebody else changed the count at this moment; read it again") from None


def _expect(count: StockCount, status: CountStatus) -> None:
    if count.status != status:
        raise Conflict(f"the count is {count.status}, not {status}")


def _recorded(
    audit: Audit, count: StockCount, action: str, actor: str, now: datetime, after: dict[str, Any]
) -> dict[str, Any]:
    return audit.action(
        f"count#{count.id}",
        actor=actor,
        action=f"count.{action}",
        now=now,
        before={"status": count.status},
        after=after,
    )


def _posted(audit: Audit, count: StockCount, line: CountLine, actor: str, now: datetime) -> dict[str, Any]:
    return audit.action(
        f"stock#{line.sku}",
        actor=actor,
        action="stock.counted",
        now=now,
        before={"location": count.location, "on_hand": line.on_hand},
        after={"count_id": count.id, "counted": line.counted, "posted": line.posted, "outcome": line.outcome},
    )


def _adjusted(count: StockCount, line: CountLine, now: datetime) -> StockAdjusted:
    return StockAdjusted(
        occurred_at=at(now), subject=line.sku, location=count.location, quantity=line.posted, reason="adjusted"
    )


def _some(skus: list[str]) -> str:
    more = len(skus) - _NAMED
    return ", ".join(skus[:_NAMED]) + (f" and {more} more" if more > 0 else "")
