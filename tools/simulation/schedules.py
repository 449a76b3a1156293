"""Which schedules there are, by name: `checkout/single/17=crash_after`, `last_unit/race/23`, `random/8123`, `lean/57`.

The name is the seed: everything about a schedule follows from it. Those of the lean tier begin with `lean`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from tools.simulation.faults import Chance, Chooser, Plan

CROWDS = ("random", "lean")
"""Schedules of many buyers, by number: of the whole shop, and of the lean tier."""
_PROBABILITIES = (0.0, 0.01, 0.03, 0.1)
MOST_FAULTS = 8
"""In one random schedule."""
STORM, MOST_IN_A_STORM = 0.15, 25
"""The chance that a call fails, and how many do at most, where nearly everything goes wrong."""


@dataclass(frozen=True)
class Schedule:
    """What is played: a flow, the seed of its chances, and what goes wrong."""

    name: str
    flow: str
    """By its name; one of `CROWDS` is none of the flows."""
    seed: int
    chooser: Chooser
    how: str = ""
    """How a flow is played: `calm`, with a `single` fault or a `pair`, as a `race`, in a `storm`; empty for a crowd."""

    @property
    def kind(self) -> str:
        """The figures are counted by this: the flow's name and how its faults were chosen."""
        first, *rest = self.name.split("/")
        return f"{first} {rest[0]}" if len(rest) > 1 else first


def is_lean(name: str) -> bool:
    """Whether the schedule of this name belongs to the lean tier."""
    return name.startswith("lean")


def schedule(name: str, flows: Collection[str]) -> Schedule:
    """The schedule of this name. Raises ValueError for a name that is none."""
    flow, _, rest = name.partition("/")
    if flow in CROWDS and rest.isdigit():
        chances = Random(f"faults {rest}")
        return Schedule(name, flow, int(rest), Chance(chances, chances.choice(_PROBABILITIES), MOST_FAULTS))
    how, _, faults = rest.partition("/")
    if flow in flows and how == "race" and faults.isdigit():
        return Schedule(name, flow, int(faults), Chance(Random(), 0.0, most=0), how)
    if flow in flows and how == "storm" and faults.isdigit():
        storm = Chance(Random(f"faults {faults}"), STORM, MOST_IN_A_STORM)
        return Schedule(name, flow, int(faults), storm, how)
    if flow not in flows or how not in ("calm", "single", "pair"):
        raise ValueError(f"{name} is no schedule; names are like random/17 or checkout/single/3=crash_after")
    planned = {}
    for fault in faults.split(",") if faults else ():
        number, _, kind = fault.partition("=")
        planned[int(number)] = kind
    return Schedule(name, flow, 1, Plan(planned), how)
