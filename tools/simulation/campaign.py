"""Plays schedules on all cores and sums up what happened: `build/campaign.json`."""

import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from tools.simulation.faults import KINDS, Tally
from tools.simulation.plans import Trace, pairs, singles

REPORT = Path("build/campaign.json")
MUTANTS = Path("build/mutants.json")
"""What became of planted bugs, if `make mutants` was run."""
CHUNK = 25
KEPT_VIOLATIONS = 50
PAIRED = "checkout"
"""The flow whose pairs of faults are played, all of them if there is room."""
PARTS = 8
"""In so many tasks for each first fault: the first ones of all of them are a sample of all pairs."""


@dataclass
class Result:
    """The sums of some schedules."""

    schedules: Counter[str] = field(default_factory=Counter)
    """By flow and how the faults were chosen."""
    tally: Tally = field(default_factory=Tally)
    checked: Counter[str] = field(default_factory=Counter)
    """By invariant."""
    violations: list[tuple[str, str]] = field(default_factory=list)
    """(schedule, what was violated)."""
    violated: int = 0
    seconds: float = 0.0
    """Processor time."""
    turns: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    """By the status in which they came to rest."""

    def add(self, other: "Result") -> None:
        """Sums both."""
        self.schedules.update(other.schedules)
        self.tally.add(other.tally)
        self.checked.update(other.checked)
        self.violations = [*self.violations, *other.violations][:KEPT_VIOLATIONS]
        self.violated += other.violated
        self.seconds += other.seconds
        self.turns += other.turns
        self.orders.update(other.orders)

    @property
    def played(self) -> int:
        """How many."""
        return sum(self.schedules.values())


# --- in a worker ----------------------------------------------------------------------------------------------------

_stage: Any = None


def prepare() -> None:
    """Makes this process a stage."""
    global _stage
    from tools.simulation import virtual

    virtual.install()
    from tools.simulation.stage import Stage

    _stage = Stage()


def flow_names() -> list[str]:
    """Every flow."""
    from tools.simulation.flows import FLOWS

    return list(FLOWS)


def trace(flow: str) -> Trace:
    """The calls of the flow when nothing goes wrong."""
    return _traced(f"{flow}/calm")


def play(names: list[str]) -> Result:
    """Plays these schedules."""
    result = Result()
    began = time.process_time()
    for name in names:
        _play(name, result)
    result.seconds = time.process_time() - began
    return result


def play_pairs(single: str, part: int) -> Result:
    """Plays a part of the pairs that begin with this fault."""
    return play(list(islice(pairs(single, _traced(single)), part, None, PARTS)))


def _traced(name: str) -> Trace:
    from tools.simulation.boundary import Violation
    from tools.simulation.scheduler import NoRest
    from tools.simulation.schedules import schedule

    with suppress(Violation, NoRest):
        _stage.play(schedule(name), traced=True)
    return list(_stage.world.boundaries.trace)


def _play(name: str, result: Result) -> None:
    from tools.simulation.boundary import Violation
    from tools.simulation.scheduler import NoRest
    from tools.simulation.schedules import schedule

    wanted = schedule(name)
    try:
        _stage.play(wanted)
    except (Violation, NoRest) as violation:
        result.violated += 1
        result.violations.append((name, str(violation)))
    except Exception as error:
        result.violated += 1
        result.violations.append((name, f"the simulation itself failed: {type(error).__name__}: {error}"))
    world = _stage.world
    result.schedules[wanted.kind] += 1
    result.tally.add(world.boundaries.tally)
    result.checked.update(world.checks.counts)
    result.turns += world.scheduler.turns
    result.orders.update(order["status"] for order in world.checks.orders())


# --- the campaign ---------------------------------------------------------------------------------------------------

Task = tuple[Callable[..., Result], tuple[Any, ...]]


def run(
    wanted: int, *, first: int, workers: int, until_violation: bool, show: Callable[[Result, float], None]
) -> Result:
    """At least `wanted` schedules: all single faults; then pairs, and from number `first` on crowds, races, storms."""
    total = Result()
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, prepare) as pool:
        tasks = _tasks(pool, wanted, first, lambda: total.played)
        try:
            for result in _in_turn(pool, tasks, 3 * workers):
                total.add(result)
                show(total, time.perf_counter() - began)
                if until_violation and total.violated:
                    break
        except KeyboardInterrupt:
            pass
        pool.terminate()
    return total


def _in_turn(pool: Any, tasks: Iterable[Task], at_once: int) -> Iterator[Result]:
    """Results as they come, with no more than `at_once` tasks given out."""
    waiting: list[Any] = []
    for work, arguments in tasks:
        waiting.append(pool.apply_async(work, arguments))
        while len(waiting) >= at_once:
            done = [one for one in waiting if one.ready()]
            for one in done:
                waiting.remove(one)
                yield one.get()
            if not done:
                waiting[0].wait(0.05)
    for one in waiting:
        yield one.get()


def _tasks(pool: Any, wanted: int, first: int, played: Callable[[], int]) -> Iterator[Task]:
    given = 0
    flows = pool.apply(flow_names)
    traces = dict(zip(flows, pool.map(trace, flows, chunksize=1), strict=True))
    single = [name for flow in flows for name in singles(flow, traces[flow])]
    Random(0).shuffle(single)  # a short campaign has some of everything
    for chunk in _chunks([*(f"{flow}/calm" for flow in flows), *single][:wanted]):
        given += len(chunk)
        yield play, (chunk,)
    number = first
    paired = ((single, part) for part in range(PARTS) for single in singles(PAIRED, traces[PAIRED]))
    while max(given, played()) < wanted:
        pair = next(paired, None)
        if pair is not None and wanted - given > 2 * CHUNK:
            given += CHUNK
            yield play_pairs, pair
        count = min(2 * CHUNK, max(wanted - given, 1))
        crowds = [f"random/{one}" for one in range(number, number + count)]
        varied = [f"{flow}/{how}/{number}" for how in ("race", "storm") for flow in flows]
        for chunk in _chunks([*crowds, *varied]):
            given += len(chunk)
            yield play, (chunk,)
        number += count


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), CHUNK):
        yield names[start : start + CHUNK]


def report(result: Result, seconds: float, workers: int) -> dict[str, Any]:
    """Everything that was counted, as it is written to `build/campaign.json`."""
    tally = result.tally
    table = {
        kind: {
            boundary: {"injected": tally.injected[kind, boundary], "fired": tally.fired[kind, boundary]}
            for boundary in sorted(tally.touched)
            if tally.injected[kind, boundary] or tally.fired[kind, boundary]
        }
        for kind in KINDS
    }
    return {
        "schedules": result.played,
        "by_flow": dict(sorted(result.schedules.items())),
        "orders_by_status": dict(sorted(result.orders.items())),
        "violations": result.violated,
        "violated": [{"seed": seed, "what": what} for seed, what in result.violations],
        "seconds": round(seconds, 1),
        "workers": workers,
        "processor_seconds": round(result.seconds, 1),
        "schedules_per_second": round(result.played / seconds, 1) if seconds else None,
        "schedules_per_processor_second": round(result.played / result.seconds, 1) if result.seconds else None,
        "effects": result.turns,
        "faults_injected": sum(tally.injected.values()),
        "faults_fired": sum(tally.fired.values()),
        "kinds_fired": {kind: sum(counts["fired"] for counts in table[kind].values()) for kind in KINDS},
        "boundaries": sorted(tally.touched),
        "faults": table,
        "never_fired": [f"{kind} at {boundary}" for kind, boundary in tally.missing()],
        "invariants_checked": dict(sorted(result.checked.items())),
        "mutants": planted(),
    }


def planted(path: Path = MUTANTS) -> dict[str, Any] | None:
    """The sums of the planted bugs; None where none were planted."""
    if not path.exists():
        return None
    figures = json.loads(path.read_text(encoding="utf-8"))
    return {name: part for name, part in figures.items() if name != "mutants"}


def write(figures: dict[str, Any], path: Path = REPORT) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    os.replace(draft, path)


def replay(name: str, tell: Callable[[str], None]) -> bool:
    """Plays the schedule again, tells its story, and answers whether it violates an invariant."""
    from tools.simulation.boundary import Violation
    from tools.simulation.scheduler import NoRest
    from tools.simulation.schedules import schedule

    violation: BaseException | None = None
    try:
        _stage.play(schedule(name), told=True)
    except (Violation, NoRest) as found:
        violation = found
    for line in _stage.world.story.lines:
        tell(line)
    tell(f"violated: {violation}" if violation else "every invariant holds")
    return violation is not None
