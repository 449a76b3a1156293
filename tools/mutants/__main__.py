"""`make mutants`: plants each bug into a copy of the shop, for the campaign to find. Writes build/mutants.json."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock, current_thread
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools.local.instance import ROOT
from tools.mutants.catalogue import MUTANTS, Mutant
from tools.mutants.overlay import digest, overlay
from tools.simulation import campaign
from tools.simulation.schedules import is_lean

REPORT = ROOT / campaign.MUTANTS
COPIES = ROOT / "build" / "mutants"
"""A copy of the shop for each worker."""
WANTED = 0.95
LEAN_SHARE = 0.1
"""Of the processor time that a mutant gets: the lean tier finds most bugs in seconds, if it can see them at all."""


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
    sources: str
    """The digest of the sources that it holds for."""

    @property
    def killed(self) -> bool:
        """Whether the campaign found it. A bug that the simulation cannot even play is not found, but badly planted."""
        return self.schedule is not None and self.sound and not (self.what or "").startswith(campaign.FAILED)


@dataclass(frozen=True)
class Limits:
    """How long a mutant is looked for."""

    schedules: int
    seconds: float
    """Of processor time."""


class SoundShop:
    """The shop without a bug, in one process of each tier for the whole run."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._passed: dict[str, bool] = {}
        self._players = {lean: self._player(*(["--lean"] if lean else [])) for lean in (False, True)}

    def passes(self, schedule: str) -> bool:
        """Whether it holds every invariant in that schedule."""
        player = self._players[is_lean(schedule)]
        assert player.stdin and player.stdout
        with self._lock:
            if schedule not in self._passed:
                player.stdin.write(f"{schedule}\n")
                player.stdin.flush()
                self._passed[schedule] = json.loads(player.stdout.readline())["schedule"] is None
            return self._passed[schedule]

    def close(self) -> None:
        """Ends the processes."""
        for player in self._players.values():
            player.communicate()

    def _player(self, *options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*_PLAY, "--listen", *options],
            cwd=ROOT,
            env=_environment(ROOT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def judge(mutant: Mutant, before: Verdict | None, limits: Limits, shop: SoundShop, sources: str) -> Verdict:
    """Plays the campaign on the mutated shop, in a process of its own, and what it finds on the shop as it is.

    The lean tier is first where it can see the bug, or the tier whose schedule found it in other sources. Raises
    RuntimeError where the mutated shop does not start.
    """
    known = before.schedule if before else None
    tiers = (False,) if mutant.wired else (True, False)
    played = 0
    with overlay(mutant, COPIES / current_thread().name) as folder:
        for lean in sorted(tiers, key=lambda lean: known is not None and is_lean(known) != lean):
            first = [known] if known and is_lean(known) == lean else []
            found = _play(folder, *_wanted(mutant, limits, lean), "--first", *first)
            played += found["played"]
            if found["schedule"]:
                break
    sound = found["schedule"] is None or shop.passes(found["schedule"])
    return Verdict(mutant, **{**found, "played": played}, sound=sound, sources=sources)


def _wanted(mutant: Mutant, limits: Limits, lean: bool) -> list[str]:
    """How a tier looks for the mutant."""
    seconds = limits.seconds * (LEAN_SHARE if lean else 1 if mutant.wired else 1 - LEAN_SHARE)
    aims = ["--aims", *mutant.shows, "--meets", *mutant.meets, *(["--lean"] if lean else [])]
    return ["--most", str(limits.schedules), "--seconds", str(seconds), *aims]


_PLAY = (sys.executable, "-m", "tools.mutants.play")


def _environment(folder: Path) -> dict[str, str]:
    """Compiled modules are kept: two mutants of a worker differ in a file or two."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join(map(str, (folder / "layers/commerce/python", folder)))
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(COPIES / "compiled")}


def _play(folder: Path, *options: str) -> dict[str, Any]:
    command = [*_PLAY, *options]
    done = subprocess.run(command, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the shop in {folder} does not start: {done.stderr[-1500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def judged(
    mutants: list[Mutant], known: dict[str, Verdict], limits: Limits, workers: int, sources: str
) -> Iterator[Verdict]:
    """The verdicts, as they come."""
    pool, shop = ThreadPoolExecutor(workers), SoundShop()
    try:
        waiting = [pool.submit(judge, one, known.get(one.name), limits, shop, sources) for one in mutants]
        for one in as_completed(waiting):
            yield one.result()
    finally:
        pool.shutdown(cancel_futures=True)
        shop.close()


def remembered(path: Path) -> dict[str, Verdict]:
    """By name: the verdicts of earlier runs on mutants that are planted as they were then."""
    if not path.exists():
        return {}
    planted = {mutant.name: mutant for mutant in MUTANTS}
    known = {}
    for one in json.loads(path.read_text(encoding="utf-8"))["mutants"]:
        mutant = planted.get(one["name"])
        if mutant and all(one[name] == getattr(mutant, name) for name in ("file", "before", "after")):
            verdict = {name: one[name] for name in ("schedule", "what", "played", "sound", "sources")}
            known[mutant.name] = Verdict(mutant, **verdict)
    return known


def report(verdicts: list[Verdict], older: Iterable[Verdict] = ()) -> dict[str, Any]:
    """As it is written down. `older` are verdicts on other sources: they do not count, but what found them is kept."""
    killed = sum(verdict.killed for verdict in verdicts)
    return {
        "planted": len(MUTANTS),
        "judged": len(verdicts),
        "killed": killed,
        "share": round(killed / len(verdicts), 3),
        "survivors": {one.mutant.name: one.mutant.explained for one in verdicts if not one.killed},
        "mutants": [
            {**asdict(one.mutant), **{name: part for name, part in vars(one).items() if name != "mutant"}}
            for one in (*verdicts, *older)
        ],
    }


def write(verdicts: list[Verdict], path: Path, older: Iterable[Verdict] = ()) -> None:
    """After every verdict, so that a run that is stopped goes on where it was; the sums stand in the campaign's
    report, too.
    """
    figures = report(verdicts, older)
    campaign.write(figures, path)
    played = ROOT / campaign.REPORT
    if path == REPORT and played.exists():
        campaign.write({**json.loads(played.read_text(encoding="utf-8")), "mutants": campaign.planted(path)}, played)


def table(verdicts: list[Verdict]) -> Table:
    """As it is shown."""
    shown = Table("mutant", "found by", "after", "what was violated", title="Planted bugs")
    for one in verdicts:
        colour = "green" if one.killed else "red"
        found = one.schedule or one.mutant.explained or "nobody"
        if not one.sound:
            found += " (without the bug, too)"
        shown.add_row(f"[{colour}]{one.mutant.name}[/]", found, f"{one.played:,}", escape((one.what or "")[:90]))
    return shown


def _bar(console: Console) -> Progress:
    return Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
    )


def _options() -> tuple[argparse.Namespace, list[Mutant]]:
    """And the mutants that they name."""
    parser = argparse.ArgumentParser(prog="make mutants", description="Plants bugs and lets the campaign find them.")
    parser.add_argument("--only", default="", metavar="WORDS", help="mutants with these words in their names")
    parser.add_argument("--most", type=int, default=2000, help="schedules per mutant")
    parser.add_argument("--seconds", type=float, default=90, help="of processor time per mutant")
    parser.add_argument("--fresh", action="store_true", help="judge anew what was judged on the same sources")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args()
    wanted = [mutant for mutant in MUTANTS if options.only.lower() in mutant.name.lower()]
    if not wanted:
        parser.error(f"ONLY={options.only} is in no mutant's name; docs/mutants.md says how they are called")
    return options, wanted


def main() -> int:
    """0 where at least `WANTED` of the mutants were found, 1 otherwise."""
    options, wanted = _options()
    console = Console()
    sources = digest()
    known = remembered(options.report)
    verdicts = {name: verdict for name, verdict in known.items() if verdict.sources == sources}
    waiting = [mutant for mutant in wanted if options.fresh or mutant.name not in verdicts]
    with _bar(console) as bar:
        task = bar.add_task("planting", total=len(wanted), completed=len(wanted) - len(waiting))
        limits = Limits(options.most, options.seconds)
        for one in judged(waiting, known, limits, options.workers, sources):
            verdicts[one.mutant.name] = one
            older = [verdict for name, verdict in known.items() if name not in verdicts]
            write(list(verdicts.values()), options.report, older)
            bar.update(task, advance=1, description=one.mutant.name)
    shown = [verdicts[mutant.name] for mutant in wanted]
    killed = sum(one.killed for one in shown)
    console.print(table(shown))
    console.print(f"{killed} of {len(shown)} found; {options.report}")
    return 0 if killed >= WANTED * len(shown) else 1


if __name__ == "__main__":
    sys.exit(main())
