"""How commands show what they measured: a line for each run, a column for each figure."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from rich.console import Console
from rich.table import Table

Run = TypeVar("Run")
_WIDTH = 130
"""Columns, where nobody says how many there are."""


def wide_console() -> Console:
    """As wide as the terminal; wide enough for a table where there is none."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDTH)


def table_of(
    title: str, runs: Iterable[Run], name: Callable[[Run], str], columns: Mapping[str, Callable[[Run], object]]
) -> Table:
    """Each run by its `name`, with its figures by their columns."""
    table = Table(title=title)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for run in runs:
        table.add_row(name(run), *(str(cell(run)) for cell in columns.values()))
    return table
