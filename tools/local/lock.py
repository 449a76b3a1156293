"""Two commands at once must not make the same thing. Standard library only."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.local.steps import Stop, say


@contextmanager
def alone(file: Path, what: str, *, patient: bool = True) -> Iterator[None]:
    """Holds the lock `file` while the block runs. Whoever comes second waits (`patient`), or gets Stop.

    The system gives the lock back when its holder ends, however it ends.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not patient:
                raise Stop(f"Another command is {what}; wait for it, or end it") from None
            say(f"  Another command is {what}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
