"""`make campaign`: plays schedules, or one of them again with its story."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from tools.simulation import campaign
from tools.simulation.schedules import is_lean


def main() -> int:
    """0 where every invariant held in every schedule and none went unchecked, 1 otherwise."""
    arguments = _arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, "-m", "tools.simulation", *sys.argv[1:]], _settled())
    if arguments.seed:
        return _replay(arguments.seed)
    progress = arguments.report.with_suffix(".progress")
    if arguments.fresh:
        progress.unlink(missing_ok=True)
    played = campaign.begun(arguments.schedules, arguments.first, progress)
    if played.seconds:
        print(f"goes on after {played.total.played:,} schedules; --fresh begins anew", file=sys.stderr)
    ended = campaign.run(
        played,
        workers=arguments.workers,
        until_violation=arguments.until_violation,
        progress=progress,
        show=lambda so_far: _show(so_far, arguments),
    )
    figures = campaign.report(played, arguments.workers)
    campaign.write(figures, arguments.report)
    if arguments.json:
        print(json.dumps(figures))
    else:
        _summary(figures, arguments.report)
        if not ended:
            print("stopped before its end; the same command goes on")
    return 1 if figures["violations"] or figures["lacking"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=20_000, help="how many to play")
    parser.add_argument("--first", type=int, default=1, help="the number of the first random schedule")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; one per core if left out")
    parser.add_argument("--until-violation", action="store_true", help="stop at the first violation")
    parser.add_argument("--fresh", action="store_true", help="do not go on with a campaign that was stopped")
    parser.add_argument("--seed", help="play this schedule again and tell its story")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--report", type=Path, default=campaign.REPORT, help="where the figures are written")
    return parser.parse_args()


def _settled() -> dict[str, str]:
    """The environment in which the order of sets is the same every time."""
    return {**os.environ, "PYTHONHASHSEED": "0"}


def _replay(seed: str) -> int:
    campaign.prepare(is_lean(seed))
    violated = campaign.replay(seed, print)
    return 1 if violated else 0


def _show(so_far: campaign.Campaign, arguments: argparse.Namespace) -> None:
    """A line every few seconds, and the figures so far in the report: a run that is stopped has its figures too."""
    campaign.write(campaign.report(so_far, arguments.workers), arguments.report)
    played, wanted = so_far.total.played, so_far.wanted
    bar = "#" * int(30 * min(played / wanted, 1.0))
    line = f"[{bar:<30}] {played:,} of {wanted:,}  {played / so_far.seconds:,.0f}/s"
    print(f"{line}  violations: {so_far.total.violated}", file=sys.stderr, flush=True)


def _summary(figures: dict[str, Any], path: Path) -> None:
    print(f"{figures['schedules']:,} schedules in {figures['seconds']} s, {figures['violations']} violations")
    print(f"{figures['faults_fired']:,} faults fired of {figures['faults_injected']:,} injected")
    print(f"{len(figures['never_fired'])} pairs of kind and boundary never fired; the figures are in {path}")
    for what in figures["lacking"]:
        print(f"  {what}: never seen in so many schedules, which is a fault of the campaign")
    for violation in figures["violated"][:10]:
        print(f"  make campaign SEED={violation['seed']}   {violation['what']}")


if __name__ == "__main__":
    sys.exit(main())
