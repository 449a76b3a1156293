"""Plays the campaign's schedules in this process until one is violated: `python -m tools.mutants.play --most 2000`.

Prints one line of JSON: the schedule that was violated, if any, what was violated, and how many were played.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import count, islice
from random import Random

from tools.simulation import campaign
from tools.simulation.plans import Trace, singles

CROWDED = 8
"""After so many single faults comes a random schedule, which takes four times as long."""


def names(seed: int) -> Iterator[str]:
    """Every flow without faults; then single faults, and random schedules between them, for ever."""
    flows = campaign.flow_names()
    yield from (f"{flow}/calm" for flow in flows)
    crowds = (f"random/{number}" for number in count(seed))
    for number, single in enumerate(_spread({flow: campaign.trace(flow) for flow in flows}, seed), 1):
        yield single
        if number % CROWDED == 0:
            yield next(crowds)
    yield from crowds


def _spread(traces: dict[str, Trace], seed: int) -> Iterator[str]:
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
        yield from [same.pop() for same in waiting]
        waiting = [same for same in waiting if same]


def main() -> None:
    """Plays and prints."""
    parser = argparse.ArgumentParser(description="Plays schedules until one is violated.")
    parser.add_argument("--most", type=int, default=2000, help="schedules")
    parser.add_argument("--seconds", type=float, default=120, help="of processor time")
    parser.add_argument("--schedule", help="play this one alone")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    campaign.prepare()
    played = 0
    for name in [options.schedule] if options.schedule else islice(names(options.seed), options.most):
        result = campaign.play([name])
        played += 1
        if result.violated:
            [(schedule, what)] = result.violations
            print(json.dumps({"schedule": schedule, "what": what, "played": played}))
            return
        if time.process_time() > options.seconds:
            break
    print(json.dumps({"schedule": None, "what": None, "played": played}))


if __name__ == "__main__":
    main()
