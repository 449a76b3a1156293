"""From the outbox table's stream to the bus.

A stream hands on records again and again until they are accepted, and everything behind them waits. So each record is
judged by itself: one that the bus cannot take now comes again; one that it will never take is parked in a queue, where
an alarm and a person find it. Whatever is relayed twice keeps its event id, by which consumers know it.

What the bus has taken loses its mark in the outbox. What keeps it was missed by the stream, and `Leftovers` finds it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from commerce.adapters.dynamodb import ConditionFailed, Contended, Item, Table, from_item
from commerce.adapters.log import logger
from commerce.adapters.sharding import merged
from commerce.bus import SOURCE
from commerce.clock import iso
from commerce.correlation import take_up

BATCH = 10
"""Entries that PutEvents takes at once."""

PASSING = ("Throttling", "InternalFailure", "InternalException", "ServiceUnavailable", "AccessDenied")
"""Beginnings of an entry's error codes that say nothing against the entry: the bus is busy, down or closed to us."""

Entry = dict[str, str]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Relay:
    """`events` and `queues` are clients of EventBridge and SQS; `parking` is the URL of the queue for poison."""

    events: Any
    queues: Any
    outbox: Table
    bus: str
    parking: str

    def relay(self, records: Iterable[Record]) -> list[str]:
        """Publishes what was put into the outbox. Answers the sequence numbers of records that must come again."""
        items: dict[str, Item] = {}
        entries: dict[str, Entry] = {}
        again: list[str] = []
        for record in records:
            if record["eventName"] != "INSERT":
                continue
            number = record["dynamodb"]["SequenceNumber"]
            try:
                items[number] = from_item(record["dynamodb"]["NewImage"])
                entries[number] = _entry(items[number], self.bus)
            except (KeyError, TypeError, ValueError):
                again += self._park(number, record, "it is no event of the outbox")
        numbers = list(entries)
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            refused = self._refused([entries[number] for number in batch], batch)
            for number in batch:
                if number not in refused:
                    _take_mark_off(self.outbox, items[number]["pk"])
            for number in refused:
                again += self._alone(number, entries[number], items[number]["pk"])
        return again

    def _refused(self, entries: list[Entry], numbers: list[str]) -> list[str]:
        """The numbers of those that were not published; all of them where the call itself failed."""
        try:
            answer = self.events.put_events(Entries=entries)
        except (ClientError, BotoCoreError):
            return numbers
        if not answer["FailedEntryCount"]:
            return []
        return [number for number, result in zip(numbers, answer["Entries"], strict=True) if "ErrorCode" in result]

    def _alone(self, number: str, entry: Entry, pk: str) -> list[str]:
        """A second chance without company: a batch can fail for its neighbours, or for its size."""
        take_up(_cause(entry["Detail"]))
        try:
            [result] = self.events.put_events(Entries=[entry])["Entries"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code.startswith("Validation"):
                return self._park(number, entry, code)
            return self._later(number, code)
        except BotoCoreError as error:
            return self._later(number, type(error).__name__)
        code = result.get("ErrorCode")
        if code is None:
            _take_mark_off(self.outbox, pk)
            return []
        return self._later(number, code) if code.startswith(PASSING) else self._park(number, entry, code)

    def _later(self, number: str, code: str) -> list[str]:
        logger().warning("the bus does not take events now", sequence_number=number, error_code=code)
        return [number]

    def _park(self, number: str, content: Record, why: str) -> list[str]:
        """The queue keeps the entry as PutEvents takes it, so that it can be sent again by hand once it is mended."""
        try:
            self.queues.send_message(QueueUrl=self.parking, MessageBody=json.dumps(content, default=str))
        except (ClientError, BotoCoreError) as error:
            return self._later(number, type(error).__name__)
        logger().error("an event was parked", sequence_number=number, why=why)
        return []


@dataclass(frozen=True)
class Leftovers:
    """Events that the stream's consumer never published. `events` is a client of EventBridge."""

    events: Any
    outbox: Table
    bus: str

    def unpublished(self, *, before: datetime, limit: int) -> Iterator[str]:
        """Ids of events that happened before then and wait still, the oldest first; the first `limit` for sure."""

        def shard(number: int) -> Iterator[Item]:
            return self.outbox.query(
                str(number),
                index="by_unpublished",
                keys=("unpublished", "occurred_at"),
                sort=("occurred_at", "<=", iso(before)),
                limit=limit,
            )

        return (item["pk"].removeprefix("EVENT#") for item in merged(shard, key="occurred_at"))

    def publish(self, event_id: str) -> bool:
        """Puts the event on the bus; False where the bus does not take it. One that is gone from the outbox is done."""
        item = self.outbox.get(f"EVENT#{event_id}", "EVENT")
        if item is None:
            return True
        try:
            answer = self.events.put_events(Entries=[_entry(item, self.bus)])
        except (ClientError, BotoCoreError):
            return False
        if answer["FailedEntryCount"]:
            return False
        _take_mark_off(self.outbox, item["pk"])
        return True


def _entry(item: Item, bus: str) -> Entry:
    return {"EventBusName": bus, "Source": SOURCE, "DetailType": item["detail_type"], "Detail": item["detail"]}


def _cause(detail: str) -> str | None:
    """The correlation id of an event; None where it is no event."""
    try:
        found: str | None = json.loads(detail).get("correlation_id")
    except (ValueError, AttributeError):
        return None
    return found


def _take_mark_off(outbox: Table, pk: str) -> None:
    """Where that does not work the event is published once more, which its consumers notice."""
    with suppress(ConditionFailed, Contended, ClientError, BotoCoreError):
        outbox.update(pk, "EVENT", ("unpublished", "exists"), remove=["unpublished"])
