"""What a developer sees: one line per step with its seconds, live on a terminal. Standard library only."""

import argparse
import os
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


def agreed(question: str) -> bool:
    """Whether the developer says yes. Raises Stop where nobody is there."""
    if not sys.stdin.isatty() or os.environ.get("CI"):
        raise Stop("Nobody is there to agree; say YES=1 (--yes) to do it without being asked")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def asks_first(parser: argparse.ArgumentParser) -> None:
    """The options of a command that says what it will do, and asks before it does it."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def goes_on(options: argparse.Namespace) -> bool:
    """Whether a command that has said what it will do, does it; says so if not. Raises Stop where it was not agreed."""
    if options.dry_run:
        say("  Nothing was done: it was asked only what would be done.")
        return False
    if not options.yes and not agreed("  Go on?"):
        raise Stop("Nothing was done")
    return True


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
