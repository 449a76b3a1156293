"""An event's whole journey, but for the network: a transaction, the stream's record, the relay, a consumer's queue."""

import json
from typing import Any

from builders.bus import an_order_confirmed
from commerce.adapters.dynamodb import Table, transact
from commerce.adapters.outbox import Outbox
from commerce.adapters.queues import in_turn
from commerce.adapters.relay import Relay


class Bus:
    """A bus whose every entry goes to one queue, wrapped as EventBridge wraps it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:
        for entry in Entries:
            wrapped = {
                "id": "bus-1",
                "detail-type": entry["DetailType"],
                "source": entry["Source"],
                "detail": json.loads(entry["Detail"]),
            }
            self.messages.append({"messageId": "message-1", "body": json.dumps(wrapped)})
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}


def test_an_event_of_a_transaction_reaches_its_consumer_unchanged(dynamodb, tables):
    event = an_order_confirmed()
    transact(dynamodb, [Outbox(tables["OUTBOX_TABLE"]).action(event)])
    key = {"pk": {"S": f"EVENT#{event.id}"}, "sk": {"S": "EVENT"}}
    stored = dynamodb.get_item(TableName=tables["OUTBOX_TABLE"], Key=key)["Item"]
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": stored}}
    bus = Bus()

    assert Relay(bus, None, Table(dynamodb, tables["OUTBOX_TABLE"]), "shop", "https://parked").relay([record]) == []

    heard: list[object] = []
    assert in_turn({"Records": bus.messages}, heard.append) == {"batchItemFailures": []}
    assert heard == [event]
