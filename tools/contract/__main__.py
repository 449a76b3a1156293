"""`make contract N=…`: at least N operations against the local AWS. Writes build/contract.json."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tools.contract import engines
from tools.contract.comparison import Report, compare
from tools.contract.exceptions import LISTED
from tools.contract.operations import TABLE
from tools.simulation.dynamodb import Client, Database

REPORT = Path("build/contract.json")
REQUESTS = 400
"""Requests of one seed; then the next seed begins with a new table."""


def run(url: str, seed: int, operations: int, console: Console) -> Report:
    """Compares the double with the engine at `url` until at least `operations` were compared."""
    report, engine = Report("ministack"), engines.client(url)
    columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("comparing", total=operations)
        sequence = 0
        while report.total < operations:
            name = f"contract-{seed}-{sequence}"
            engine.create_table(**engines.create_table_request(TABLE, name))
            double = Client(Database([TABLE], names={TABLE.name: name}, clock=time.time))
            compare(double, engine, f"{seed}.{sequence}", name, requests=REQUESTS, report=report)
            engine.delete_table(TableName=name)
            sequence += 1
            write(report, seed)
            progress.update(task, completed=min(report.total, operations))
    return report


def summary(report: Report) -> dict[str, Any]:
    """The report as it is written down."""
    return {
        "engine": report.engine,
        "operations": {"total": report.total, **dict(report.operations.most_common())},
        "requests": {"total": report.outcomes.total(), **dict(report.outcomes.most_common())},
        "tables_compared": report.tables,
        "divergences": report.divergences,
        "listed_exceptions": [
            {"name": one.name, "reason": one.reason, "met": report.listed[one.name]}
            for one in LISTED
            if one.engine == report.engine
        ],
    }


def write(report: Report, seed: int) -> None:
    """After every sequence: a run that is stopped has its figures too."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"seed": seed, **summary(report)}, indent=2), encoding="utf-8")


def tables(report: Report) -> list[Table]:
    """The report as it is shown."""
    kinds = Table("operation", "compared", title=f"{report.total:,} operations in {report.outcomes.total():,} requests")
    for kind, count in report.operations.most_common():
        kinds.add_row(kind, f"{count:,}")
    outcomes = Table("outcome", "requests", title=f"and {report.tables:,} times the whole table")
    for name, count in report.outcomes.most_common():
        outcomes.add_row(name, f"{count:,}")
    listed = Table("known difference", "met", "because")
    for one in LISTED:
        if one.engine == report.engine:
            listed.add_row(one.name, str(report.listed[one.name]), one.reason)
    return [kinds, outcomes, listed]


def main() -> int:
    """Compares, prints and writes; 1 if there was a divergence."""
    description = "Compares the DynamoDB double with the local AWS."
    parser = argparse.ArgumentParser(prog="make contract", description=description)
    parser.add_argument("--operations", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    with engines.ministack() as url:
        report = run(url, options.seed, options.operations, console)
    for table in tables(report):
        console.print(table)
    for divergence in report.divergences:
        console.print_json(json.dumps(divergence))
    console.print(f"{len(report.divergences)} divergences; {REPORT}")
    return 1 if report.divergences else 0


if __name__ == "__main__":
    sys.exit(main())
