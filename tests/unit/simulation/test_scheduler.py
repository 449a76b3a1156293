"""Virtual time and turns: what the seed decides, and what it does not."""

from random import Random

import pytest

from tools.simulation.scheduler import START, NoRest, Scheduler, Waiting


def interleaving(seed: int) -> list[str]:
    """In which order three actors take their turns."""
    scheduler, turns = Scheduler(Random(seed)), []

    def work(name: str) -> None:
        for _ in range(4):
            scheduler.turn(0.1)
            turns.append(name)

    for name in "abc":
        scheduler.start(name, lambda name=name: work(name))
    scheduler.run()
    return turns


def test_the_same_seed_gives_the_same_turns_and_others_give_others() -> None:
    assert interleaving(1) == interleaving(1)
    assert len({tuple(interleaving(seed)) for seed in range(20)}) > 15


def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    scheduler, woken = Scheduler(Random(1)), []

    def sleep(seconds: float) -> None:
        scheduler.sleep(seconds)
        woken.append(scheduler.now - START)

    for seconds in (30.0, 10.0, 20.0):
        scheduler.start("sleeper", lambda seconds=seconds: sleep(seconds))
    scheduler.run()

    assert woken == [10.0, 20.0, 30.0]


def test_a_wait_ends_with_its_signal_or_its_time() -> None:
    scheduler, told = Scheduler(Random(1)), []
    answered, forgotten = Waiting(), Waiting()

    def wait(waiting: Waiting) -> None:
        told.append((scheduler.wait(waiting, 60.0), scheduler.now - START))

    def signal() -> None:
        scheduler.sleep(5.0)
        scheduler.signal(answered, "go on")

    for work in (lambda: wait(answered), lambda: wait(forgotten), signal):
        scheduler.start("actor", work)
    scheduler.run()

    assert told == [(True, 5.0), (False, 60.0)]


def test_a_signal_after_the_time_wakes_nobody() -> None:
    scheduler, woken, waiting = Scheduler(Random(1)), [], Waiting()

    def wait() -> None:
        woken.append(scheduler.wait(waiting, 1.0))
        scheduler.sleep(100.0)
        woken.append(scheduler.now - START)

    def signal_late() -> None:
        scheduler.sleep(2.0)
        scheduler.signal(waiting, "too late")

    scheduler.start("waiter", wait)
    scheduler.start("late", signal_late)
    scheduler.run()

    assert woken == [False, 101.0]


def test_actors_that_never_rest_are_stopped() -> None:
    scheduler = Scheduler(Random(1), most_turns=100)

    def spin() -> None:
        while True:
            scheduler.turn(0.1)

    scheduler.start("spinner", spin)

    with pytest.raises(NoRest):
        scheduler.run()
