"""`make campaign-wire`: stories told over HTTP while the line between functions and AWS fails, with a shop of its own.

Ends with 1 if anything was wrong after any of them. Keeps build/campaign-wire.json, and goes on from there after it was
stopped.
"""

import argparse
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tools.local import deployment, shop
from tools.local.instance import Instance
from tools.local.steps import leave
from tools.wire.campaign import ROUND, Tally, Violation, campaign, report, reported
from tools.wire.line import Line
from tools.wire.routing import routed
from tools.wire.stage import stage

REPORT = Path("build/campaign-wire.json")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make campaign-wire", description=__doc__)
    parser.add_argument("--stories", type=int, default=500, help="how many (N=…)")
    parser.add_argument("--seed", type=int, help="the first round's seed (SEED=…); a new one is drawn without it")
    parser.add_argument("--fresh", action="store_true", help="begin anew where a campaign was stopped (FRESH=1)")
    parser.add_argument("--keep", action="store_true", help="use the shop as it is, and leave it running")
    parser.add_argument("--instance", default=os.environ.get("TRADEPOST_INSTANCE") or "wire")
    return parser.parse_args()


def main() -> int:
    """Starts the shop, tells the stories, keeps the report, and says how it went."""
    options = arguments()
    # Nobody is to be charged for this.
    os.environ.pop("STRIPE_API_KEY", None)
    instance, console = Instance(options.instance), Console(highlight=False)
    if not options.keep:
        shop.reset(instance)
    shop.up(instance)
    tally = _begun(instance, options.stories) if options.seed is None and not options.fresh else None
    if tally:
        console.print(f"Going on after {tally.told} stories; FRESH=1 begins anew.")
    else:
        tally = Tally(seed=random.randrange(1_000_000) if options.seed is None else options.seed)
    _tell(instance, tally, options.stories, console)
    for violation in tally.violations:
        _show(console, violation)
    console.print(f"\n{tally.told} stories, {tally.fired.total()} faults, seed {tally.seed}; figures in {REPORT}")
    if tally.violations:
        console.print(f"[bold red]{len(tally.violations)} violations.[/] The shop still runs: look at its orders with")
        console.print(f"  {instance.command('order')} ID=…")
        return 1
    console.print("[bold green]Nothing was oversold, charged twice, lost or forgotten.[/]")
    if not options.keep:
        shop.down(instance)
    return 0


def _begun(instance: Instance, stories: int) -> Tally | None:
    """The campaign that was stopped before it had told so many stories to a shop of the same sources."""
    if not REPORT.is_file():
        return None
    figures = json.loads(REPORT.read_text())
    tally = reported(figures)
    same = figures["deployed"] == deployment.deployed(instance)
    return tally if same and not tally.violations and tally.told < stories else None


def _tell(instance: Instance, tally: Tally, stories: int, console: Console) -> None:
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Line(instance.aws_url) as line,
        routed(instance, line.url),
        stage(instance, line) as made,
        Progress(*bar, TimeRemainingColumn(), console=console) as progress,
    ):
        task = progress.add_task("stories", total=stories, completed=tally.told)

        def kept() -> None:
            progress.update(task, description=f"stories, {tally.fired.total()} faults")
            _keep({"deployed": deployment.deployed(instance), **report(tally)})

        campaign(made, tally, stories, story=lambda: progress.advance(task), round_=kept)


def _keep(figures: dict[str, Any]) -> None:
    """Whoever is stopped while writing has the figures of before."""
    REPORT.parent.mkdir(exist_ok=True)
    draft = REPORT.with_suffix(".draft")
    draft.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    draft.replace(REPORT)


def _show(console: Console, violation: Violation) -> None:
    console.rule(f"[red]{violation.kind}")
    for line in (*violation.wrong, f"planned: {violation.plan}", *violation.journal):
        console.print(f"  {line}", markup=False)
    again = f"make campaign-wire SEED={violation.seed} N={violation.stories}"
    console.print(f"  once more: {again}" + ("" if violation.stories == ROUND else " (the whole round)"), markup=False)


if __name__ == "__main__":
    # Whoever ends this still wants the functions back on their own way to AWS.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    leave(main)
