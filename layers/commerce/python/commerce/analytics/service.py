"""Hands events on to the analytics store."""

from collections.abc import Sequence
from typing import Protocol

from commerce.analytics.model import row
from commerce.events import Event


class RowStream(Protocol):
    """Where rows are collected and written in large objects."""

    def put(self, rows: Sequence[str]) -> list[int]:
        """Takes the rows. Answers the positions of those that it did not take."""


def export(events: Sequence[Event], stream: RowStream) -> list[int]:
    """Sends each event as a row. Answers the positions of those to be sent again; the others must not be."""
    return stream.put([row(event) for event in events])
