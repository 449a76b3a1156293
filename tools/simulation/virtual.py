"""The shop's clock, pauses and identifiers, while a simulation plays: all of them come from its seed.

`install` must run before any module of the shop is imported, because some take `time.sleep` as a default. Outside of a
simulation everything is as ever.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.simulation.scheduler import Scheduler

_scheduler: "Scheduler | None" = None
_time, _monotonic, _sleep = time.time, time.monotonic, time.sleep


def play(scheduler: "Scheduler | None", *, first: int = 1) -> None:
    """Whose time it is from now on (None: the machine's), and the number of its first identifier."""
    global _scheduler
    _scheduler = scheduler
    _names.begin(first)


def now() -> datetime:
    """The moment by the present function's clock, to the millisecond like `commerce.clock.now`."""
    milliseconds = int(seconds() * 1000)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def seconds() -> float:
    """Epoch seconds by the present function's clock, which may be wrong."""
    if _scheduler is None:
        return _time()
    actor = _scheduler.current
    return _scheduler.now + (actor.skew if actor else 0.0)


def monotonic() -> float:
    """Seconds; never wrong."""
    return _monotonic() if _scheduler is None else _scheduler.now


def sleep(pause: float) -> None:
    """Lets the others go on for so long."""
    if _scheduler is None:
        _sleep(pause)
    elif _scheduler.current is not None:
        _scheduler.sleep(pause)


class Names:
    """Identifiers that count up: the same in every schedule, so that what follows from them can be kept.

    It also stands in for the module `secrets` where single characters are drawn.
    """

    def __init__(self) -> None:
        self._count = 0

    def begin(self, first: int) -> None:
        """The next identifier has this number."""
        self._count = first - 1

    def new_id(self, prefix: str) -> str:
        """In the place of `commerce.ids.new_id`."""
        self._count += 1
        return f"{prefix}_{self._count:026d}"

    def token(self, prefix: str, length: int = 24) -> str:
        """In the place of the Stripe double's `token`."""
        self._count += 1
        return prefix + f"{self._count:024d}"[-length:]

    def choice(self, alphabet: Sequence[str]) -> str:
        """Any character will do."""
        return alphabet[0]


_names = Names()


def install() -> None:
    """Puts itself into the place of the clock and of chance."""
    if "commerce.adapters.idempotency" in sys.modules:
        raise RuntimeError("the simulation needs a process of its own, in which nothing of the shop was loaded before")
    clock: Any = time
    clock.time, clock.monotonic, clock.sleep = seconds, monotonic, sleep
    import commerce.clock
    import commerce.ids
    import tools.doubles.stripe.objects

    clocks: Any = commerce.clock
    clocks.now = now
    ids: Any = commerce.ids
    ids.new_id = _names.new_id
    objects: Any = tools.doubles.stripe.objects
    objects.token, objects.secrets = _names.token, _names
