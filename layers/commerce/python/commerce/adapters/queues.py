"""Queues behind the bus: their messages as events, and which of them must come again.

A queue delivers at least once, in no promised order. What fails comes again by itself, alone, until the queue gives up
and moves it to its dead letters.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from commerce.adapters.log import fault, logger
from commerce.correlation import take_up
from commerce.events import Event, parse

Batch = Mapping[str, Any]
Answer = dict[str, list[dict[str, str]]]
"""Lambda's `ReportBatchItemFailures`."""


def in_turn(batch: Batch, work: Callable[[Event], None]) -> Answer:
    """Does the work for each message by itself: one that raises fails alone."""
    failed = []
    for record in batch["Records"]:
        try:
            work(_event(record))
        except Exception as error:
            _left(record, error)
            failed.append(record["messageId"])
    return _answer(failed)


def together(batch: Batch, work: Callable[[list[Event]], Collection[int]]) -> Answer:
    """Does the work for all messages at once; `work` answers the positions of those events that failed."""
    failed, known = [], []
    for record in batch["Records"]:
        try:
            known.append((record["messageId"], _event(record)))
        except Exception as error:
            _left(record, error)
            failed.append(record["messageId"])
    if known:
        failed += [known[position][0] for position in work([event for _, event in known])]
    return _answer(failed)


def _event(record: Mapping[str, Any]) -> Event:
    """The event, to which belongs what is done for it. Poison belongs to nothing."""
    take_up(None)
    event = parse(json.loads(record["body"])["detail"])
    take_up(event.correlation_id)
    return event


def _left(record: Mapping[str, Any], error: Exception) -> None:
    logger().error("a message comes again", message_id=record["messageId"], **fault(error))


def _answer(failed: list[str]) -> Answer:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
