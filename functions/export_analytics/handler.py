"""The queue of all events: each becomes a row for analysts, and a line of the log for dashboards and alarms."""

from collections.abc import Sequence
from typing import Any

from commerce.adapters import aws
from commerce.adapters.environment import require
from commerce.adapters.firehose import Firehose
from commerce.adapters.log import logger
from commerce.adapters.queues import together
from commerce.analytics.service import export
from commerce.correlation import take_up
from commerce.events import Event, detail

stream = Firehose(aws.client("firehose"), require("ANALYTICS_STREAM"))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers which messages must come again."""
    return together(event, _export)


def _export(events: Sequence[Event]) -> list[int]:
    refused = export(events, stream)
    for place, event in enumerate(events):
        if place not in refused:
            take_up(event.correlation_id)
            logger().info("event", event=detail(event))
    return refused
