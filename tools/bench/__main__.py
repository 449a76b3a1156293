"""`make bench`: what a cold start loads, what a warm request computes, what a visit asks of AWS and what that costs.

Each part prints its figures and keeps them in build/bench.json. `cold` and `warm` need nothing; `order` plays a visit
in the running local shop.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from stacks.functions import FUNCTIONS
from tools.bench import cost, growth, imports, packages, play, warm
from tools.bench.prices import PRICES, READ_ON
from tools.demo.actors import UnexpectedAnswer
from tools.demo.scenes import Cast
from tools.demo.timeline import Timeline
from tools.demo.watch import NotSeen
from tools.figures import wide_console
from tools.local.instance import ROOT, Instance
from tools.local.steps import Stop

REPORT = Path("build/bench.json")
RUNTIME = Path("build/bench/runtime")

ORDER_AIM, VISIT_AIM, IDLE_AIM, TRANSITIONS_AIM = 0.15, 0.50, 10.00, 6
"""Dollars per 1,000 orders from `complete` to delivered and of whole visits, both without e-mail; of an idle month;
transitions of an order."""


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


def call_table(parts: growth.Parts) -> Table:
    """What the shop asked of AWS and the providers."""
    table = _table("Counted, for one visit that ends with a delivered order", "what", *parts)

    def rows(of: str, prefix: str = "") -> None:
        for name in sorted({name for counted in parts.values() for name in counted[of]}):
            table.add_row(f"{prefix}{name}", *(_count(counted[of].get(name)) for counted in parts.values()))
        table.add_section()

    rows("calls")
    rows("invocations", "Lambda ")
    rows("asked")
    rows("written", "write units of ")
    table.add_row("read units", *(f"{counted['read_units']:g}" for counted in parts.values()))
    table.add_row("write units", *(f"{counted['write_units']:g}" for counted in parts.values()))
    table.add_row("transitions", *(_count(len(counted.get("transitions", ()))) for counted in parts.values()))
    table.add_row("e-mails", *(_count(counted.get("emails")) for counted in parts.values()))
    return table


def cost_table(used: dict[str, cost.Units]) -> Table:
    """What 1,000 visits cost, part by part."""
    table = _table("Dollars per 1,000 delivered orders", "what", "price, per million", *used)
    dollars = {part: cost.per_thousand(units) for part, units in used.items()}
    for name, price in PRICES.items():
        cells = (_dollars(dollars[part][name]) for part in dollars)
        table.add_row(price.unit, f"{price.of(1_000_000):,.2f}", *cells)
    table.add_section()
    table.add_row("all", "", *(_dollars(sum(by.values())) for by in dollars.values()))
    table.add_row("all but e-mail", "", *(_dollars(_without_letters(by)) for by in dollars.values()))
    return table


def growth_table(parts: growth.Parts) -> Table:
    """What a month costs by its orders."""
    curves = growth.curves(parts)
    table = _table("Dollars a month, the idle month in it", "orders", *(name for name, _, _ in curves))
    for orders in growth.STEPS:
        table.add_row(f"{orders:,}", *(f"{dollars(orders):,.2f}" for _, _, dollars in curves))
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
    """What a visit asks of AWS, what 1,000 of them cost, and what a month does. Raises Uncounted."""
    try:
        everyone = Cast.of(Instance.current().running(), Timeline(pause=0.0))
        everyone.timeline.scene("A visit that warms the functions up")
        play.session(everyone)
        everyone.timeline.scene("The visit that is counted")
        played = play.session(everyone)
    except (Stop, NotSeen, UnexpectedAnswer, httpx.TransportError, LookupError) as problem:
        raise Uncounted(str(problem)) from problem
    parts: growth.Parts = played["parts"]
    used: dict[str, cost.Units] = {part: cost.units(counted) for part, counted in parts.items()}
    used["a visit"] = cost.summed(used[part] for part in growth.VISIT)
    kept = {**used, "pages": cost.kept_by_cloudfront(parts["pages"])}
    used["with kept pages"] = cost.summed(kept[part] for part in growth.VISIT)
    console.print(call_table(parts))
    console.print(cost_table(used))
    console.print(growth_table(parts))
    growth.write(parts)
    idle = sum(growth.IDLE.values())
    dollars = {part: cost.per_thousand(units) for part, units in used.items()}
    console.print(_against_the_aims(dollars, transitions=len(parts["order"]["transitions"]), idle=idle))
    console.print(f"Prices of {READ_ON}, us-east-1, without free tiers; durations on Lambda are assumed: docs/cost.md.")
    console.print(f"The picture is in {growth.PICTURE.relative_to(ROOT)}.")
    return {
        **played,
        "units_per_visit": used,
        "dollars_per_1000": {part: {**by, "total": sum(by.values())} for part, by in dollars.items()},
        "dollars_of_an_idle_month": {**growth.IDLE, "total": idle},
        "dollars_a_month": {
            name: {orders: round(dollars_of(orders), 2) for orders in growth.STEPS}
            for name, _, dollars_of in growth.curves(parts)
        },
        "prices": {name: vars(price) for name, price in PRICES.items()},
    }


def _against_the_aims(dollars: dict[str, dict[str, float]], *, transitions: int, idle: float) -> str:
    order, visit, kept = (_without_letters(dollars[part]) for part in ("order", "a visit", "with kept pages"))
    return (
        f"The idle month: ${idle:.2f} (at most {IDLE_AIM:.2f}). Without e-mail, per 1,000: complete to the settled "
        f"books ${order:.2f} (aim: {ORDER_AIM:.2f}) in {transitions} transitions (at most {TRANSITIONS_AIM}); a visit "
        f"${visit:.2f}, or ${kept:.2f} where CloudFront keeps the product pages (aim: {VISIT_AIM:.2f})."
    )


class Uncounted(Exception):
    """The shop did not play a visit to its end."""


PARTS: dict[str, Callable[[Console], dict[str, Any]]] = {"cold": cold, "warm": warmed, "order": order}


def main() -> int:
    """Measures, prints and writes the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them where none is named")
    asked = parser.parse_args().parts or list(PARTS)
    if unknown := set(asked) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
    console = wide_console()
    for name in asked:
        try:
            _keep(PARTS[name](console))
        except Uncounted as problem:
            console.print(f"[bold red]No visit could be counted:[/] {problem}")
            return 1
    console.print(f"The figures are in {REPORT}.")
    return 0


def _keep(figures: dict[str, Any]) -> None:
    """Puts the figures into the report, beside those of parts that were measured before."""
    REPORT.parent.mkdir(exist_ok=True)
    before = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.write_text(json.dumps(before | figures, indent=2))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE, padding=(0, 1, 0, 0))
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left", overflow="fold", no_wrap=not position)
    return table


def _count(count: float | None) -> str:
    return f"{count:g}" if count else ""


def _dollars(amount: float) -> str:
    return f"{amount:.4f}" if amount else ""


def _without_letters(dollars: dict[str, float]) -> float:
    return sum(dollars.values()) - dollars["email"]


if __name__ == "__main__":
    sys.exit(main())
