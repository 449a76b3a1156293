"""`make campaign-wire`: stories told over HTTP while the line between functions and AWS fails, with a shop of its own.

Ends with 1 if anything was wrong after any of them, and writes build/campaign-wire.json.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tools.local import shop
from tools.local.instance import Instance
from tools.local.steps import Stop, complain
from tools.wire.campaign import ROUND, Tally, Violation, campaign, report
from tools.wire.line import Line
from tools.wire.routing import routed
from tools.wire.stage import stage

REPORT = Path("build/campaign-wire.json")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make campaign-wire", description=__doc__)
    parser.add_argument("--stories", type=int, default=500, help="how many (N=…)")
    parser.add_argument("--seed", type=int, help="the first round's seed (SEED=…); a new one is drawn without it")
    parser.add_argument("--keep", action="store_true", help="use the shop as it is, and leave it running")
    parser.add_argument("--instance", default=os.environ.get("TRADEPOST_INSTANCE") or "wire")
    return parser.parse_args()


def main() -> int:
    """Starts the shop, tells the stories, writes the report, and says how it went."""
    options = arguments()
    # Nobody is to be charged for this.
    os.environ.pop("STRIPE_API_KEY", None)
    instance, console = Instance(options.instance), Console(highlight=False)
    seed = options.seed if options.seed is not None else random.randrange(1_000_000)
    if not options.keep:
        shop.reset(instance)
    shop.up(instance)
    tally = _told(instance, seed, options.stories, console)
    for violation in tally.violations:
        _show(console, violation)
    console.print(f"\n{tally.stories.total()} stories, {tally.fired.total()} faults, seed {seed}; figures in {REPORT}")
    if tally.violations:
        console.print(f"[bold red]{len(tally.violations)} violations.[/] The shop still runs: look at its orders with")
        console.print(f"  {instance.command('order')} ID=…")
        return 1
    console.print("[bold green]Nothing was oversold, charged twice, lost or forgotten.[/]")
    if not options.keep:
        shop.down(instance)
    return 0


def _told(instance: Instance, seed: int, stories: int, console: Console) -> Tally:
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    begun = time.monotonic()
    with (
        Line(instance.aws_url) as line,
        routed(instance, line.url),
        stage(instance, line) as made,
        Progress(*bar, TimeRemainingColumn(), console=console) as progress,
    ):
        task = progress.add_task("stories", total=stories)

        def told(tally: Tally) -> None:
            faults = tally.fired.total()
            progress.update(task, completed=tally.stories.total(), description=f"stories, {faults} faults")

        tally = campaign(made, seed, stories, told)
        figures = report(made, seed, tally, time.monotonic() - begun)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2))
    return tally


def _show(console: Console, violation: Violation) -> None:
    console.rule(f"[red]{violation.kind}")
    for line in (*violation.wrong, f"planned: {violation.plan}", *violation.journal):
        console.print(f"  {line}", markup=False)
    again = f"make campaign-wire SEED={violation.seed} N={violation.stories}"
    console.print(f"  once more: {again}" + ("" if violation.stories == ROUND else " (the whole round)"), markup=False)


if __name__ == "__main__":
    # Whoever ends this still wants the functions back on their own way to AWS.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except Stop as failure:
        complain(str(failure))
        sys.exit(1)
    except KeyboardInterrupt:
        complain("\nInterrupted.")
        sys.exit(130)
