"""`make query SQL="select …"`: asks the shop's events a question and prints the answer. See docs/analytics.md."""

import argparse
import csv
import re
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.athena import Answer, ask
from tools.local.steps import Stop, complain
from tools.shops import choose, chosen

_CALCULATED = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def main() -> int:
    """Asks and prints. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="make query", description=__doc__)
    parser.add_argument("sql", nargs="?", default="", help="the question; from the standard input where it is left out")
    choose(parser)
    options = parser.parse_args()
    try:
        sql = options.sql or ("" if sys.stdin.isatty() else sys.stdin.read())
        if not sql.strip():
            raise Stop('Ask something: make query SQL="select type, count(*) from events group by 1"')
        show(ask(chosen(options), sql))
    except (Stop, LookupError, BotoCoreError, ClientError) as failure:
        complain(str(failure))
        return 1
    return 0


def show(answer: Answer) -> None:
    """A table for people; tab-separated lines for programs and spreadsheets. NULL is nothing."""
    if not sys.stdout.isatty():
        rows = ([harmless(cell) for cell in row] for row in (answer.columns, *answer.rows))
        csv.writer(sys.stdout, "excel-tab", lineterminator="\n").writerows(rows)
        return
    table = Table(*map(escape, answer.columns), box=SIMPLE_HEAD)
    for row in answer.rows:
        table.add_row(*("" if cell is None else escape(cell) for cell in row))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(answer.rows)} row{'s' if len(answer.rows) != 1 else ''}")


def harmless(cell: str | None) -> str | None:
    """The cell as no spreadsheet calculates it: what looks like a formula, which a stranger may have typed, is text."""
    formula = cell is not None and cell.startswith(_CALCULATED) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if formula else cell


if __name__ == "__main__":
    sys.exit(main())
