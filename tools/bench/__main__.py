"""`make bench`: what a cold start loads, what a warm request computes, what an order asks of AWS and what that costs.

Each part prints its figures and keeps them in build/bench.json. `cold` and `warm` need nothing; `order` plays one in
the running local shop.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from stacks.functions import FUNCTIONS
from tools.bench import cost, imports, packages, play, warm
from tools.bench.prices import PRICES, READ_ON
from tools.demo.__main__ import cast
from tools.demo.actors import UnexpectedAnswer
from tools.demo.timeline import Timeline
from tools.demo.watch import NotSeen
from tools.local.instance import Instance

REPORT = Path("build/bench.json")
RUNTIME = Path("build/bench/runtime")


def import_table(figures: dict[str, dict[str, Any]]) -> Table:
    """The cold starts, each beside bare Python and one boto3 client."""
    table = _table("Imports of a cold start", "start", "modules", "at most", "CPU ms", "x boto3 client", "loads")
    baseline = figures["boto3.client('dynamodb')"]["milliseconds"]
    for name, figure in figures.items():
        table.add_row(
            name,
            str(figure["modules"]),
            str(figure.get("most", "")),
            f"{figure['milliseconds']:.0f}",
            f"{figure['milliseconds'] / baseline:.2f}",
            ", ".join(figure["packages"]),
        )
    return table


def package_table(figures: dict[str, dict[str, int]]) -> Table:
    """The packages of each function for AWS, zipped."""
    parts = list(dict.fromkeys(part for figure in figures.values() for part in figure))
    table = _table("Packages for AWS, zipped, in KB", "function", *parts, "at most")
    for name, figure in sorted(figures.items()):
        cells = (f"{figure[part] / 1000:,.0f}" if part in figure else "" for part in parts)
        table.add_row(name, *cells, f"{packages.most(FUNCTIONS[name]) / 1000:,.0f}")
    return table


def warm_table(figures: warm.Figures) -> Table:
    """Processor time by request, and that of the whole way from the cart to the order."""
    table = _table("Processor time of a warm request", "request", "calls", "ms", "quickest", "at most", "botocore")
    for name, figure in figures.items():
        table.add_row(
            name,
            str(figure["calls"]),
            f"{figure['milliseconds']:.1f}",
            f"{figure['quickest']:.1f}",
            f"{warm.AIMS[name]:.0f}" if name in warm.AIMS else "",
            f"{figure['where'].get('botocore', 0):.0%}",
        )
    table.add_section()
    calls, median, quickest = (
        sum(figures[name][what] for name in warm.CHECKOUT) for what in ("calls", "milliseconds", "quickest")
    )
    aim = f"{warm.CHECKOUT_AIM:.0f}"
    table.add_row("from the cart to the order, 7", str(calls), f"{median:.1f}", f"{quickest:.1f}", aim, "")
    return table


def call_table(played: dict[str, Any]) -> Table:
    """What the shop asked of AWS and the providers."""
    table = _table("Counted, for one delivered order", "what", "the order", "looking at it")
    order, looking = played["order"], played["looking"]
    for name in sorted({*order["calls"], *looking["calls"]}):
        table.add_row(name, _count(order["calls"].get(name)), _count(looking["calls"].get(name)))
    table.add_section()
    for name in sorted({*order["invocations"], *looking["invocations"]}):
        row = (order["invocations"].get(name), looking["invocations"].get(name))
        table.add_row(f"Lambda {name}", *map(_count, row))
    table.add_section()
    for name, count in played["provider_calls"].items():
        table.add_row(name, str(count), "")
    table.add_section()
    for name, units in sorted(order["written"].items()):
        table.add_row(f"write units of {name}", f"{units:.0f}", "")
    return table


def cost_table(used: dict[str, dict[str, float]]) -> Table:
    """What an order uses and what 1,000 of them cost."""
    table = _table("From paying to delivery", "what", "per order", "$ per 1,000 orders", "looking", "$ per 1,000")
    dollars = {part: cost.per_thousand(units) for part, units in used.items()}
    for name, price in PRICES.items():
        cells = [(f"{used[part][name]:.4g}", f"{dollars[part][name]:.4f}") for part in ("order", "looking")]
        table.add_row(price.unit, *cells[0], *cells[1])
    table.add_section()
    sums = {part: sum(dollars[part].values()) for part in dollars}
    table.add_row("all", "", f"{sums['order']:.4f}", "", f"{sums['looking']:.4f}")
    table.add_row("all but e-mail", "", f"{sums['order'] - dollars['order']['email']:.4f}", "", "")
    return table


def cold(console: Console) -> dict[str, Any]:
    """What each function loads at its start, how long that takes, and what must be fetched for it."""
    starts = imports.measure(imports.provide_runtime(RUNTIME))
    figures = dict(track(starts, description="importing", total=imports.count(), console=console))
    console.print(import_table(figures))
    sizes = packages.measure()
    console.print(package_table(sizes))
    return {"imports": figures, "packages": sizes}


def warmed(console: Console) -> dict[str, Any]:
    """How long requests keep a CPU once a function runs."""
    with console.status("playing requests"):
        figures = warm.measure()
    console.print(warm_table(figures))
    console.print(
        f"Median of {warm.RUNS} repetitions, in processor time. In: the handler, pydantic, botocore (its signatures, "
        "its parsing) and Stripe's client. Out: sockets, TLS, every wait, secrets (read once in ten minutes)."
    )
    return {"warm": figures}


def order(console: Console) -> dict[str, Any]:
    """What an order asks of AWS, and what 1,000 of them cost. Raises Uncounted."""
    try:
        everyone = cast(Instance.current().running(), Timeline(pause=0.0))
        everyone.timeline.scene("An order that warms the functions up")
        play.one_order(everyone)
        everyone.timeline.scene("The order that is counted")
        played = play.one_order(everyone)
    except (NotSeen, UnexpectedAnswer, httpx.TransportError, LookupError) as problem:
        raise Uncounted(str(problem)) from problem
    used = {
        "order": cost.units(
            played["order"],
            transitions=len(played["transitions"]),
            emails=played["emails"],
            provider_calls=played["provider_calls"],
        ),
        "looking": cost.units(played["looking"]),
    }
    console.print(call_table(played))
    console.print(cost_table(used))
    console.print(f"Prices of {READ_ON}, us-east-1, without free tiers; durations on Lambda are assumed: docs/cost.md.")
    dollars = {part: cost.per_thousand(units) for part, units in used.items()}
    return {
        **played,
        "units_per_order": used,
        "dollars_per_1000_orders": {part: {**by, "total": sum(by.values())} for part, by in dollars.items()},
        "prices": {name: vars(price) for name, price in PRICES.items()},
    }


class Uncounted(Exception):
    """The shop did not play an order to its end."""


PARTS: dict[str, Callable[[Console], dict[str, Any]]] = {"cold": cold, "warm": warmed, "order": order}


def main() -> int:
    """Measures, prints and writes the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them where none is named")
    asked = parser.parse_args().parts or list(PARTS)
    if unknown := set(asked) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
    console = Console()
    for name in asked:
        try:
            _keep(PARTS[name](console))
        except Uncounted as problem:
            console.print(f"[bold red]No order could be counted:[/] {problem}")
            return 1
    console.print(f"The figures are in {REPORT}.")
    return 0


def _keep(figures: dict[str, Any]) -> None:
    """Puts the figures into the report, beside those of parts that were measured before."""
    REPORT.parent.mkdir(exist_ok=True)
    before = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.write_text(json.dumps(before | figures, indent=2))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left", overflow="fold")
    return table


def _count(count: int | None) -> str:
    return str(count) if count else ""


if __name__ == "__main__":
    sys.exit(main())
