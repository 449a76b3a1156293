"""What tests and the demo ask of a double beyond its service: counted requests, faults, and a place to hold callers."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from tools.doubles.deliveries import Deliveries
from tools.doubles.http import Answer, Request
from tools.doubles.store import Json

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
    met: Counter[str] = field(default_factory=Counter)
    """How often which fault met a request, by `operation fault`."""
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
                    self.met[f"{operation} {fault.fault}"] += 1
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


@dataclass
class Control:
    """What both doubles answer under `/_double/`; see docs/payments.md for all of it."""

    operations: tuple[str, ...]
    deliveries: Deliveries
    record: Record
    faults: Faults
    turnstile: Turnstile
    figures: Callable[[], Json]
    """What the double counts of its own."""

    def answer(self, request: Request) -> Answer | None:
        """The answer, or None where the double itself must know. Raises KeyError or ValueError for nonsense."""
        arguments = request.arguments
        body = request.json() if request.method == "POST" else {}
        match (request.method, request.path.removeprefix("/_double").strip("/")):
            case ("GET", "" | "summary"):
                return Answer.json(self._summary())
            case ("GET", "requests"):
                return Answer.json(list(self.record.requests))
            case ("POST", "reset"):
                self.record.clear()
                self.faults.clear()
                self.turnstile.open()
            case ("POST", "faults"):
                self._plan(body)
            case ("POST", "hold"):
                self.turnstile.close(self._operation(body))
            case ("GET", "held"):
                held = self.turnstile.held(int(arguments.get("at_least", 0)), float(arguments.get("timeout", 30)))
                return Answer.json({"held": held})
            case ("POST", "release"):
                return Answer.json({"released": self.turnstile.open()})
            case ("GET", "idle"):
                idle = self.deliveries.idle(float(arguments.get("timeout", 30)))
                return Answer.json({"idle": idle}, 200 if idle else 504)
            case ("POST", "webhooks/hold"):
                self.deliveries.hold()
            case ("POST", "webhooks/release"):
                self.deliveries.release(backwards=body.get("order") == "reversed", copies=int(body.get("copies", 1)))
            case _:
                return None
        return Answer.json({"done": True})

    def _summary(self) -> Json:
        return {
            **self.figures(),
            "requests": dict(self.record.counts),
            "faults_met": dict(self.faults.met),
            "held": self.turnstile.held(),
            "webhooks_on_their_way": self.deliveries.waiting,
        }

    def _operation(self, body: Json) -> str:
        if body.get("operation") not in self.operations:
            raise ValueError(f"operation is one of {', '.join(self.operations)}")
        return str(body["operation"])

    def _plan(self, body: Json) -> None:
        if body.get("fault") not in FAULTS:
            raise ValueError(f"fault is one of {', '.join(FAULTS)}")
        times, seconds = int(body.get("times", 1)), float(body.get("seconds", 0))
        self.faults.plan(PlannedFault(self._operation(body), body["fault"], times, seconds))


def controlled(control: Control, own: Callable[[Request], Answer | None], request: Request) -> Answer:
    """The answer of either, or what is wrong with the request."""
    try:
        answer = control.answer(request) or own(request)
    except (KeyError, ValueError, TypeError) as error:
        return Answer.json({"error": {"message": f"{type(error).__name__}: {error}"}}, 400)
    return answer or Answer.json({"error": {"message": "no such control; see docs/payments.md"}}, 404)
