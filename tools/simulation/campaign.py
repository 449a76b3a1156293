"""Plays schedules on all cores and sums up what happened: `build/campaign.json`.

Two tiers share the work: a part of the schedules plays the deployed shop whole, the mass plays its use cases and
repositories without their wires (`tools.simulation.lean`). A run that is stopped goes on where it was.
"""

import hashlib
import json
import multiprocessing
import os
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, as_completed, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count, islice
from pathlib import Path
from random import Random
from typing import Any

from tools.simulation.faults import KINDS, Tally
from tools.simulation.plans import Trace, pairs, singles
from tools.simulation.schedules import CROWDS

REPORT = Path("build/campaign.json")
MUTANTS = Path("build/mutants.json")
"""What became of planted bugs, if `make mutants` was run."""
CHUNK = 25
KEPT_VIOLATIONS = 50
ENOUGH = 4_000
"""In so many schedules each kind of fault fires and each invariant is checked, or the campaign itself is broken."""
FAILED = "the simulation itself failed"
"""So begins what is said of a schedule that shows an error of the simulation, and no violation."""
INVARIANTS = [f"I{number}" for number in range(1, 13)]
WHOLE_AT_LEAST, WHOLE_SHARE = 600, 50
"""Of a campaign, so many schedules play the whole shop, or one in so many."""
PAIRED = {False: "checkout", True: "lean-checkout"}
"""The flow of each tier whose pairs of faults come before those of others, of which the shortest come first. The whole
tier plays no others.
"""
SAVED_EVERY = 5.0
"""Seconds."""
_SOURCES = ("layers/commerce", "functions", "statemachines", "config", "tools/simulation")


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


@dataclass
class Campaign:
    """What a campaign has come to: what `build/campaign.progress` keeps, so that it can go on."""

    wanted: int
    first: int
    sources: str
    """The digest of what is played: sums of different shops are not added."""
    tiers: dict[bool, Result] = field(default_factory=lambda: {False: Result(), True: Result()})
    """By whether it is the lean one."""
    done: dict[bool, set[int]] = field(default_factory=lambda: {False: set(), True: set()})
    """The tasks of each tier that are over, by their numbers."""
    seconds: float = 0.0
    """On the clock, over all runs."""

    @property
    def total(self) -> Result:
        """Both tiers together."""
        total = Result()
        for result in self.tiers.values():
            total.add(result)
        return total

    def share(self, lean: bool) -> int:
        """How many schedules are the tier's."""
        whole = min(self.wanted, max(WHOLE_AT_LEAST, self.wanted // WHOLE_SHARE))
        return self.wanted - whole if lean else whole


# --- in a worker ----------------------------------------------------------------------------------------------------

_stage: Any = None


def prepare(lean: bool = False) -> None:
    """Makes this process a stage of the lean tier, or of the whole shop."""
    global _stage
    from tools.simulation import virtual

    virtual.install()
    if lean:
        from tools.simulation.lean import tables

        tables.install()
        from tools.simulation.lean.stage import LeanStage

        _stage = LeanStage()
    else:
        from tools.simulation.stage import Stage

        _stage = Stage()


def flow_names() -> list[str]:
    """Every flow of this stage."""
    return list(_stage.flow_names)


def trace(flow: str, how: str = "calm") -> Trace:
    """The calls of the flow, played without faults or as is said."""
    return _traced(f"{flow}/{how}")


def play(names: list[str]) -> Result:
    """Plays these schedules."""
    result = Result()
    began = time.process_time()
    for name in names:
        _play(name, result)
    result.seconds = time.process_time() - began
    return result


def count_pairs(single: str) -> int:
    """How many pairs begin with this fault."""
    return sum(1 for _ in pairs(single, _traced(single)))


def play_pairs(single: str, part: int, parts: int) -> Result:
    """Plays one of so many parts of the pairs that begin with this fault."""
    return play(list(islice(pairs(single, _traced(single)), part, None, parts)))


def _traced(name: str) -> Trace:
    from tools.simulation.boundary import Violation
    from tools.simulation.scheduler import NoRest
    from tools.simulation.schedules import schedule

    with suppress(Violation, NoRest):
        _stage.play(schedule(name, _stage.flow_names), traced=True)
    return list(_stage.world.boundaries.trace)


def _play(name: str, result: Result) -> None:
    from tools.simulation.boundary import Violation
    from tools.simulation.scheduler import NoRest
    from tools.simulation.schedules import schedule

    wanted = schedule(name, _stage.flow_names)
    try:
        _stage.play(wanted)
    except (Violation, NoRest) as violation:
        result.violated += 1
        result.violations.append((name, str(violation)))
    except Exception as error:
        result.violated += 1
        result.violations.append((name, f"{FAILED}: {type(error).__name__}: {error}"))
    world = _stage.world
    result.schedules[wanted.kind] += 1
    result.tally.add(world.boundaries.tally)
    result.checked.update(world.checks.counts)
    result.turns += world.scheduler.turns
    result.orders.update(order["status"] for order in world.checks.orders())


# --- the campaign ---------------------------------------------------------------------------------------------------

Task = tuple[Callable[..., Result], tuple[Any, ...]]
Part = tuple[int, tuple[str, int, int]]
"""How many pairs of faults, and what `play_pairs` needs to play them."""


def begun(wanted: int, first: int, progress: Path) -> Campaign:
    """The campaign that was stopped, if it was this one of these sources; else a new one."""
    fresh = Campaign(wanted, first, _digest())
    with suppress(OSError, pickle.UnpicklingError, EOFError, AttributeError, TypeError):
        stopped = pickle.loads(progress.read_bytes())
        if (stopped.wanted, stopped.first, stopped.sources) == (fresh.wanted, fresh.first, fresh.sources):
            return Campaign(**vars(stopped))
    return fresh


def run(
    campaign: Campaign, *, workers: int, until_violation: bool, progress: Path, show: Callable[[Campaign], None]
) -> bool:
    """Plays what is left of the campaign: of each tier all single faults, then pairs, crowds, races and storms.

    Answers whether it came to its end; else it can go on from `progress`.
    """
    began, before = time.perf_counter(), campaign.seconds
    saved = 0.0
    try:
        for _ in _tiers(campaign, workers):
            campaign.seconds = before + time.perf_counter() - began
            if campaign.seconds - saved > SAVED_EVERY:
                saved = campaign.seconds
                _save(pickle.dumps(campaign), progress)
                show(campaign)
            if until_violation and campaign.total.violated:
                return False
    except KeyboardInterrupt:
        return False
    finally:
        _save(pickle.dumps(campaign), progress)
    progress.unlink()
    return True


def _tiers(campaign: Campaign, workers: int) -> Iterator[None]:
    """Goes on after each task."""
    for lean in (False, True):
        if not campaign.share(lean):
            continue
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), prepare, (lean,)) as pool:
            tasks = _tasks(pool, campaign.share(lean), campaign.first, lean)
            left = ((number, task) for number, task in enumerate(tasks) if number not in campaign.done[lean])
            try:
                for number, result in _in_turn(pool, left, 3 * workers):
                    campaign.tiers[lean].add(result)
                    campaign.done[lean].add(number)
                    yield
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _in_turn(pool: Executor, tasks: Iterable[tuple[int, Task]], at_once: int) -> Iterator[tuple[int, Result]]:
    """Results as they come, with no more than `at_once` tasks given out."""
    waiting: dict[Future[Result], int] = {}
    for number, (work, arguments) in tasks:
        waiting[pool.submit(work, *arguments)] = number
        if len(waiting) >= at_once:
            for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(done), done.result()
    for done in as_completed(waiting):
        yield waiting[done], done.result()


def _tasks(pool: Executor, wanted: int, first: int, lean: bool) -> Iterator[Task]:
    """At least so many schedules; the same tasks in the same order every time."""
    flows = pool.submit(flow_names).result()
    traces = dict(zip(flows, pool.map(trace, flows), strict=True))
    single = _shuffled(name for flow in flows for name in singles(flow, traces[flow]))
    given = 0
    for chunk in _chunks([*(f"{flow}/calm" for flow in flows), *single[: wanted // 2]][:wanted]):
        given += len(chunk)
        yield play, (chunk,)
    others = sorted((flow for flow in flows if lean and flow != PAIRED[lean]), key=lambda flow: len(traces[flow]))
    paired = chain.from_iterable(_pairing(pool, flow, traces[flow]) for flow in (PAIRED[lean], *others))
    crowds = _chunks(_crowds(flows, first, lean))
    while given < wanted:
        pair = next(paired, None)
        if pair is not None and wanted - given > 2 * CHUNK:
            size, arguments = pair
            given += size
            yield play_pairs, arguments
        chunk = next(crowds)[: wanted - given]
        given += len(chunk)
        yield play, (chunk,)


def _pairing(pool: Executor, flow: str, trace: Trace) -> Iterator[Part]:
    first = _shuffled(singles(flow, trace))
    return pairing(chain.from_iterable(zip(some, pool.map(count_pairs, some), strict=True) for some in _chunks(first)))


def pairing(counted: Iterable[tuple[str, int]]) -> Iterator[Part]:
    """All pairs in parts of `CHUNK` at most, by their first faults and how many begin with each: the first parts are a
    sample of them, which need no more counted than they are.
    """
    numbers: dict[str, int] = {}
    for one, number in counted:
        numbers[one] = number
        yield from _part(one, 0, number)
    for part in range(1, 1 + max(numbers.values(), default=0) // CHUNK):
        for one, number in numbers.items():
            yield from _part(one, part, number)


def _part(single: str, part: int, number: int) -> Iterator[Part]:
    """The part, if there is that one."""
    parts = -(-number // CHUNK)
    if part < parts:
        yield len(range(part, number, parts)), (single, part, parts)


def _crowds(flows: list[str], first: int, lean: bool) -> Iterator[str]:
    """Many buyers; and each flow in another order of events, and in a storm."""
    crowd = CROWDS[lean]
    return (
        name
        for number in count(first, CHUNK)
        for name in (
            *(f"{crowd}/{one}" for one in range(number, number + CHUNK)),
            *(f"{flow}/{how}/{number}" for how in ("race", "storm") for flow in flows),
        )
    )


def _shuffled(names: Iterable[str]) -> list[str]:
    """A short campaign has some of them, from everywhere."""
    shuffled = list(names)
    Random(0).shuffle(shuffled)
    return shuffled


def _chunks(names: Iterable[str]) -> Iterator[list[str]]:
    names = iter(names)
    while chunk := list(islice(names, CHUNK)):
        yield chunk


def _digest() -> str:
    """Of all files that have a say in what is played."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in (".py", ".json", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def report(campaign: Campaign, workers: int) -> dict[str, Any]:
    """Everything that was counted, as it is written to `build/campaign.json`."""
    total, seconds = campaign.total, campaign.seconds
    tally = total.tally
    table = {
        kind: {
            boundary: {"injected": tally.injected[kind, boundary], "fired": tally.fired[kind, boundary]}
            for boundary in sorted(tally.touched)
            if tally.injected[kind, boundary] or tally.fired[kind, boundary]
        }
        for kind in KINDS
    }
    return {
        "schedules": total.played,
        "tiers": {
            name: {
                "schedules": result.played,
                "processor_seconds": round(result.seconds, 1),
                "schedules_per_processor_second": round(result.played / result.seconds, 1) if result.seconds else None,
                "effects": result.turns,
                "orders": sum(result.orders.values()),
            }
            for name, result in (("whole", campaign.tiers[False]), ("lean", campaign.tiers[True]))
        },
        "by_flow": dict(sorted(total.schedules.items())),
        "orders_by_status": dict(sorted(total.orders.items())),
        "violations": total.violated,
        "violated": [{"seed": seed, "what": what} for seed, what in total.violations],
        "seconds": round(seconds, 1),
        "workers": workers,
        "processor_seconds": round(total.seconds, 1),
        "schedules_per_second": round(total.played / seconds, 1) if seconds else None,
        "effects": total.turns,
        "faults_injected": sum(tally.injected.values()),
        "faults_fired": sum(tally.fired.values()),
        "kinds_fired": {kind: sum(counts["fired"] for counts in table[kind].values()) for kind in KINDS},
        "boundaries": sorted(tally.touched),
        "faults": table,
        "never_fired": [f"{kind} at {boundary}" for kind, boundary in tally.missing()],
        "invariants_checked": dict(sorted(total.checked.items())),
        "lacking": lacking(total),
        "mutants": planted(),
    }


def lacking(total: Result) -> list[str]:
    """What a campaign of that length should have shown, and did not."""
    if total.played < ENOUGH:
        return []
    fired = {kind for (kind, _), times in total.tally.fired.items() if times}
    return [*(kind for kind in KINDS if kind not in fired), *(one for one in INVARIANTS if not total.checked[one])]


def planted(path: Path = MUTANTS) -> dict[str, Any] | None:
    """The sums of the planted bugs; None where none were planted."""
    if not path.exists():
        return None
    figures = json.loads(path.read_text(encoding="utf-8"))
    return {name: part for name, part in figures.items() if name != "mutants"}


def write(figures: dict[str, Any], path: Path = REPORT) -> None:
    """Whole or not at all."""
    _save((json.dumps(figures, indent=2) + "\n").encode(), path)


def _save(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    os.replace(draft, path)


def replay(name: str, tell: Callable[[str], None]) -> bool:
    """Plays the schedule again, tells its story, and answers whether it violates an invariant."""
    from tools.simulation.boundary import Violation
    from tools.simulation.scheduler import NoRest
    from tools.simulation.schedules import schedule

    violation: BaseException | None = None
    try:
        _stage.play(schedule(name, _stage.flow_names), told=True)
    except (Violation, NoRest) as found:
        violation = found
    for line in _stage.world.story.lines:
        tell(line)
    tell(f"violated: {violation}" if violation else "every invariant holds")
    return violation is not None
