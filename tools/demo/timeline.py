"""The play on the screen: one line per step, with the time it took."""

import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.panel import Panel

Result = TypeVar("Result")


class Timeline:
    """Shows steps as they happen. `pause` seconds after each let a person follow; 0 for machines."""

    def __init__(self, pause: float) -> None:
        self.console = Console(highlight=False)
        self._pause = pause
        self._start = time.monotonic()

    def scene(self, title: str) -> None:
        """A new part of the play."""
        self.console.print()
        self.console.print(Panel.fit(title, border_style="cyan"))

    def step(
        self, who: str, what: str, act: Callable[[], Result], tell: Callable[[Result], str] = lambda _: ""
    ) -> Result:
        """Does `act` while the screen says who does what, then tells how it went."""
        with self.console.status(f"{who}: {what}"):
            result = act()
        elapsed = time.monotonic() - self._start
        self.console.print(f"[dim]{elapsed:6.1f} s[/]  [bold]{who:<10}[/] {what} [green]{tell(result)}[/]")
        time.sleep(self._pause)
        return result
