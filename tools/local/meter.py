"""Counts what the shop asks of AWS: calls and DynamoDB units by caller and operation, Lambda invocations, messages.

Runs inside the local AWS's process (the launcher calls `install`) and sees every call: those of functions over HTTP,
and those that Step Functions makes by itself. The figures only grow, and are written to a file whenever they have
changed; whoever measures takes the difference of two readings.

Units are counted from DynamoDB's own rules, because the local engine reports a flat figure for reads: a read costs a
half unit per 4 KB begun, twice that when consistent; writes are taken from the engine, which counts them rightly.
"""

import collections
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

READ_UNIT = 4096
FLUSH_SECONDS = 0.2

Handler = Callable[..., Awaitable[tuple[int, dict[str, str], bytes]]]


class Meter:
    """The running figures. Callers are function names; `client` is whoever is no function."""

    def __init__(self) -> None:
        self.calls: collections.Counter[str] = collections.Counter()
        self.entries: collections.Counter[str] = collections.Counter()
        self.invocations: collections.Counter[str] = collections.Counter()
        self.messages: collections.Counter[str] = collections.Counter()
        self.units: dict[str, tuple[float, float]] = {}
        self.written: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()
        self._changed = threading.Event()

    def count(
        self, caller: str, action: str, read_units: float, write_units: Mapping[str, float], entries: int
    ) -> None:
        """One call, under `caller action`. Write units are by table; `entries` are the events or records that it handed
        over.
        """
        with self._lock:
            self.calls[f"{caller} {action}"] += 1
            if entries:
                self.entries[f"{caller} {action}"] += entries
            read, write = self.units.get(caller, (0.0, 0.0))
            self.units[caller] = (read + read_units, write + sum(write_units.values()))
            self.written.update({f"{caller} {table}": units for table, units in write_units.items()})
        self._changed.set()

    def invoked(self, function: str, messages: int) -> None:
        """One Lambda invocation, with so many messages of a queue."""
        with self._lock:
            self.invocations[function] += 1
            if messages:
                self.messages[function] += messages
        self._changed.set()

    def reading(self) -> dict[str, Any]:
        """The figures as JSON values."""
        with self._lock:
            return {
                "calls": dict(self.calls),
                "entries": dict(self.entries),
                "invocations": dict(self.invocations),
                "messages": dict(self.messages),
                "written": dict(self.written),
                "units": {caller: list(units) for caller, units in self.units.items()},
            }

    def keep_writing(self, file: Path) -> None:
        """Writes the figures to `file` for as long as the process lives."""
        while True:
            self._changed.wait()
            self._changed.clear()
            draft = file.with_suffix(".new")
            draft.write_text(json.dumps(self.reading()))
            draft.replace(file)
            time.sleep(FLUSH_SECONDS)


def install(file: Path) -> None:
    """Wraps every service of the local AWS. Call it after importing ministack's app and before serving."""
    from ministack import app
    from ministack.services import lambda_svc

    meter = Meter()
    for service, handler in list(app.SERVICE_HANDLERS.items()):
        app.SERVICE_HANDLERS[service] = _counted(meter, service, handler)

    execute = lambda_svc._execute_function_warm

    def execute_and_count(function: dict[str, Any], event: dict[str, Any], *rest: Any) -> dict[str, Any]:
        meter.invoked((function.get("config") or function)["FunctionName"], _messages(event))
        answer: dict[str, Any] = execute(function, event, *rest)
        return answer

    lambda_svc._execute_function_warm = execute_and_count
    threading.Thread(target=meter.keep_writing, args=(file,), name="meter", daemon=True).start()


def _counted(meter: Meter, service: str, handler: Handler) -> Handler:
    from ministack.core.iam_actions import extract_iam_action

    async def counted(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        action = extract_iam_action(service, method, path, headers, body, query) or f"{service}:{method}"
        asked = body
        if service == "dynamodb":
            asked = _with_capacity(body)
        status, answer_headers, answer = await handler(method, path, headers, asked, query)
        read, write = _units(action, body, answer) if service == "dynamodb" and status == 200 else (0.0, {})
        meter.count(_caller(headers, query), action, read, write, _entries(action, body))
        return status, answer_headers, answer

    return counted


def _caller(headers: dict[str, str], query: dict[str, Any]) -> str:
    """The function behind an assumed role; the account's own keys are `client`, Step Functions calls as `test`."""
    from ministack.core.iam_evaluator import request_caller_arn

    if "Credential=test/20260101/" in headers.get("authorization", ""):
        return "states"
    arn = request_caller_arn(headers, query)
    return arn.rsplit("/", 1)[-1] if ":assumed-role/" in arn else "client"


def _messages(event: dict[str, Any]) -> int:
    """How many messages of a queue the event brings."""
    return sum(record.get("eventSource") == "aws:sqs" for record in event.get("Records", ()))


def _entries(action: str, body: bytes) -> int:
    """How many events go to the bus, or rows to the analytics stream, with one call."""
    match action:
        case "events:PutEvents":
            return len(json.loads(body)["Entries"])
        case "firehose:PutRecordBatch":
            return len(json.loads(body)["Records"])
    return 0


def _with_capacity(body: bytes) -> bytes:
    """Asks the engine for consumed capacity, where the request is one that has it."""
    asked = json.loads(body or b"{}")
    if not asked.keys() & {"TableName", "RequestItems", "TransactItems"} or "KeySchema" in asked:
        return body
    return json.dumps({**asked, "ReturnConsumedCapacity": "TOTAL"}).encode()


def _units(action: str, body: bytes, answer: bytes) -> tuple[float, dict[str, float]]:
    """Read units, and write units by table, of one answered call."""
    operation = action.rpartition(":")[2]
    asked = json.loads(body or b"{}")
    given = json.loads(answer or b"{}")
    match operation:
        case "GetItem":
            return _read([given["Item"]] if "Item" in given else [{}], asked.get("ConsistentRead")), {}
        case "Query" | "Scan":
            size = sum(_size(item) for item in given.get("Items", []))
            return _read_bytes(size, asked.get("ConsistentRead")), {}
        case "BatchGetItem":
            return (
                sum(
                    _read(given["Responses"].get(table, []), wanted.get("ConsistentRead"))
                    + _read([{}] * (len(wanted["Keys"]) - len(given["Responses"].get(table, []))), False)
                    for table, wanted in asked["RequestItems"].items()
                ),
                {},
            )
        case "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems" | "BatchWriteItem":
            consumed = given.get("ConsumedCapacity", [])
            entries = consumed if isinstance(consumed, list) else [consumed]
            written: collections.Counter[str] = collections.Counter()
            for entry in entries:
                written[entry["TableName"]] += entry["CapacityUnits"]
            return 0.0, dict(written)
    return 0.0, {}


def _read(items: list[dict[str, Any]], consistent: bool | None) -> float:
    """Items are rounded up one by one."""
    return sum(_read_bytes(_size(item), consistent) for item in items)


def _read_bytes(size: int, consistent: bool | None) -> float:
    units = max(1, -(-size // READ_UNIT))
    return units * (1.0 if consistent else 0.5)


def _size(item: dict[str, Any]) -> int:
    from ministack.services.dynamodb import _item_size_bytes

    return int(_item_size_bytes(item)) if item else 0
