"""AWS and Stripe without a line between: what a request asks is answered once, by doubles in this process, and from
then on by the very same bytes.

botocore and Stripe's client do all their work (validate, serialise, sign, parse, check); only their sockets are left
out.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import stripe
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.session import Session

from stacks.tables import ALL
from tools.doubles.control import Faults, Record, Turnstile
from tools.doubles.http import Request
from tools.doubles.store import Store
from tools.doubles.stripe.account import Account
from tools.doubles.stripe.api import Api
from tools.simulation.dynamodb import Client, Database

_EXECUTION = {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:shop:order", "startDate": 1.8e9}
_OPERATIONS = {
    "GetItem": "get_item",
    "BatchGetItem": "batch_get_item",
    "Query": "query",
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    "TransactWriteItems": "transact_write_items",
}


@dataclass(frozen=True)
class Reply:
    """What came back, as it stood on the line."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def stream(self) -> Iterator[bytes]:
        """As botocore reads it."""
        yield self.body


class Tape:
    """The replies to one request's calls, in the order in which they are asked for."""

    def __init__(self) -> None:
        self.database = Database(ALL)
        self._aws = Client(self.database)
        self._stripe = _stripe()
        self._replies: list[Reply] = []
        self._position: int | None = None
        """The next reply to give; None while the doubles are asked."""

    def connect(self, session: Session) -> None:
        """Stands between the session's clients and their line. Before the first client is made."""
        session.register("before-send", self._send)

    def record(self) -> None:
        """Asks the doubles from now on, and keeps what they answer."""
        self._replies, self._position = [], None

    def rewind(self) -> None:
        """Gives what was kept, from the beginning."""
        self._position = 0

    @property
    def calls(self) -> int:
        """How many calls were kept."""
        return len(self._replies)

    @property
    def at_end(self) -> bool:
        """Whether every reply was given: what was asked is as much as at the recording."""
        return self._position == len(self._replies)

    def reply(self, ask: Callable[[], Reply]) -> Reply:
        """The next reply."""
        if self._position is None:
            self._replies.append(ask())
            return self._replies[-1]
        self._position += 1
        return self._replies[self._position - 1]

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        reply = self.reply(lambda: self._answered(request))
        return AWSResponse(request.url, reply.status, reply.headers, reply)

    def _answered(self, request: AWSPreparedRequest) -> Reply:
        service, operation = request.headers["X-Amz-Target"].decode().split(".")
        asked = json.loads(request.body)
        known = service.startswith("DynamoDB")
        answer = getattr(self._aws, _OPERATIONS[operation])(**asked) if known else _EXECUTION
        body = json.dumps(answer).encode()
        checksum = {"x-amz-crc32": str(zlib.crc32(body))}
        return Reply(200, {"content-type": "application/x-amz-json-1.0", **checksum}, body)

    def ask_stripe(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Reply:
        """One attempt of Stripe's client."""
        parts = urlsplit(url)
        content = body.encode() if isinstance(body, str) else body or b""
        known = {name.lower(): value for name, value in headers.items()} | {"host": "stripe"}
        reply = self._stripe.reply(Request(method.upper(), parts.path, parts.query, known, content))
        return Reply(reply.status, reply.headers, json.dumps(reply.body).encode())


class StripeLine(stripe.HTTPClient):
    """In the place of the gateway's connections."""

    name = "tape"

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> tuple[Any, int, Any]:
        """One attempt."""
        reply = self._tape.reply(lambda: self._tape.ask_stripe(method, url, headers or {}, post_data))
        return reply.body, reply.status, reply.headers

    def close(self) -> None:
        """There is nothing to let go of."""


def _stripe() -> Api:
    store = Store()
    return Api(store, Account(store, lambda *_: None), Record(), Faults(), Turnstile())
