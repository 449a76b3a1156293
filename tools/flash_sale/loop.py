"""Virtual time: thousands of buyers take turns in one thread, and a second costs what happens in it."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from greenlet import getcurrent, greenlet

EPOCH = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


class Loop:
    """A discrete-event loop. `now` is in seconds; it jumps to whoever wakes next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._hub = getcurrent()
        self._waking: list[tuple[float, int, greenlet]] = []
        self._turns = count()

    def clock(self) -> float:
        """Seconds since the sale began."""
        return self.now

    def moment(self) -> datetime:
        """What the buyers' clocks show."""
        return EPOCH + timedelta(seconds=self.now)

    def spawn(self, at: float, act: Callable[[], None]) -> None:
        """`act` begins at that second."""
        heapq.heappush(self._waking, (at, next(self._turns), greenlet(act, parent=self._hub)))

    def sleep(self, seconds: float) -> None:
        """Lets the others go on meanwhile. Outside of `run` there are none: time passes."""
        if getcurrent() is self._hub:
            self.now += seconds
            return
        heapq.heappush(self._waking, (self.now + seconds, next(self._turns), getcurrent()))
        self._hub.switch()

    def run(self, until: float = float("inf")) -> None:
        """Until all are done, or that second has come: who is not done then is left where they are."""
        while self._waking and self._waking[0][0] <= until:
            at, _, waking = heapq.heappop(self._waking)
            self.now = max(self.now, at)
            waking.switch()
