"""What tests and the demo ask of a double beyond its service: counted requests, faults, and a place to hold callers."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Fault = Literal["error_before", "error_after", "drop_before", "drop_after", "slow", "rate_limit"]
"""`_before`: the work is not done. `_after`: it is done, and the caller is not told. `slow`: done, and answered after
`seconds`. `error` answers 500, `drop` closes the connection, `rate_limit` answers 429 and does nothing."""
FAULTS = get_args(Fault)

KEPT_REQUESTS = 50_000


@dataclass
class Record:
    """The requests that came, the newest last."""

    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, operation: str, **what: Any) -> None:
        """Counts one more."""
        with self._lock:
            self.counts[operation] += 1
            self.requests.append({"operation": operation, **what})

    def clear(self) -> None:
        """Begins to count anew."""
        with self._lock:
            self.counts.clear()
            self.requests.clear()


@dataclass
class PlannedFault:
    """What is to go wrong with the next `times` requests of an operation."""

    operation: str
    fault: Fault
    times: int = 1
    seconds: float = 0.0


@dataclass
class Faults:
    """The faults that are still to come."""

    planned: list[PlannedFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, fault: PlannedFault) -> None:
        """Adds one, behind those of the same operation."""
        with self._lock:
            self.planned.append(fault)

    def take(self, operation: str) -> PlannedFault | None:
        """The fault that this request of the operation meets."""
        with self._lock:
            for fault in self.planned:
                if fault.operation == operation:
                    fault.times -= 1
                    if fault.times == 0:
                        self.planned.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self.planned.clear()


class Turnstile:
    """Holds the callers of chosen operations until all are let go at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed: set[str] = set()
        self._waiting = 0

    def close(self, operation: str) -> None:
        """Whoever comes for this operation waits."""
        with self._changed:
            self._closed.add(operation)

    def open(self) -> int:
        """Lets everyone go on; answers how many had waited."""
        with self._changed:
            self._closed.clear()
            self._changed.notify_all()
            return self._waiting

    def enter(self, operation: str) -> None:
        """Waits while the operation is held."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: operation not in self._closed)
            self._waiting -= 1

    def held(self, at_least: int = 0, timeout: float = 0.0) -> int:
        """How many wait now; waits itself until there are `at_least` so many, but no longer than `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting >= at_least, timeout)
            return self._waiting


def pause(seconds: float) -> None:
    """A slow network."""
    if seconds > 0:
        time.sleep(seconds)
