"""What a developer sees: one line per step with its seconds, live on a terminal. Standard library only."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Stop(Exception):
    """A failure that the developer can mend. The text is one clear line that says what to do."""


class Step:
    """A step under way. `note` appears behind its title while it runs and when it is done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""

    @property
    def text(self) -> str:
        """Title and note."""
        return f"{self.title}: {self.note}" if self.note else self.title


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Shows the step while the block runs, and its seconds afterwards."""
    begun = time.monotonic()
    current = Step(title)
    over = threading.Event()
    live = sys.stdout.isatty()
    painter = threading.Thread(target=_paint, args=(current, begun, over), daemon=True)
    if live:
        painter.start()
    mark = "failed "
    try:
        yield current
        mark = _mark()
    except KeyboardInterrupt:
        mark = "stopped"
        raise
    finally:
        over.set()
        if live:
            painter.join()
            sys.stdout.write("\r\x1b[K")
        say(f"  {mark} {time.monotonic() - begun:6.1f} s  {current.text}")


def say(text: str) -> None:
    """A line for the developer, at once."""
    print(text, flush=True)


def agreed() -> bool:
    """Whether the developer goes on when asked. Raises Stop where nobody is there."""
    if not sys.stdin.isatty():
        raise Stop("Nobody is there to agree; say YES=1 (--yes) to do it without being asked")
    return input("  Go on? [y/N] ").strip().lower() in ("y", "yes")


def complain(text: str) -> None:
    """The one clear line of a failure."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def leave(main: Callable[[], int | None], interrupted: str = "Interrupted.") -> NoReturn:
    """Runs a command and ends the process with its exit code: 1 after a Stop, 130 after Ctrl-C."""
    try:
        sys.exit(main())
    except Stop as failure:
        complain(str(failure))
        sys.exit(1)
    except KeyboardInterrupt:
        complain(f"\n{interrupted}")
        sys.exit(130)


def _mark() -> str:
    return "✓" if (sys.stdout.encoding or "").lower().startswith("utf") else "ok"


def _paint(current: Step, begun: float, over: threading.Event) -> None:
    frames = _FRAMES if _mark() == "✓" else "-\\|/"
    turn = 0
    while not over.wait(0.1):
        frame = frames[turn % len(frames)]
        sys.stdout.write(f"\r\x1b[K  {frame} {time.monotonic() - begun:6.1f} s  {current.text}")
        sys.stdout.flush()
        turn += 1
