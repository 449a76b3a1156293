"""Time, always in UTC. Services take `now` as an argument; only the functions ask the clock."""

from datetime import UTC, date, datetime


def now() -> datetime:
    """The present moment, to the millisecond, so that it survives a round trip through JSON unchanged."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """RFC 3339 with milliseconds and `Z`: `2026-11-22T08:15:30.250Z`. Sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970, as DynamoDB's time to live wants them."""
    return int(moment.timestamp())


def from_epoch(seconds: int) -> datetime:
    """The moment that `epoch` counted, to the second."""
    return datetime.fromtimestamp(seconds, UTC)


def in_words(day: date) -> str:
    """`22 November 2026`."""
    return f"{day.day} {day:%B %Y}"
