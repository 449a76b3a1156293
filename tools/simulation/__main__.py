"""`make campaign`: plays schedules, or one of them again with its story."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tools.simulation import campaign


def main() -> int:
    """0 where every invariant held in every schedule, 1 otherwise."""
    arguments = _arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, "-m", "tools.simulation", *sys.argv[1:]], _settled())
    if arguments.seed:
        return _replay(arguments.seed)
    began = time.perf_counter()
    progress = _Progress(arguments.schedules, arguments.workers, arguments.report)
    result = campaign.run(
        arguments.schedules,
        first=arguments.first,
        workers=arguments.workers,
        until_violation=arguments.until_violation,
        show=progress.show,
    )
    figures = campaign.report(result, time.perf_counter() - began, arguments.workers)
    campaign.write(figures, arguments.report)
    if arguments.json:
        print(json.dumps(figures))
    else:
        _summary(figures, arguments.report)
    return 1 if result.violated else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=20_000, help="how many to play")
    parser.add_argument("--first", type=int, default=1, help="the number of the first random schedule")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; one per core if left out")
    parser.add_argument("--until-violation", action="store_true", help="stop at the first violation")
    parser.add_argument("--seed", help="play this schedule again and tell its story")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--report", type=Path, default=campaign.REPORT, help="where the figures are written")
    return parser.parse_args()


def _settled() -> dict[str, str]:
    """The environment in which the order of sets is the same every time."""
    return {**os.environ, "PYTHONHASHSEED": "0"}


def _replay(seed: str) -> int:
    campaign.prepare()
    violated = campaign.replay(seed, print)
    return 1 if violated else 0


class _Progress:
    """A line every few seconds, and the figures so far in the report: a run that is stopped has its figures too."""

    def __init__(self, wanted: int, workers: int, report: Path) -> None:
        self._wanted, self._workers, self._report = wanted, workers, report
        self._told = 0.0

    def show(self, result: campaign.Result, seconds: float) -> None:
        """After each chunk."""
        if seconds - self._told < 5:
            return
        self._told = seconds
        campaign.write(campaign.report(result, seconds, self._workers), self._report)
        done = min(result.played / self._wanted, 1.0)
        bar = "#" * int(30 * done)
        line = f"[{bar:<30}] {result.played:,} of {self._wanted:,}  {result.played / seconds:,.0f}/s"
        print(f"{line}  violations: {result.violated}", file=sys.stderr, flush=True)


def _summary(figures: dict[str, Any], path: Path) -> None:
    print(f"{figures['schedules']:,} schedules in {figures['seconds']} s, {figures['violations']} violations")
    print(f"{figures['faults_fired']:,} faults fired of {figures['faults_injected']:,} injected")
    print(f"{len(figures['never_fired'])} pairs of kind and boundary never fired; the figures are in {path}")
    for violation in figures["violated"][:10]:
        print(f"  make campaign SEED={violation['seed']}   {violation['what']}")


if __name__ == "__main__":
    sys.exit(main())
