"""What each kind of fault does to a call that crosses a boundary."""

from random import Random
from typing import Any

import pytest

from tools.simulation import boundary
from tools.simulation.boundary import Boundaries, Died
from tools.simulation.faults import FITTING, KINDS, Chance, Plan, Tally
from tools.simulation.scheduler import Scheduler
from tools.simulation.story import Story

BOUNDARY = "dynamodb.PutItem orders"


class Line:
    """A client that tells of trouble by name."""

    def throttled(self) -> Exception:
        return RuntimeError("throttled")

    def conflict(self) -> Exception:
        return RuntimeError("conflict")

    def unanswered(self) -> Exception:
        return RuntimeError("unanswered")


class Shelf:
    """Something that a call changes."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> int:
        self.taken += 1
        return self.taken


def met(kind: str | None, *, deadline: float | None = None) -> tuple[Any, int, int, Boundaries]:
    """What a call that meets the fault answers, how often it had taken effect by then, and in the end."""
    scheduler, shelf = Scheduler(Random(1)), Shelf()
    boundaries = Boundaries(scheduler, Plan({0: kind} if kind else {}), Story(scheduler, told=False))
    seen: list[Any] = []

    def work() -> None:
        if deadline is not None and scheduler.current is not None:
            scheduler.current.deadline = scheduler.now + deadline
        try:
            seen.append(boundaries.call(BOUNDARY, "dynamodb.write", shelf.take, Line()))
        except (Died, RuntimeError) as error:
            seen.append(str(error))
        seen.append(shelf.taken)

    scheduler.start("function", work)
    scheduler.run()
    return seen[0], seen[1], shelf.taken, boundaries


@pytest.mark.parametrize(
    ("kind", "answer", "at_once", "in_the_end"),
    [
        (None, 1, 1, 1),
        ("crash_before", "crash_before", 0, 0),
        ("crash_after", "crash_after", 1, 1),
        ("throttled", "throttled", 0, 0),
        ("conflict", "conflict", 0, 0),
        ("retried", 2, 2, 2),
        ("answer_lost", "unanswered", 2, 2),
        ("late_effect", "unanswered", 0, 1),
    ],
)
def test_a_fault_does_what_its_name_says(
    kind: str | None, answer: Any, at_once: int, in_the_end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary, "random", Random(1))  # the effect comes after its caller has given up
    got, before, after, _ = met(kind)

    assert (got, before, after) == (answer, at_once, in_the_end)


def test_a_function_that_runs_out_of_time_is_gone_while_its_call_takes_effect() -> None:
    answer, _, in_the_end, _ = met("function_timeout", deadline=29.0)

    assert (answer, in_the_end) == ("function_timeout", 1)


def test_a_call_after_the_deadline_is_never_made() -> None:
    answer, at_once, in_the_end, _ = met(None, deadline=0.001)

    assert (answer, at_once, in_the_end) == ("ran out of time", 0, 0)


def test_a_fault_that_fires_is_counted_as_injected_and_as_fired() -> None:
    tally = met("retried")[3].tally

    assert tally.injected["retried", BOUNDARY] == tally.fired["retried", BOUNDARY] == 1
    assert ("retried", BOUNDARY) not in tally.missing()
    assert ("crash_after", BOUNDARY) in tally.missing()


def test_a_planned_fault_that_does_not_fit_is_not_injected() -> None:
    boundaries = met("poison")[3]

    assert not boundaries.tally.injected


def test_every_kind_fits_somewhere_and_every_fitting_kind_is_described() -> None:
    assert {kind for kinds in FITTING.values() for kind in kinds} == set(KINDS)


def test_chance_stops_after_the_most_faults() -> None:
    chance = Chance(Random(1), probability=1.0, most=3)

    assert [chance.choose(number, "dynamodb.read") is None for number in range(5)] == [False] * 3 + [True] * 2


def test_tallies_are_summed() -> None:
    total = Tally()
    for _ in range(2):
        total.add(met("conflict")[3].tally)

    assert total.fired["conflict", BOUNDARY] == 2
