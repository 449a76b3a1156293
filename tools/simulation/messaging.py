"""The outbox's stream, the bus and its queues: everything between a transaction and whoever hears of it.

As on AWS: at least once, in no promised order, batches that can fail in part, and dead letters after five attempts.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from commerce.notifications.model import KINDS
from tools.simulation.boundary import Boundaries
from tools.simulation.functions import FunctionFailed
from tools.simulation.scheduler import Scheduler

RECEIVES = 5
"""After so many attempts a queue gives a message to its dead letters (stacks/constructs/queue.py)."""
STREAM_ATTEMPTS = 10
BATCH = 10
STREAM_BATCH = 100


class Invoke(Protocol):
    """Runs a function of the shop for the present actor."""

    def __call__(self, function: str, event: dict[str, Any], *, skew: float = 0.0) -> Any:
        """Its answer. Raises FunctionFailed."""


@dataclass
class Message:
    """A message of a queue. `poisoned` is the fault that makes every attempt fail, until a person sends it again."""

    id: str
    body: str
    receives: int = 0
    poisoned: bool = False


@dataclass
class Queue:
    """A work queue with its function and its dead letters."""

    name: str
    function: str
    visibility: float
    scheduler: Scheduler
    boundaries: Boundaries
    invoke: Invoke
    waiting: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    _numbers: int = 0
    _polled: bool = False

    def send(self, body: str, *, after: float) -> None:
        """One message, visible in a moment."""
        self._numbers += 1
        message = Message(f"{self.name}-{self._numbers}", body)
        self.scheduler.at(self.scheduler.now + after, lambda: self._visible(message))

    def redrive(self) -> int:
        """A person has the dead letters sent again."""
        dead, self.dead = self.dead, []
        for message in dead:
            message.receives, message.poisoned = 0, False
            self._visible(message)
        return len(dead)

    def _visible(self, message: Message) -> None:
        self.waiting.append(message)
        if not self._polled:
            self._polled = True
            self.scheduler.start(f"queue {self.name}", self._poll, after=0.02)

    def _poll(self) -> None:
        self._polled = False
        batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
        if self.waiting:
            self._polled = True
            self.scheduler.start(f"queue {self.name}", self._poll)
        if batch:
            self._work(batch)

    def _work(self, batch: list[Message]) -> None:
        boundary = f"lambda.{self.function}"
        kind = self.boundaries.strike(boundary, "lambda.batch")
        if kind == "duplicate":
            self.boundaries.fired(kind, boundary)
            copies = [Message(message.id, message.body, message.receives) for message in batch]
            self.scheduler.start(f"queue {self.name} again", lambda: self._attempt(copies, None, boundary))
        if kind == "poison":
            batch[0].poisoned = True
        self._attempt(batch, kind, boundary)

    def _attempt(self, batch: list[Message], kind: str | None, boundary: str) -> None:
        for message in batch:
            message.receives += 1
        failed = {message.id for message in batch}
        event = {
            "Records": [
                {"messageId": message.id, "body": "{" if message.poisoned else message.body} for message in batch
            ]
        }
        try:
            if kind == "crash_before":
                self.boundaries.fired(kind, boundary)
                raise FunctionFailed("Lambda.Unknown", "it never began")
            answer = self.invoke(self.function, event, skew=skew(kind, boundary, self.boundaries))
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except FunctionFailed as failure:
            self.boundaries.story.tell("failed", failure.error)
        for message in batch:
            if message.id not in failed:
                continue
            if message.receives >= RECEIVES:
                if message.poisoned:
                    self.boundaries.fired("poison", boundary)
                self.dead.append(message)
            else:
                moment = self.scheduler.now + self.visibility
                self.scheduler.at(moment, lambda message=message: self._visible(message))  # type: ignore[misc]


def skew(kind: str | None, boundary: str, boundaries: Boundaries) -> float:
    """By how much the function's clock is wrong."""
    if kind not in ("clock_fast", "clock_slow"):
        return 0.0
    boundaries.fired(kind, boundary)
    return 5.0 if kind == "clock_fast" else -5.0


@dataclass
class Bus:
    """EventBridge with the shop's rules: which events lead to which queue."""

    scheduler: Scheduler
    boundaries: Boundaries
    emails: Queue
    analytics: Queue
    published: list[dict[str, Any]] = field(default_factory=list)
    overdue: Callable[[str], None] = lambda order_id: None
    """The rule that tells operators of a late parcel."""

    _mailed = frozenset(event.type for event in KINDS)

    def put(self, entries: list[dict[str, Any]], refused: int | None = None) -> dict[str, Any]:
        """PutEvents: every entry is taken, but the one that is refused."""
        for position, entry in enumerate(entries):
            if position != refused:
                self._publish(entry)
        results = [
            {"ErrorCode": "InternalFailure", "ErrorMessage": "simulated"} if position == refused else {"EventId": "1"}
            for position in range(len(entries))
        ]
        return {"FailedEntryCount": 0 if refused is None else 1, "Entries": results}

    def _publish(self, entry: dict[str, Any]) -> None:
        detail = json.loads(entry["Detail"])
        self.published.append(detail)
        self.boundaries.story.tell("published", entry["DetailType"], detail["subject"])
        body = json.dumps({"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail})
        self._lead(self.analytics, body)
        if entry["DetailType"] in self._mailed:
            self._lead(self.emails, body)
        if entry["DetailType"] == "order.delivery_overdue":
            self.overdue(detail["subject"])

    def _lead(self, queue: Queue, body: str) -> None:
        """The delivery has a boundary of its own, which takes no turn: it belongs to nobody's line of work."""
        boundary = f"events.{queue.name}"
        kind = self.boundaries.chance(boundary, "bus.delivery")
        if kind == "duplicate":
            queue.send(body, after=2.0)
        queue.send(body, after=300.0 if kind == "late" else 0.3)
        if kind:
            self.boundaries.fired(kind, boundary)


@dataclass
class Stream:
    """The outbox table's stream and the function behind it: one shard, in order, from the oldest record on."""

    scheduler: Scheduler
    boundaries: Boundaries
    invoke: Invoke
    records: Callable[[int], list[dict[str, Any]]]
    """What the stream saw after so many changes."""
    given_up: Callable[[], None] = lambda: None
    """Is told that a record was."""
    done: int = 0
    parked: list[dict[str, Any]] = field(default_factory=list)
    _polled: bool = False
    _poison: str = ""
    """The number of a record that makes every attempt fail; empty where there is none."""

    def touched(self) -> None:
        """There is something new."""
        if not self._polled:
            self._polled = True
            self.scheduler.start("outbox stream", self._poll, after=0.1)

    def _poll(self) -> None:
        attempts = 0
        while records := self.records(self.done)[:STREAM_BATCH]:
            inserted = [record for record in records if record["eventName"] == "INSERT"]
            left = self._work(inserted) if inserted else 0
            done = len(records) if left is None or left == 0 else records.index(inserted[-left])
            self.done += done
            attempts = 0 if done else attempts + 1
            if left:
                self.scheduler.sleep(1.0)
            if attempts == STREAM_ATTEMPTS:
                self._give_up(records[0])
                attempts = 0
        self._polled = False

    def _give_up(self, record: dict[str, Any]) -> None:
        if _number(record) == self._poison:
            self.boundaries.fired("poison", "lambda.relay_outbox")
        self.parked.append(record)
        self.done += 1
        self.given_up()

    def _work(self, records: list[dict[str, Any]]) -> int:
        """How many records, from the end, must come again."""
        boundary = "lambda.relay_outbox"
        kind = self.boundaries.strike(boundary, "lambda.stream")
        try:
            if kind == "crash_before":
                self.boundaries.fired(kind, boundary)
                raise FunctionFailed("Lambda.Unknown", "it never began")
            if kind == "poison":
                self._poison = _number(records[0])
            if self._poison in map(_number, records):
                raise FunctionFailed("Runtime.ExitError", "it dies of a record")
            answer = self.invoke("relay_outbox", {"Records": records}, skew=skew(kind, boundary, self.boundaries))
        except FunctionFailed as failure:
            self.boundaries.story.tell("failed", failure.error)
            return len(records)
        if kind == "replayed":
            self.boundaries.fired(kind, boundary)
            older = [record for record in self.records(0) if record["eventName"] == "INSERT"]
            self._replay(older)
        again = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for position, record in enumerate(records):
            if _number(record) in again:
                return len(records) - position
        return 0

    def _replay(self, records: list[dict[str, Any]]) -> None:
        try:
            self.invoke("relay_outbox", {"Records": records[:STREAM_BATCH]})
        except FunctionFailed as failure:
            self.boundaries.story.tell("failed", failure.error)


def _number(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
