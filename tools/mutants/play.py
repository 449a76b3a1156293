"""Plays the campaign's schedules in this process until one is violated: `python -m tools.mutants.play --most 2000`.

Prints one line of JSON: the schedule that was violated, if any, what was violated, and how many were played.
"""

import argparse
import json
import time
from collections.abc import Iterator
from itertools import islice, zip_longest
from random import Random

from tools.simulation import campaign
from tools.simulation.plans import singles


def names(seed: int) -> Iterator[str]:
    """Every flow without faults; then single faults and random schedules by turns, for ever."""
    flows = campaign.flow_names()
    yield from (f"{flow}/calm" for flow in flows)
    single = [name for flow in flows for name in singles(flow, campaign.trace(flow))]
    Random(seed).shuffle(single)
    crowds = (f"random/{number}" for number in _count(seed))
    yield from (name for pair in zip_longest(single, islice(crowds, len(single))) for name in pair if name)
    yield from crowds


def _count(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1


def main() -> None:
    """Plays and prints."""
    parser = argparse.ArgumentParser(description="Plays schedules until one is violated.")
    parser.add_argument("--most", type=int, required=True, help="schedules")
    parser.add_argument("--seconds", type=float, required=True, help="of processor time")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    campaign.prepare()
    played = 0
    for name in islice(names(options.seed), options.most):
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
