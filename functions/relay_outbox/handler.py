"""The outbox table's stream: what a transaction put there goes to the bus."""

from typing import Any

from commerce.adapters import aws, wiring
from commerce.adapters.environment import require
from commerce.adapters.invocation import correlated
from commerce.adapters.relay import Relay

relay = Relay(
    aws.client("events"),
    aws.client("sqs"),
    wiring.table("OUTBOX_TABLE"),
    require("EVENT_BUS"),
    require("RELAY_FAILURES_QUEUE_URL"),
)


@correlated
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers which records must come again (`ReportBatchItemFailures`)."""
    return {"batchItemFailures": [{"itemIdentifier": number} for number in relay.relay(event["Records"])]}
