"""Which schedules there are, by name: `checkout/single/17=crash_after`, `last_unit/race/23`, `random/8123`.

The name is the seed: everything about a schedule follows from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tools.simulation.faults import Chance, Chooser, Plan
from tools.simulation.flows import FLOWS, crowd
from tools.simulation.world import World

_PROBABILITIES = (0.0, 0.01, 0.03, 0.1)
MOST_FAULTS = 8
"""In one random schedule."""
STORM, MOST_IN_A_STORM = 0.15, 25
"""The chance that a call fails, and how many do at most, where nearly everything goes wrong."""


@dataclass(frozen=True)
class Schedule:
    """What is played: a flow, the seed of its chances, and what goes wrong."""

    name: str
    flow: Callable[[World], None]
    seed: int
    chooser: Chooser
    ends: tuple[str, ...] | None = None
    """How the orders must end, sorted, where that is certain."""

    @property
    def kind(self) -> str:
        """The figures are counted by this: the flow's name and how its faults were chosen."""
        first, *rest = self.name.split("/")
        return f"{first} {rest[0]}" if len(rest) > 1 else first


def schedule(name: str) -> Schedule:
    """The schedule of this name. Raises ValueError for a name that is none."""
    flow, _, rest = name.partition("/")
    if flow == "random" and rest.isdigit():
        chances = Random(f"faults {rest}")
        chance = Chance(chances, chances.choice(_PROBABILITIES), MOST_FAULTS)
        return Schedule(name, crowd, int(rest), chance)
    how, _, faults = rest.partition("/")
    if flow in FLOWS and how == "race" and faults.isdigit():
        return Schedule(name, FLOWS[flow].play, int(faults), Plan({}))
    if flow in FLOWS and how == "storm" and faults.isdigit():
        storm = Chance(Random(f"faults {faults}"), STORM, MOST_IN_A_STORM)
        return Schedule(name, FLOWS[flow].play, int(faults), storm)
    if flow not in FLOWS or how not in ("calm", "single", "pair"):
        raise ValueError(f"{name} is no schedule; names are like random/17 or checkout/single/3=crash_after")
    planned = {}
    for fault in faults.split(",") if faults else ():
        number, _, kind = fault.partition("=")
        planned[int(number)] = kind
    scene = FLOWS[flow]
    return Schedule(name, scene.play, 1, Plan(planned), ends=scene.ends if how == "calm" else None)
