"""`make bench`: cold-start imports of every function, counted calls and dollars per 1,000 orders.

Plays one order in the running local shop to count what it asks of AWS. Writes build/bench.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tools.bench import cost, imports
from tools.bench.prices import PRICES
from tools.demo import scenes
from tools.demo.__main__ import cast
from tools.demo.timeline import Timeline
from tools.local.instance import Instance

REPORT = Path("build/bench.json")
MOST_MODULES = {"functions": 550, "workflow": 490}
WORKFLOW = ("ship_order", "compensate_order", "settle_order")


def import_table(figures: dict[str, dict[str, Any]]) -> Table:
    """The cold starts, each beside bare Python and one boto3 client."""
    table = Table(title="Imports of a cold start")
    for column in ("function", "modules", "at most", "CPU ms", "x boto3 client", "stripe"):
        table.add_column(column, justify="left" if column == "function" else "right")
    baseline = figures["boto3.client('dynamodb')"]["milliseconds"]
    for name, figure in figures.items():
        most = "" if name in imports.BASELINES else str(MOST_MODULES["workflow" if name in WORKFLOW else "functions"])
        ratio = f"{figure['milliseconds'] / baseline:.2f}"
        stripe = "yes" if figure["stripe"] else ""
        table.add_row(name, str(figure["modules"]), most, f"{figure['milliseconds']:.0f}", ratio, stripe)
    return table


def cost_table(order: dict[str, Any]) -> Table:
    """What an order uses and what 1,000 of them cost."""
    table = Table(title="A delivered order, from paying to delivery")
    for column in ("what", "per order", "$ per 1,000 orders"):
        table.add_column(column, justify="left" if column == "what" else "right")
    used, dollars = cost.units(order), cost.per_thousand(order)
    for name, price in PRICES.items():
        table.add_row(price.unit, f"{used[name]:.4g}", f"{dollars[name]:.4f}")
    table.add_section()
    table.add_row("all", "", f"{sum(dollars.values()):.4f}")
    table.add_row("all but e-mail", "", f"{sum(dollars.values()) - dollars['email']:.4f}")
    return table


def main() -> int:
    """Measures, prints and writes."""
    console = Console()
    figures = {}
    for name, figure in track(imports.measure(), description="importing", total=imports.count(), console=console):
        figures[name] = figure
    console.print(import_table(figures))
    order = scenes.delivered(cast(Instance.current(), Timeline(pause=0.0)))
    console.print(cost_table(order))
    dollars = cost.per_thousand(order)
    report = {
        "imports": figures,
        "order": order,
        "units_per_order": cost.units(order),
        "dollars_per_1000_orders": {**dollars, "total": sum(dollars.values())},
        "prices": {name: vars(price) for name, price in PRICES.items()},
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    console.print(f"The figures are in {REPORT}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
