"""Events as they travel: a record of the outbox's stream, a message of a queue behind the bus."""

import json
from collections.abc import Iterator

from commerce.adapters.dynamodb import to_item
from commerce.adapters.outbox import Outbox
from commerce.events import Event, OrderConfirmed, OrderLine, detail


class EmptyOutbox:
    """An outbox whose every event was published."""

    def unpublished(self, **_: object) -> Iterator[str]:
        return iter(())

    def publish(self, event_id: str) -> bool:
        raise AssertionError(f"{event_id} was published already")


def an_order_confirmed(**changes) -> OrderConfirmed:
    fields = {
        "occurred_at": "2026-11-22T08:15:30.250Z",
        "subject": "order_1",
        "currency": "USD",
        "total": 5_297,
        "lines": (OrderLine(sku="mug-blue", quantity=2, unit_price=1_800, total=3_600),),
    }
    return OrderConfirmed(**{**fields, **changes})


def stream_record(event: Event, number: int = 1, name: str = "INSERT", **changes) -> dict:
    """What the stream of the outbox table says of an event. `changes` replace attributes of the stored item."""
    item = {**Outbox.item(event), **changes}
    return {"eventName": name, "dynamodb": {"SequenceNumber": str(number), "NewImage": to_item(item)}}


def queue_message(event: Event, message_id: str = "message-1") -> dict:
    """What a function gets from a queue that a rule of the bus feeds."""
    envelope = {"id": "bus-1", "detail-type": event.type, "source": "tradepost", "detail": detail(event)}
    return {"messageId": message_id, "body": json.dumps(envelope)}


def queue_event(*events: Event) -> dict:
    """A batch of such messages: message-1, message-2, …"""
    return {"Records": [queue_message(event, f"message-{number}") for number, event in enumerate(events, 1)]}
