"""Plays the campaign's schedules in this process until one is violated: `python -m tools.mutants.play --most 2000`.

Prints one line of JSON: the schedule that was violated, if any, what was violated, and how many were played. With
`--listen` it plays the schedules that are named on standard input, and prints such a line for each.
"""

import argparse
import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from itertools import chain, count, islice
from random import Random
from types import FrameType
from typing import Any

from tools.simulation import campaign
from tools.simulation.plans import Trace, pairs, singles
from tools.simulation.schedules import CROWDS

VARIED = 4
"""After so many single faults comes a schedule of another sort: an interleaving, a storm, a crowd."""
LONGEST = 30.0
"""Seconds of processor time after which a schedule has no rest. Without the bug one takes less than one."""


def names(aims: Iterable[str], meets: Iterable[str], seed: int, *, lean: bool) -> Iterator[str]:
    """Where the bug should show: those flows without faults, with the faults that it should meet there, and with every
    kind of fault at every boundary of theirs. Then the same everywhere, for ever.
    """
    flows = tuple(campaign.flow_names())
    aimed = tuple(f"lean-{aim}" if lean else aim for aim in aims) or flows
    traces: dict[str, Trace] = {}

    def spread(wanted: Iterable[str]) -> Iterator[list[str]]:
        traces.update({flow: campaign.trace(flow) for flow in wanted if flow not in traces})
        return _spread({flow: traces[flow] for flow in wanted}, seed)

    varied = _varied(aimed, seed, CROWDS[lean])
    yield from (f"{flow}/calm" for flow in aimed)
    for pattern in meets:
        for flow in aimed:
            yield from _met(flow, pattern)
    yield from _mixed(next(spread(aimed)), varied)
    if aimed != flows:
        yield from (f"{flow}/calm" for flow in flows if flow not in aimed)
    yield from _mixed(chain.from_iterable(spread(flows)), varied)
    yield from varied


def _mixed(single: Iterable[str], varied: Iterator[str]) -> Iterator[str]:
    for number, name in enumerate(single, 1):
        yield name
        if number % VARIED == 0:
            yield next(varied)


def _met(flow: str, pattern: str) -> Iterator[str]:
    """The flow with each fault of which `boundary=kind` fits the pattern; with each pair, if that is `… then …`."""
    first, _, second = pattern.partition(" then ")
    trace = campaign.trace(flow)
    for single in _fitting(singles(flow, trace), trace, first):
        if second:
            longer = campaign.trace(flow, single.removeprefix(f"{flow}/"))
            yield from _fitting(pairs(single, longer), longer, second)
        else:
            yield single


def _fitting(schedules: Iterable[str], trace: Trace, pattern: str) -> Iterator[str]:
    """Those whose last fault fits."""
    for name in schedules:
        number, _, kind = name.replace(",", "/").rpartition("/")[2].partition("=")
        if fnmatch(f"{trace[int(number)][0]}={kind}", pattern):
            yield name


def _varied(flows: Iterable[str], seed: int, crowd: str) -> Iterator[str]:
    """Interleavings and storms of these flows, and crowds."""
    for number in count(seed):
        yield from (f"{flow}/{how}/{number}" for flow in flows for how in ("race", "storm"))
        yield f"{crowd}/{number}"


def _spread(traces: dict[str, Trace], seed: int) -> Iterator[list[str]]:
    """All single faults: every kind at every boundary once, then every one a second time, wherever there is one."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for flow, trace in traces.items():
        for name in singles(flow, trace):
            number, _, kind = name.rpartition("/")[2].partition("=")
            places[trace[int(number)][0], kind].append(name)
    chance = Random(seed)
    for same in places.values():
        chance.shuffle(same)
    waiting = list(places.values())
    while waiting:
        chance.shuffle(waiting)
        yield [same.pop() for same in waiting]
        waiting = [same for same in waiting if same]


def _restless(_signal: int, _frame: FrameType | None) -> None:
    from tools.simulation.scheduler import NoRest

    raise NoRest(f"no rest within {LONGEST:.0f} s of a processor")


def main() -> None:
    """Plays and prints."""
    parser = argparse.ArgumentParser(description="Plays schedules until one is violated.")
    parser.add_argument("--most", type=int, default=2000, help="schedules")
    parser.add_argument("--seconds", type=float, default=120, help="of processor time")
    parser.add_argument("--aims", nargs="*", default=(), metavar="FLOW", help="flows that are played first")
    parser.add_argument("--meets", nargs="*", default=(), metavar="BOUNDARY=KIND", help="faults that these flows meet")
    parser.add_argument("--first", nargs="*", default=(), metavar="SCHEDULE", help="schedules before all others")
    parser.add_argument("--listen", action="store_true", help="play what is named on standard input")
    parser.add_argument("--lean", action="store_true", help="in the lean tier")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    campaign.prepare(options.lean)
    signal.signal(signal.SIGPROF, _restless)
    if options.listen:
        for line in sys.stdin:
            print(json.dumps(first_violated([line.strip()], options.seconds)), flush=True)
        return
    wanted = chain(options.first, names(options.aims, options.meets, options.seed, lean=options.lean))
    print(json.dumps(first_violated(islice(wanted, options.most), options.seconds)))


def first_violated(schedules: Iterable[str], seconds: float) -> dict[str, Any]:
    """The first schedule that is violated, within so many seconds of processor time."""
    played, began = 0, time.process_time()
    for name in schedules:
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        result = campaign.play([name])
        signal.setitimer(signal.ITIMER_PROF, 0)
        played += 1
        if result.violated:
            [(schedule, what)] = result.violations
            return {"schedule": schedule, "what": what, "played": played}
        if time.process_time() - began > seconds:
            break
    return {"schedule": None, "what": None, "played": played}


if __name__ == "__main__":
    main()
