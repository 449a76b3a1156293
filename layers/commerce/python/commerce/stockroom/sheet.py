"""Adjustments as a table: CSV with a heading, read and checked whole before anything is changed.

What is wrong is told by row (as a spreadsheet numbers them; the heading is row 1) and column, and never repeats a
cell: spreadsheets calculate what begins with `=`, `+`, `-` or `@`, in a report as well as in the table itself.
"""

import csv
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from io import StringIO

from commerce.inventory.model import MAX_UNITS
from commerce.model import Model

COLUMNS = ("sku", "location", "quantity", "reason")
"""`location` may be left out, or empty: the shop's first one. Other columns are not read."""
REQUIRED = ("sku", "quantity", "reason")

MAX_ROWS = 250
"""Rows that one request takes: about 10 s of work."""
MAX_IMPORTED_ROWS = 20_000
"""Rows that the command takes."""
MAX_REASON = 200
MAX_SKU = 64
_SIGNED = re.compile(r"[+-]?[0-9]{1,10}")
_CALCULATED = ("=", "+", "-", "@")


class RowFault(Model):
    """What is wrong with a cell, or with a row as a whole where no column is at fault."""

    row: int
    column: str
    detail: str

    @property
    def path(self) -> str:
        """As errors name it: `row 4, quantity`."""
        return f"row {self.row}, {self.column}" if self.column else f"row {self.row}"


class SheetRow(Model):
    """Units of a SKU added at a location, or taken."""

    row: int
    sku: str
    location: str
    quantity: int
    reason: str


class Sheet(Model):
    """A whole table. Its `id` is made from its content: the same table again is the same adjustments."""

    id: str
    rows: tuple[SheetRow, ...]
    faults: tuple[RowFault, ...]


def read_sheet(content: bytes, *, locations: tuple[str, ...], most: int) -> Sheet:
    """The table with all that is wrong in it, but whether the catalogue has its SKUs."""
    rows: list[SheetRow] = []
    faults: list[RowFault] = []
    try:
        for row, cells in _records(content, most):
            wrong = list(_faults(row, cells, locations))
            faults += wrong
            if not wrong:
                rows.append(_row(row, cells, locations[0]))
    except _Unreadable as unreadable:
        faults.append(unreadable.fault)
    if not rows and not faults:
        faults.append(RowFault(row=1, column="", detail="there is no row below the heading"))
    faults += _repeated(rows)
    faults.sort(key=lambda fault: fault.row)
    return Sheet(id=hashlib.sha256(content).hexdigest(), rows=tuple(rows), faults=tuple(faults))


def unknown_skus(sheet: Sheet, known: Collection[str]) -> tuple[RowFault, ...]:
    """A fault for each row whose SKU is not among those that are `known`."""
    return tuple(
        RowFault(row=row.row, column="sku", detail="the catalogue has no such SKU")
        for row in sheet.rows
        if row.sku not in known
    )


class _Unreadable(Exception):
    """From here on the table cannot be read."""

    def __init__(self, row: int, detail: str, column: str = "") -> None:
        super().__init__(detail)
        self.fault = RowFault(row=row, column=column, detail=detail)


def _records(content: bytes, most: int) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(row, cells by column) of every row that is not empty. Comma, semicolon or tab, as the heading has it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Unreadable(1, "the table is not in UTF-8; save it as UTF-8") from None
    heading = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if number == 1:
                names = _names(cells)
            elif any(cell.strip() for cell in cells):
                if number > most + 1:
                    raise _Unreadable(number, f"a table has at most {most} rows below its heading; split it")
                if len(cells) > len(names):
                    raise _Unreadable(number, "this row has more cells than the heading has columns")
                yield number, dict(zip(names, (cell.strip() for cell in cells), strict=False))
    except csv.Error as error:
        raise _Unreadable(number + 1, f"this row is not CSV: {error}") from None
    if not number:
        raise _Unreadable(1, f"the table is empty; its heading is {','.join(COLUMNS)}")


def _names(cells: list[str]) -> list[str]:
    names = [cell.strip().casefold() for cell in cells]
    for name in REQUIRED:
        if name not in names:
            raise _Unreadable(1, f"the heading lacks this column; it is {','.join(COLUMNS)}", name)
    for name in COLUMNS:
        if names.count(name) > 1:
            raise _Unreadable(1, "the heading has this column twice", name)
    return names


def _faults(row: int, cells: Mapping[str, str], locations: tuple[str, ...]) -> Iterator[RowFault]:
    told = {
        "sku": "" if 0 < len(cells.get("sku", "")) <= MAX_SKU else f"a SKU has 1 to {MAX_SKU} characters",
        "location": _location_fault(cells.get("location", ""), locations),
        "quantity": _quantity_fault(cells.get("quantity", "")),
        "reason": _reason_fault(cells.get("reason", "")),
    }
    return (RowFault(row=row, column=column, detail=detail) for column, detail in told.items() if detail)


def _location_fault(text: str, locations: tuple[str, ...]) -> str:
    return "" if not text or text in locations else f"the shop's locations are {', '.join(locations)}"


def _quantity_fault(text: str) -> str:
    if not _SIGNED.fullmatch(text):
        return "a quantity is a whole number of units, negative where they are taken"
    return "" if 0 < abs(int(text)) <= MAX_UNITS else f"a quantity is between 1 and {MAX_UNITS} units, added or taken"


def _reason_fault(text: str) -> str:
    if not text:
        return "why?"
    if text.startswith(_CALCULATED):
        return "a reason does not begin with =, +, - or @: a spreadsheet would calculate it"
    if len(text) > MAX_REASON or not text.isprintable():
        return f"a reason is one line of at most {MAX_REASON} characters"
    return ""


def _row(row: int, cells: Mapping[str, str], first_location: str) -> SheetRow:
    return SheetRow(
        row=row,
        sku=cells["sku"],
        location=cells.get("location") or first_location,
        quantity=int(cells["quantity"]),
        reason=cells["reason"],
    )


def _repeated(rows: list[SheetRow]) -> Iterator[RowFault]:
    first: dict[tuple[str, str], int] = {}
    for one in rows:
        before = first.setdefault((one.sku, one.location), one.row)
        if before != one.row:
            yield RowFault(row=one.row, column="sku", detail=f"row {before} adjusts the same SKU there; sum them up")
