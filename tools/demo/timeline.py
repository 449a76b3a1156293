"""The play on the screen: one line per step, with the time it took."""

import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

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
        told = tell(result)
        line = Table.grid(padding=(0, 1))
        line.add_column(width=9)
        line.add_column(width=10)
        line.add_row(f"[dim]{elapsed:6.1f} s[/]", f"[bold]{who}[/]", f"{what}: [green]{told}[/]" if told else what)
        self.console.print(line)
        time.sleep(self._pause)
        return result
