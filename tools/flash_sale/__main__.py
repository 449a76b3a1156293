"""`make flash-sale`: a crowd buys one SKU in virtual time, from one counter and from a pool.

Writes build/flash-sale.json.

The production code of completing a checkout runs on the double of DynamoDB with its model of capacity: 1,000 write and
3,000 read units per second and partition key, a transaction costs double and holds its items, who meets it is refused.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools.figures import table_of, wide_console
from tools.flash_sale.sale import Sale, rush, settle
from tools.flash_sale.shop import ENVIRONMENTS, Shop

REPORT = Path("build/flash-sale.json")
WINDOW_SECONDS = 2.5
"""For so long one counter sells, which keeps its pace; the pools sell until everybody has an answer."""
CROWDS_AT_THE_COUNTER = (8, 32)
"""How many functions at once get most out of one counter, tried in turn: more of them only collide."""
FASTER = 10
BEYOND = 200
"""Buyers of the crowd that a pool of 2 cannot serve at once: enough to stand in line."""


@dataclass(frozen=True)
class Run:
    """One crowd, and what became of it."""

    name: str
    buyers: int
    units: int
    shards: int
    orders: int
    per_second: float
    """Of all orders, until the last one was made."""
    nine_of_ten_per_second: float
    """Of the first nine of ten, until the last of these was made."""
    answers: dict[str, int]
    longest_line: int
    lost_places: int
    seconds: float


def main() -> int:
    """Plays, prints, writes; 1 where the sale was not as it must be."""
    options, console = _options(), wide_console()
    played = _play(options, console)
    counter, _, sale, beyond = played.runs
    faster = {run.name: _times(run, counter) for run in played.runs[1:3]}
    faults = [*_faults_of_the_sale(sale, played, options), *_faults_of_the_figures(faster, beyond)]
    report = {
        "options": vars(options),
        "environments": ENVIRONMENTS,
        "runs": [asdict(run) for run in played.runs],
        "times_faster": faster,
        "books": played.books,
        "busiest_keys": played.busiest_keys,
        "processor_seconds": round(time.process_time(), 1),
        "faults": faults,
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    _tell(console, played, faster)
    for fault in faults:
        console.print(f"[bold red]{fault}")
    console.print(f"{time.process_time():,.0f} s of a processor. The figures are in {REPORT}.")
    return 1 if faults else 0


@dataclass(frozen=True)
class Played:
    """All crowds: at the counter, at the pool, in the sale, beyond a small pool.

    How many orders of the sale were canceled, and its books at the end.
    """

    runs: tuple[Run, Run, Run, Run]
    canceled: int
    books: dict[str, Any]
    busiest_keys: Any


def _play(options: argparse.Namespace, console: Console) -> Played:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    ) as progress:

        def play(name: str, buyers: int, **how: Any) -> tuple[Run, Shop, Sale]:
            task = progress.add_task(name, total=buyers)
            hold = options.hold_ms / 1000
            shop, sale = rush(buyers=buyers, hold=hold, done=lambda: progress.advance(task), **how)
            progress.stop_task(task)
            run = _run(name, buyers, how, sale)
            if not console.is_terminal:
                console.print(f"{name}: {run.orders:,} orders, {run.per_second:,.0f} per second")
            return run, shop, sale

        most, shards = options.most, options.shards
        at_the_counter = {"units": most, "shards": 0, "seconds": WINDOW_SECONDS}
        counter = max(
            (
                play(f"one counter, {crowd} at once", most, **at_the_counter, environments=crowd)[0]
                for crowd in CROWDS_AT_THE_COUNTER
            ),
            key=lambda run: run.per_second,
        )
        pool, pool_shop, _ = play(f"pool of {shards}", most, units=most, shards=shards)
        sale, shop, sold = play("the sale", options.buyers, units=options.units, shards=shards)
        canceled = options.units // 10
        books = settle(shop, sold, canceled=canceled)
        beyond, _, _ = play("a crowd beyond a pool of 2", BEYOND, units=BEYOND, shards=2)
    return Played((counter, pool, sale, beyond), canceled, books, pool_shop.busiest_keys())


def _tell(console: Console, played: Played, faster: dict[str, dict[str, float]]) -> None:
    console.print(_table(played.runs))
    for name, times in faster.items():
        console.print(
            f"{name}: {times['all']:.1f} times the orders per second of one counter, "
            f"{times['nine_of_ten']:.1f} times by the first nine of ten."
        )
    console.print(_table_of_the_books(played.books, played.canceled))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make flash-sale")
    parser.add_argument("--buyers", type=int, default=10_000)
    parser.add_argument("--units", type=int, default=1_000)
    parser.add_argument("--shards", type=int, default=30)
    parser.add_argument("--hold-ms", type=float, default=20, help="how long a transaction holds its items")
    parser.add_argument("--most", type=int, default=2_500, help="buyers of the runs that measure a rate")
    return parser.parse_args()


def _run(name: str, buyers: int, how: dict[str, Any], sale: Sale) -> Run:
    return Run(
        name=name,
        buyers=buyers,
        units=how["units"],
        shards=how["shards"],
        orders=len(sale.orders),
        per_second=sale.per_second(),
        nine_of_ten_per_second=sale.per_second(0.9),
        answers=dict(sale.answers),
        longest_line=sale.longest_line,
        lost_places=sale.lost_places,
        seconds=sale.last,
    )


def _times(run: Run, counter: Run) -> dict[str, float]:
    """How many times as fast as the counter, by both measures."""
    return {
        "all": run.per_second / counter.per_second,
        "nine_of_ten": run.nine_of_ten_per_second / counter.nine_of_ten_per_second,
    }


def _faults_of_the_sale(sale: Run, played: Played, options: argparse.Namespace) -> list[str]:
    sold, books = min(options.units, options.buyers), played.books
    wrong: dict[str, bool] = {
        f"{sale.orders} orders, not {sold}": sale.orders != sold,
        "somebody had no answer": sale.answers.get("ordered", 0) + sale.answers.get("sold_out", 0) != sale.buyers,
        "the stock is not what was sold": (books["sold"], books["left"]) != (sold, options.units - sold),
        "units are stranded": books["free_after_cancellations"] != options.units - sold + played.canceled,
        "the pool is still there": books["rows_at_the_end"] != 1,
        "the shelf is wrong": books["on_hand_at_the_end"] != books["available_at_the_end"],
        "the ledger does not sum to the stock": not books["ledger_sums"],
    }
    return [fault for fault, holds in wrong.items() if holds]


def _faults_of_the_figures(faster: dict[str, dict[str, float]], beyond: Run) -> list[str]:
    wrong: dict[str, bool] = {
        **{
            f"{name} is not {FASTER} times as fast as one counter": min(times.values()) < FASTER
            for name, times in faster.items()
        },
        "a crowd beyond the pool was answered with errors": bool(beyond.answers.get("unavailable")),
        "nobody had to wait where the crowd is beyond the pool": not beyond.answers.get("waiting"),
        "somebody lost their place": bool(beyond.lost_places),
        "somebody in line was not served": beyond.orders != beyond.buyers,
    }
    return [fault for fault, holds in wrong.items() if holds]


def _table(runs: Sequence[Run]) -> Table:
    columns: dict[str, Callable[[Run], object]] = {
        "buyers": lambda run: run.buyers,
        "units": lambda run: run.units,
        "orders": lambda run: run.orders,
        "sold out": lambda run: run.answers.get("sold_out", 0),
        "told to wait": lambda run: run.answers.get("waiting", 0),
        "longest line": lambda run: run.longest_line,
        "errors": lambda run: run.answers.get("unavailable", 0),
        "orders/s": lambda run: f"{run.per_second:.0f}",
        "nine of ten/s": lambda run: f"{run.nine_of_ten_per_second:.0f}",
        "seconds": lambda run: f"{run.seconds:.1f}",
    }
    return table_of("Flash sale, in virtual time", runs, lambda run: run.name, columns)


def _table_of_the_books(books: dict[str, Any], canceled: int) -> Table:
    table = Table(title=f"The books after {canceled} cancellations, switching off and shipping the rest")
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in books.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if type(value) is int else "yes" if value else "no")
    return table


if __name__ == "__main__":
    sys.exit(main())
