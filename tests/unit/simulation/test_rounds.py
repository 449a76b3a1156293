"""When the reconciler of the simulation comes by for a pool: it must not be left alone while there is work in it."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tools.simulation.boundary import Boundaries
from tools.simulation.faults import Plan
from tools.simulation.functions import FunctionFailed
from tools.simulation.rounds import EVERY, Rounds
from tools.simulation.scheduler import START, Scheduler
from tools.simulation.story import Story


class Pool:
    """A world with one pool, which is there for ten minutes. `invoked` tells when the reconciler came."""

    def __init__(self, **planned: str) -> None:
        self.scheduler = Scheduler(Random(1))
        self.story = Story(self.scheduler, told=False)
        plan = {int(number.removeprefix("call")): kind for number, kind in planned.items()}
        self.boundaries = Boundaries(self.scheduler, Plan(plan), self.story)
        self.payments = SimpleNamespace(untold=lambda since: [])
        self.depot = SimpleNamespace(shipments={})
        self.checks = SimpleNamespace(orders=lambda: [])
        self.tables = SimpleNamespace(partition=lambda table, pk: [1] if self.minute < 10 else [])
        self.unpublished = lambda since: []
        self.invoked: list[int] = []
        self.troubles: list[Any] = []
        """What becomes of each run, in turn: an exception, or a boundary where something goes wrong and is got over."""
        world: Any = self
        self.rounds = Rounds(world)

    @property
    def minute(self) -> int:
        """Of the play, rounded: runs themselves take a moment."""
        return round((self.scheduler.now - START) / EVERY)

    def invoke(self, function: str, event: dict[str, Any], *, skew: float) -> dict[str, int]:
        self.invoked.append(self.minute)
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, Exception):
            raise trouble
        if trouble:
            self.boundaries.fired("throttled", trouble)
        return {"mended": 0, "left": 0}

    def play(self) -> list[int]:
        """To the end of the pool; answers the minutes in which the reconciler came."""
        self.scheduler.run()
        return self.invoked


@pytest.fixture
def pool() -> Pool:
    pool = Pool()
    pool.rounds.stir()
    return pool


def test_a_pool_that_nobody_touched_since_the_last_run_needs_none(pool: Pool) -> None:
    assert pool.play() == [1]


def test_a_pool_is_tended_after_each_change_of_its_stock(pool: Pool) -> None:
    pool.scheduler.at(pool.scheduler.now + 4.5 * EVERY, pool.rounds.stir)

    assert pool.play() == [1, 5]


@pytest.mark.parametrize("trouble", [FunctionFailed("Lambda.Timeout", "too slow"), "store.query orders"])
def test_a_run_that_was_kept_from_its_work_comes_again(pool: Pool, trouble: Any) -> None:
    pool.troubles = [trouble, trouble]

    assert pool.play() == [1, 2, 3]


def test_a_run_that_never_began_comes_a_minute_later() -> None:
    pool = Pool(call0="crash_before")
    pool.rounds.stir()

    assert pool.play() == [2]
