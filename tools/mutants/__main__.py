"""`make mutants`: plants each bug into a copy of the shop, for the campaign to find. Writes build/mutants.json."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tools.local.instance import ROOT
from tools.mutants.catalogue import MUTANTS, Mutant
from tools.mutants.overlay import overlay

REPORT = ROOT / "build" / "mutants.json"
WANTED = 0.95


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant. `schedule` is the one that found it; None where none did."""

    mutant: Mutant
    schedule: str | None
    what: str | None
    """The invariant and how it was violated, or how the process died."""
    played: int
    sound: bool
    """Whether the shop without the bug passes that schedule."""

    @property
    def killed(self) -> bool:
        """Whether the campaign found it."""
        return self.schedule is not None and self.sound


def judge(mutant: Mutant, number: int, most: int, seconds: float) -> Verdict:
    """Plays the campaign on the mutated shop, in a process of its own, and what it finds on the shop as it is.

    Raises RuntimeError where one of them does not start.
    """
    with overlay(mutant, ROOT / "build" / "mutants" / str(number)) as folder:
        found = _play(folder, "--most", str(most), "--seconds", str(seconds))
    sound = found["schedule"] is None or _play(ROOT, "--schedule", found["schedule"])["schedule"] is None
    return Verdict(mutant, **found, sound=sound)


def _play(folder: Path, *options: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{folder / 'layers/commerce/python'}:{folder}",
    }
    command = [sys.executable, "-m", "tools.mutants.play", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the shop in {folder} does not start: {done.stderr[-1500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def judged(mutants: list[Mutant], most: int, seconds: float, workers: int) -> Iterator[Verdict]:
    """The verdicts, as they come."""
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(judge, mutant, number, most, seconds) for number, mutant in enumerate(mutants)]
        for one in as_completed(waiting):
            yield one.result()


def report(verdicts: list[Verdict]) -> dict[str, object]:
    """As it is written down."""
    killed = sum(verdict.killed for verdict in verdicts)
    return {
        "planted": len(verdicts),
        "killed": killed,
        "share": round(killed / len(verdicts), 3),
        "survivors": [verdict.mutant.name for verdict in verdicts if not verdict.killed],
        "mutants": [
            {**asdict(one.mutant), **{name: part for name, part in vars(one).items() if name != "mutant"}}
            for one in verdicts
        ],
    }


def write(figures: dict[str, object], path: Path) -> None:
    """Whole, after every verdict: a run that is stopped has its figures too."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    os.replace(draft, path)


def table(verdicts: list[Verdict]) -> Table:
    """As it is shown."""
    shown = Table("mutant", "found by", "after", "what was violated", title="Planted bugs")
    for one in verdicts:
        colour = "green" if one.killed else "red"
        found = one.schedule or one.mutant.explained or "nobody"
        if not one.sound:
            found += " (without the bug, too)"
        shown.add_row(f"[{colour}]{one.mutant.name}[/]", found, f"{one.played:,}", (one.what or "")[:90])
    return shown


def main() -> int:
    """0 where at least `WANTED` of the mutants were found, 1 otherwise."""
    parser = argparse.ArgumentParser(description="Plants bugs and lets the campaign find them.")
    parser.add_argument("--only", default="", metavar="WORDS", help="mutants with these words in their names")
    parser.add_argument("--most", type=int, default=2000, help="schedules per mutant")
    parser.add_argument("--seconds", type=float, default=120, help="of processor time per mutant")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args()
    console = Console()
    limits = options.most, options.seconds, options.workers
    mutants = [mutant for mutant in MUTANTS if options.only in mutant.name]
    verdicts: list[Verdict] = []
    for one in track(judged(mutants, *limits), "planting", len(mutants), console=console):
        verdicts.append(one)
        write(report(verdicts), options.report)
    console.print(table(verdicts))
    console.print(f"{sum(one.killed for one in verdicts)} of {len(verdicts)} found; {options.report}")
    return 0 if sum(one.killed for one in verdicts) >= WANTED * len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
