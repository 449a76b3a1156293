"""The id that ties together all that one cause has: its log lines, events and execution, and what those cause in turn.

It is made where something begins (a request, a run of the reconciler), travels in events and in the input of an
order's execution, and is taken up again by whoever works on those.
"""

import re
from contextvars import ContextVar

_ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,36}")
"""What a client may choose: nothing that could look like more than one word in a log, and no more than a UUID, since
every event of the request is stored with it.
"""

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def current() -> str | None:
    """What happens at this moment belongs to it; None where nobody said to what."""
    return _current.get()


def take_up(correlation_id: str | None) -> None:
    """From here on everything belongs to it, until something else is taken up."""
    _current.set(correlation_id)


def accepted(sent: str | None) -> str | None:
    """What a client sent as its own correlation id, if it is one."""
    return sent if sent and _ACCEPTED.fullmatch(sent) else None
