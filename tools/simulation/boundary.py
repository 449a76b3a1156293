"""The one way from the shop's code to a double: every call may be interrupted, lost, repeated or refused here."""

import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from tools.simulation.faults import Chooser, Tally
from tools.simulation.scheduler import Scheduler
from tools.simulation.story import Story

T = TypeVar("T")


LETTER_LOST = frozenset(("crash_before", "crash_after", "function_timeout", "answer_lost", "late_effect"))


class Died(BaseException):
    """The process of a function is gone. No code of the shop may catch it."""


class Violation(BaseException):
    """An invariant does not hold. No code of the shop may catch it."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant, self.what = invariant, what


class Line(Protocol):
    """How a client of a service tells that something went wrong on the way."""

    def throttled(self) -> Exception:
        """Refused for its rate; the SDK has given up."""

    def conflict(self) -> Exception:
        """Another transaction held the item."""

    def unanswered(self) -> Exception:
        """No answer came; the SDK has given up."""


class Boundaries:
    """Counts calls, asks which of them fail, and fails them."""

    def __init__(self, scheduler: Scheduler, chooser: Chooser, story: Story) -> None:
        self.scheduler = scheduler
        self.chooser: Chooser | None = chooser
        """None once the schedule is over and people tidy up: nothing goes wrong any more."""
        self.story = story
        self.tally = Tally()
        self.calls = 0
        self.letter_may_be_lost = False
        """Whether the sending function died between its claim and its sending: such an e-mail is not repeated."""
        self.trace: list[tuple[str, str]] | None = None
        """Where wanted: (boundary, category) of every call, in order."""

    def strike(self, boundary: str, category: str, seconds: float = 0.004) -> str | None:
        """The fault that this call of the boundary meets; others may come first. Whoever asks also makes it happen."""
        scheduler = self.scheduler
        scheduler.turn(seconds)
        actor = scheduler.current
        if actor is not None and scheduler.now > actor.deadline:
            self.story.tell("ran out of time", boundary)
            raise Died("ran out of time")
        return self.chance(boundary, category)

    def chance(self, boundary: str, category: str) -> str | None:
        """As `strike`, for what belongs to nobody's line of work: nobody gives way."""
        number = self.calls
        self.calls += 1
        if self.trace is not None:
            self.trace.append((boundary, category))
        self.tally.touched[boundary] = category
        if self.chooser is None:
            return None
        kind = self.chooser.choose(number, category)
        if kind is not None:
            self.tally.injected[kind, boundary] += 1
            self.story.fault(kind, boundary, number)
        return kind

    def fired(self, kind: str, boundary: str) -> None:
        """What the fault stands for took place."""
        self.tally.fired[kind, boundary] += 1
        actor = self.scheduler.current
        if actor is not None and actor.function == "send_email" and kind in LETTER_LOST:
            self.letter_may_be_lost = True

    def call(
        self, boundary: str, category: str, do: Callable[[], T], line: Line, *, attempts: int = 2
    ) -> T:
        """Does it, unless something goes wrong. `attempts` is how often the SDK asks before it gives up."""
        kind = self.strike(boundary, category)
        if kind is None:
            return do()
        return self.fail(kind, boundary, do, line, attempts)

    def fail(self, kind: str, boundary: str, do: Callable[[], T], line: Line, attempts: int = 2) -> T:
        """What `kind` means for a call that has an effect."""
        self.fired(kind, boundary)
        match kind:
            case "crash_before":
                raise Died(kind)
            case "crash_after":
                _whatever(do)
                raise Died(kind)
            case "function_timeout":
                actor = self.scheduler.current
                assert actor is not None
                self._later(do, boundary)
                if actor.deadline < float("inf"):
                    self.scheduler.sleep(max(0.0, actor.deadline - self.scheduler.now))
                raise Died(kind)
            case "throttled":
                self.scheduler.sleep(self._between(0.5, 3))
                raise line.throttled()
            case "conflict":
                raise line.conflict()
            case "retried":
                _whatever(do)
                self.scheduler.turn(self._between(0.1, 2))
                return do()
            case "answer_lost":
                for _ in range(attempts):
                    _whatever(do)
                    self.scheduler.sleep(self._between(1, 3))
                raise line.unanswered()
            case "late_effect":
                self._later(do, boundary)
                self.scheduler.sleep(self._between(1, 3))
                raise line.unanswered()
        raise ValueError(f"{kind} means nothing to {boundary}")

    def _later(self, do: Callable[[], object], boundary: str) -> None:
        def arrive() -> None:
            self.story.tell("arrives late", boundary)
            _whatever(do)

        self.scheduler.at(self.scheduler.now + self._between(1, 30), arrive)

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * random.random()


def _whatever(do: Callable[[], object]) -> None:
    """Does it; whether it was refused, nobody hears."""
    try:
        do()
    except Exception:
        return
