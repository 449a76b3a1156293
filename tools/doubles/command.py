"""Runs a double from the command line until it is told to stop."""

import signal
import sys
import threading
from collections.abc import Callable
from typing import Protocol


class Double(Protocol):
    """A server that can be started and stopped."""

    @property
    def url(self) -> str:
        """Where it listens."""

    def start(self) -> None:
        """Answers from now on."""

    def stop(self) -> None:
        """Ends."""


def run(name: str, make: Callable[[], Double]) -> None:
    """Starts the double and waits for SIGINT or SIGTERM. A port that is taken ends with one clear line."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        double = make()
    except OSError as error:
        sys.exit(f"the {name} double cannot listen: {error.strerror}; end what uses the port or give another --port")
    double.start()
    print(f"{name} double on {double.url}", flush=True)
    stopped.wait()
    double.stop()
