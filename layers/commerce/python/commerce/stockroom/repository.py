"""Stock counts in DynamoDB: the table `stockroom`, see docs/architecture.md."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from commerce.adapters import listing
from commerce.adapters.dynamodb import Item, Table, fields, put, transact, update
from commerce.adapters.outbox import Outbox
from commerce.errors import Conflict, NotFound
from commerce.events import Event
from commerce.model import read_back
from commerce.stockroom.model import NEXT, CountLine, CountStatus, StockCount


@dataclass(frozen=True)
class StockCountRepository:
    """Reads counts, and changes them together with whatever must change with them."""

    table: Table
    outbox: Outbox

    def get(self, count_id: str) -> StockCount:
        """The count. Raises NotFound."""
        item = self.table.get(f"COUNT#{count_id}", "COUNT")
        if item is None:
            raise NotFound("there is no such stock count")
        return read_back(StockCount, listing.unlisted(fields(item)))

    def listed_skus(self, count_id: str) -> tuple[str, ...]:
        """Which SKUs are to be counted; none where all that is entered counts."""
        item = self.table.get(f"COUNT#{count_id}", "SKUS")
        return tuple(item["skus"]) if item else ()

    def lines(self, count_id: str, *, after: str | None = None, limit: int | None = None) -> Iterator[CountLine]:
        """What was counted so far, by SKU, those behind the SKU `after`."""
        items = self.table.query(
            f"COUNT#{count_id}",
            sort=("sk", "between", (f"LINE#{after} " if after else "LINE#", "LINE#~")),
            limit=limit,
            consistent=True,
        )
        for item in items:
            yield read_back(CountLine, fields(item))

    def line(self, count_id: str, sku: str) -> CountLine:
        """What was counted of the SKU. Raises NotFound."""
        item = self.table.get(f"COUNT#{count_id}", f"LINE#{sku}")
        if item is None:
            raise NotFound("nobody counted this SKU")
        return read_back(CountLine, fields(item))

    def page(
        self, status: CountStatus, *, after: str | None, limit: int
    ) -> tuple[tuple[StockCount, ...], str | None]:
        """Counts in this status, the oldest first, and the position behind which the next page begins."""
        items, end = listing.page(self.table, _list(status), after=after, limit=limit)
        return tuple(read_back(StockCount, listing.unlisted(fields(item))) for item in items), end

    def open(self, count: StockCount, skus: tuple[str, ...], *, actions: Iterable[dict[str, Any]]) -> None:
        """Makes the count, once. Raises ConditionFailed where it is there already."""
        own = [put(self.table.name, _item(count), ("pk", "missing"))]
        if skus:
            own.append(put(self.table.name, {"pk": f"COUNT#{count.id}", "sk": "SKUS", "skus": skus}))
        transact(self.table.client, [*own, *actions])

    def enter(self, count: StockCount, lines: Iterable[CountLine], *, actions: Iterable[dict[str, Any]]) -> None:
        """Writes the lines over what was counted before. Raises ConditionFailed where the count is not open any more.

        People count side by side: their entries wait for one another, and are not refused for one another.
        """
        grown = update(self.table.name, f"COUNT#{count.id}", "COUNT", ("status", "=", "open"), add={"version": 1})
        written = (put(self.table.name, _line_item(count.id, line)) for line in lines)
        transact(self.table.client, [grown, *written, *actions])

    def settle_action(self, count: StockCount, line: CountLine) -> dict[str, Any]:
        """The transaction's action that records what posting did with the line, once."""
        return update(
            self.table.name,
            f"COUNT#{count.id}",
            f"LINE#{line.sku}",
            ("sku", "exists"),
            ("outcome", "missing"),
            set={"outcome": line.outcome, "posted": line.posted},
        )

    def settle(self, count: StockCount, line: CountLine, *, actions: Iterable[dict[str, Any]]) -> None:
        """Records what posting did with a line whose stock stays. Raises ConditionFailed where that is on record."""
        transact(self.table.client, [self.settle_action(count, line), *actions])

    def change(
        self,
        count: StockCount,
        *,
        to: CountStatus,
        actions: Iterable[dict[str, Any]],
        events: Iterable[Event] = (),
        **changes: Any,
    ) -> StockCount:
        """Moves the count on, with new values of its fields. Raises ConditionFailed where somebody else changed it."""
        if to not in NEXT[count.status]:
            raise Conflict(f"a stock count that is {count.status} cannot become {to}")
        changed = count.model_copy(update={**changes, "status": to, "version": count.version + 1})
        own = put(self.table.name, _item(changed), ("version", "=", count.version))
        transact(self.table.client, [own, *actions, *(self.outbox.action(event) for event in events)])
        return changed


def _list(status: CountStatus) -> str:
    return f"count {status}"


def _item(count: StockCount) -> Item:
    return {
        "pk": f"COUNT#{count.id}",
        "sk": "COUNT",
        **listing.listed(_list(count.status), count.id, position=count.opened_at),
        **count.model_dump(exclude_none=True),
    }


def _line_item(count_id: str, line: CountLine) -> Item:
    return {"pk": f"COUNT#{count_id}", "sk": f"LINE#{line.sku}", **line.model_dump(exclude_none=True)}
