"""From the outbox table's stream to the bus.

A stream hands on records again and again until they are accepted, and everything behind them waits. So each record is
judged by itself: one that the bus cannot take now comes again; one that it will never take is parked in a queue, where
an alarm and a person find it. Whatever is relayed twice keeps its event id, by which consumers know it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from commerce.adapters.dynamodb import from_item
from commerce.adapters.log import logger
from commerce.bus import SOURCE

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
    bus: str
    parking: str

    def relay(self, records: Iterable[Record]) -> list[str]:
        """Publishes what was put into the outbox. Answers the sequence numbers of records that must come again."""
        entries: dict[str, Entry] = {}
        again: list[str] = []
        for record in records:
            if record["eventName"] != "INSERT":
                continue
            number = record["dynamodb"]["SequenceNumber"]
            try:
                entries[number] = self._entry(record)
            except (KeyError, TypeError, ValueError):
                again += self._park(number, record, "it is no event of the outbox")
        numbers = list(entries)
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            for number in self._refused([entries[number] for number in batch], batch):
                again += self._alone(number, entries[number])
        return again

    def _entry(self, record: Record) -> Entry:
        item = from_item(record["dynamodb"]["NewImage"])
        return {
            "EventBusName": self.bus,
            "Source": SOURCE,
            "DetailType": item["detail_type"],
            "Detail": item["detail"],
        }

    def _refused(self, entries: list[Entry], numbers: list[str]) -> list[str]:
        """The numbers of those that were not published; all of them where the call itself failed."""
        try:
            answer = self.events.put_events(Entries=entries)
        except (ClientError, BotoCoreError):
            return numbers
        if not answer["FailedEntryCount"]:
            return []
        return [number for number, result in zip(numbers, answer["Entries"], strict=True) if "ErrorCode" in result]

    def _alone(self, number: str, entry: Entry) -> list[str]:
        """A second chance without company: a batch can fail for its neighbours, or for its size."""
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
