"""Adjusts stock by a table: CSV with the columns sku, location, quantity and reason, see docs/stock.md.

The whole table is checked before anything is changed. The same table again adjusts only what it has not adjusted yet.
Exit code: 0 all rows are in, 1 some were refused or must be tried again, 2 it did not come to its end.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from commerce import clock
from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table
from commerce.adapters.outbox import Outbox
from commerce.catalog.repository import CatalogRepository
from commerce.errors import Invalid
from commerce.inventory.repository import InventoryRepository
from commerce.stockroom.bulk import RowResult, adjust_row, checked_sheet
from commerce.stockroom.sheet import MAX_IMPORTED_ROWS
from stacks.config import ConfigError, load
from tools.local.steps import Stop, complain, say
from tools.shops import Shop, choose, chosen

ACTOR = "stock-import"
THREADS = 8
SHOWN = 20
"""Faults and refused rows on the screen."""


def run(shop: Shop, content: bytes, locations: tuple[str, ...], console: Console) -> list[RowResult]:
    """What became of each row, in the order of the table. Raises Invalid with all that is wrong in it."""
    database = shop.client("dynamodb")
    outbox, audit = Outbox(shop.output("OutboxTable")), AuditTrail(shop.output("AuditTable"))
    catalog = CatalogRepository(Table(database, shop.output("CatalogTable")), outbox, audit)
    inventory = InventoryRepository(Table(database, shop.output("InventoryTable")), outbox, locations)
    sheet = checked_sheet(content, catalog, locations=locations, most=MAX_IMPORTED_ROWS)
    columns = (TextColumn("Rows"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(THREADS) as hands:
        rows = hands.map(
            lambda row: adjust_row(inventory, audit, sheet, row, actor=ACTOR, now=clock.now()), sheet.rows
        )
        return list(progress.track(rows, total=len(sheet.rows)))


def tell(results: list[RowResult]) -> None:
    """Prints what became of the rows, and those that are not in."""
    counts = Counter(result.outcome.replace("_", " ") for result in results)
    say("Rows: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) + ".")
    for result in [result for result in results if result.detail][:SHOWN]:
        say(f"  {result.outcome.replace('_', ' ')}, row {result.row} {result.sku}: {result.detail}")


def main(arguments: list[str] | None = None) -> int:
    """The command. Answers the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.stock_import", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the table")
    choose(parser)
    options = parser.parse_args(arguments)
    try:
        content = options.file.expanduser().read_bytes()
    except OSError as failure:
        complain(f"{options.file} cannot be read: {failure.strerror}")
        return 2
    try:
        locations = load(options.environment).shop.location_ids
        results = run(chosen(options), content, locations, Console(stderr=True))
    except Invalid as wrong:
        complain(f"{options.file}: {wrong.content}")
        for path, detail in wrong.faults[:SHOWN]:
            complain(f"  {path}: {detail}")
        return 2
    except (Stop, LookupError, ConfigError) as failure:
        complain(str(failure))
        return 2
    except (BotoCoreError, ClientError) as failure:
        complain(f"{failure}. Run the import again: it goes on where it was.")
        return 2
    tell(results)
    return 1 if any(result.detail for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
