"""`make rush`: crowds who want more than there is, at the shop on this machine.

Writes build/rush.json. Ends with 1 where a unit was sold twice, somebody was charged for nothing, or somebody had
another answer than an order or "sold out". The stock is brought back to what it was; the orders stay.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools.demo.actors import UnexpectedAnswer
from tools.figures import table_of, wide_console
from tools.local.instance import Instance
from tools.local.steps import Stop, leave
from tools.rush.crowd import ORDER, SOLD_OUT, Crowd, Rush

REPORT = Path("build/rush.json")
_EXPECTED = (ORDER, SOLD_OUT)
TIMES, UNITS_OF_ONE = 20, 5
"""One checkout is completed so many times at once, where there are so many units."""


def main() -> int:
    """Plays, prints, writes; 1 where something was not as it must be."""
    options, console = _options(), wide_console()
    try:
        rushes = _play(Instance.current().running(), options, console)
    except (Stop, LookupError, UnexpectedAnswer, httpx.HTTPError, BotoCoreError, ClientError) as problem:
        console.print(f"[bold red]The crowd did not come to its end:[/] {escape(str(problem))}")
        return 1
    faults = [fault for rush in rushes for fault in rush.faults]
    report = {**vars(options), "rushes": [asdict(rush) for rush in rushes], "faults": faults}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    console.print(_table(rushes))
    for fault in faults:
        console.print(f"[bold red]{fault}")
    console.print(f"The figures are in {REPORT}.")
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rush", description=__doc__)
    parser.add_argument("--buyers", type=int, default=200)
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=24, help="requests that are under way in the same moment")
    options = parser.parse_args()
    if min(vars(options).values()) < 1:
        parser.error("buyers, units and how many ask at once are 1 at least")
    return options


def _play(instance: Instance, options: argparse.Namespace, console: Console) -> list[Rush]:
    buyers, units = options.buyers, options.units
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    ) as progress:
        task = progress.add_task("requests", total=3 * buyers + 2 * TIMES)
        crowd = Crowd(instance, options.at_once, lambda: progress.advance(task))
        if not (skus := crowd.buyer.some_skus(1)):
            raise Stop("Nothing is in stock; make up fills the shop, make import brings products")
        [sku] = skus
        before = crowd.warehouse.stock(sku)["available"]
        try:
            return [
                crowd.pay_together(sku, buyers, units),
                crowd.fill_carts_together(sku, buyers, units),
                *(crowd.ask_again(sku, TIMES, UNITS_OF_ONE, same_key=same) for same in (True, False)),
            ]
        finally:
            crowd.warehouse.adjust(sku, before)


def _table(rushes: list[Rush]) -> Table:
    columns: dict[str, Callable[[Rush], object]] = {
        "buyers": lambda rush: rush.buyers,
        "units": lambda rush: rush.units,
        "orders": lambda rush: rush.outcomes.get(ORDER, 0),
        "told sold out": lambda rush: rush.outcomes.get(SOLD_OUT, 0),
        "other answers": lambda rush: sum(number for word, number in rush.outcomes.items() if word not in _EXPECTED),
        "charges": lambda rush: rush.charges,
        "left": lambda rush: rush.left,
        "seconds": lambda rush: rush.seconds,
    }
    return table_of("Crowds at one SKU", rushes, lambda rush: rush.name, columns)


if __name__ == "__main__":
    leave(main)
