"""Many adjustments at once, each on its own: what one row cannot take keeps no other row from its shelf."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from commerce.audit import Audit
from commerce.errors import Conflict, Contended, Invalid
from commerce.ids import derived_id
from commerce.inventory.service import StockLedger, adjust_stock
from commerce.model import Model
from commerce.pricing.model import Catalog
from commerce.stockroom.sheet import Sheet, SheetRow, read_sheet, unknown_skus

RowOutcome = Literal["adjusted", "done_before", "refused", "try_again"]


class RowResult(Model):
    """What became of a row."""

    row: int
    sku: str
    location: str
    quantity: int
    outcome: RowOutcome
    detail: str | None = None
    """Why it was not adjusted."""


def checked_sheet(content: bytes, catalog: Catalog, *, locations: tuple[str, ...], most: int) -> Sheet:
    """The table. Raises Invalid with every fault, by row and column, before anything is changed."""
    sheet = read_sheet(content, locations=locations, most=most)
    known = catalog.offers([row.sku for row in sheet.rows])
    faults = sorted((*sheet.faults, *unknown_skus(sheet, known)), key=lambda fault: fault.row)
    if faults:
        raise Invalid(
            f"{len(faults)} cells or rows are wrong, and nothing was changed; the first is {faults[0].path}",
            faults=tuple((fault.path, fault.detail) for fault in faults),
        )
    return sheet


def adjust_row(
    inventory: StockLedger, audit: Audit, sheet: Sheet, row: SheetRow, *, actor: str, now: datetime
) -> RowResult:
    """Makes one row's adjustment, once for this table however often it comes."""
    adjustment_id = derived_id("adj", sheet.id, row.sku, row.location)
    if inventory.done(adjustment_id):
        return _result(row, "done_before")
    try:
        adjust_stock(
            inventory,
            audit,
            sku=row.sku,
            quantity=row.quantity,
            reason=row.reason,
            actor=actor,
            adjustment_id=adjustment_id,
            now=now,
            location=row.location,
        )
    except Conflict as refused:
        return _result(row, "refused", refused.content)
    except Contended as contended:
        return _result(row, "try_again", contended.content)
    return _result(row, "adjusted")


def adjust_all(
    inventory: StockLedger, audit: Audit, sheet: Sheet, *, actor: str, now: datetime
) -> Iterator[RowResult]:
    """Makes the adjustments, row by row."""
    return (adjust_row(inventory, audit, sheet, row, actor=actor, now=now) for row in sheet.rows)


def _result(row: SheetRow, outcome: RowOutcome, detail: str | None = None) -> RowResult:
    return RowResult(
        row=row.row, sku=row.sku, location=row.location, quantity=row.quantity, outcome=outcome, detail=detail
    )
