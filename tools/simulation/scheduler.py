"""Virtual time, and actors that take turns: which one goes on is drawn by the seed, at every effect of every actor.

An actor is a greenlet that runs ordinary, blocking code. It gives way where it calls a double, sleeps or waits. Nothing
here looks at the machine's clock, so the same seed gives the same run.
"""

import heapq
import itertools
from collections.abc import Callable
from random import Random
from typing import Any

from greenlet import greenlet

START = 1_795_651_200.0
"""2026-11-26T00:00:00Z, when every simulation begins (epoch seconds)."""
_LONGEST = 400 * 86_400.0
"""Seconds after which everything in a shop has come to rest, or will never."""


class NoRest(BaseException):
    """The actors keep each other busy for ever. No code of the shop may catch it."""


class Actor:
    """One line of work: a request, an invocation of a function, an execution, a person."""

    __slots__ = ("deadline", "function", "greenlet", "name", "skew")

    def __init__(self, name: str, work: Callable[[], object], hub: greenlet) -> None:
        self.name = name
        self.greenlet = greenlet(work, hub)
        self.function: str | None = None
        """Which function runs at this moment, until when it may (`deadline`), and how wrong its clock is (`skew`)."""
        self.deadline = float("inf")
        self.skew = 0.0


class Waiting:
    """A place where one actor waits for a signal that comes once."""

    __slots__ = ("actor", "done", "signal")

    def __init__(self) -> None:
        self.actor: Actor | None = None
        self.done = False
        self.signal: Any = None


class Scheduler:
    """Runs actors until nobody has anything to do any more."""

    def __init__(self, random: Random, *, most_turns: int = 60_000) -> None:
        self.random = random
        self.now = START
        self.turns = 0
        self._most_turns = most_turns
        self._hub: greenlet = greenlet.getcurrent()
        self._ready: list[Actor] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.current: Actor | None = None

    def start(self, name: str, work: Callable[[], object], *, after: float = 0.0) -> Actor:
        """Lets a new actor do `work`, `after` so many seconds."""
        actor = Actor(name, work, self._hub)
        if after > 0:
            self.at(self.now + after, lambda: self._ready.append(actor))
        else:
            self._ready.append(actor)
        return actor

    def at(self, moment: float, do: Callable[[], None]) -> None:
        """Does something at a moment. `do` is short and calls no double."""
        heapq.heappush(self._timers, (moment, next(self._numbers), do))

    def run(self) -> None:
        """Until everybody is done or waits for a signal that nobody will send."""
        while (actor := self._next()) is not None:
            self.current = actor
            actor.greenlet.switch()
        self.current = None

    def turn(self, seconds: float) -> None:
        """An effect of the current actor that takes `seconds`: others may come first."""
        self.turns += 1
        if self.turns > self._most_turns:
            raise NoRest(f"no rest after {self._most_turns} turns")
        self.now += seconds
        if self._timers and self._timers[0][0] <= self.now:
            self._fire()
        if self._ready:
            self._ready.append(self._present)
            self._give_way()

    def sleep(self, seconds: float) -> None:
        """The current actor sleeps."""
        actor = self._present
        self.at(self.now + max(seconds, 0.0), lambda: self._ready.append(actor))
        self._give_way()

    def wait(self, waiting: Waiting, seconds: float) -> bool:
        """Until the signal comes; False where it has not after `seconds`."""
        if waiting.done:
            return True
        actor = self._present
        waiting.actor = actor

        def give_up() -> None:
            if waiting.actor is actor:
                waiting.actor = None
                self._ready.append(actor)

        self.at(self.now + seconds, give_up)
        self._give_way()
        return waiting.done

    def signal(self, waiting: Waiting, signal: Any) -> None:
        """Ends the wait."""
        waiting.done, waiting.signal = True, signal
        if waiting.actor is not None:
            self._ready.append(waiting.actor)
            waiting.actor = None

    @property
    def _present(self) -> Actor:
        assert self.current is not None, "only an actor gives way"
        return self.current

    def _give_way(self) -> None:
        """To another actor directly, without a stop at the hub: it costs half as much."""
        me = self._present
        actor = self._next()
        if actor is None:
            self._hub.switch()
        elif actor is not me:
            self.current = actor
            actor.greenlet.switch()

    def _next(self) -> Actor | None:
        while not self._ready:
            if not self._timers:
                return None
            self.now = max(self.now, self._timers[0][0])
            if self.now > START + _LONGEST:
                raise NoRest(f"no rest after {_LONGEST / 86_400:.0f} days")
            self._fire()
        ready = self._ready
        position = int(self.random.random() * len(ready)) if len(ready) > 1 else 0
        return ready.pop(position)

    def _fire(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            heapq.heappop(self._timers)[2]()
