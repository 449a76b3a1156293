"""What happened in a schedule, for people: who did what at which moment, and which fault fired where."""

from datetime import UTC, datetime
from typing import Any

from tools.simulation.scheduler import START, Scheduler


class Story:
    """Told only where somebody listens: telling costs more than most calls."""

    def __init__(self, scheduler: Scheduler, *, told: bool) -> None:
        self._scheduler = scheduler
        self.told = told
        self.lines: list[str] = []

    def tell(self, what: str, *about: Any) -> None:
        """The present actor does something."""
        if not self.told:
            return
        actor = self._scheduler.current
        who = "the clock" if actor is None else actor.name
        function = f" [{actor.function}]" if actor is not None and actor.function else ""
        words = " ".join(_short(one) for one in about)
        self.lines.append(f"{self._moment()}  {who}{function}  {what}{': ' if words else ''}{words}")

    def fault(self, kind: str, boundary: str, number: int) -> None:
        """Something goes wrong."""
        if self.told:
            actor = self._scheduler.current
            who = "the clock" if actor is None else actor.name
            self.lines.append(f"{self._moment()}  {who}  !! {kind} at {boundary} (call {number})")

    def _moment(self) -> str:
        passed = self._scheduler.now - START
        days, clock = int(passed // 86400), datetime.fromtimestamp(self._scheduler.now, UTC)
        return f"day {days} {clock:%H:%M:%S}.{clock.microsecond // 1000:03d}"


def _short(about: Any) -> str:
    text = about if isinstance(about, str) else repr(about)
    return text if len(text) <= 300 else text[:297] + "..."
