"""The queue of all events: each becomes a row for analysts."""

from functools import partial
from typing import Any

from commerce.adapters import aws
from commerce.adapters.environment import require
from commerce.adapters.firehose import Firehose
from commerce.adapters.queues import together
from commerce.analytics.service import export

export_rows = partial(export, stream=Firehose(aws.client("firehose"), require("ANALYTICS_STREAM")))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers which messages must come again."""
    return together(event, export_rows)
