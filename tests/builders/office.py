"""A function behind the API, called as API Gateway calls it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from builders.catalog import function
from builders.http import http_event


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None

    @property
    def id(self) -> str:
        """Of what it shows."""
        return str(self.body["id"])

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    @property
    def faults(self) -> list[str]:
        """Where the problem lies, as its `errors` say."""
        return [error["path"] for error in self.body.get("errors", ())]

    @property
    def codes(self) -> list[str]:
        """Of the messages about the purchase."""
        return [message["code"] for message in self.body.get("messages", ())]

    @property
    def paths(self) -> list[str | None]:
        """Where the purchase cannot be as it was asked for."""
        return [message.get("path") for message in self.body["messages"] if message["type"] == "error"]


@dataclass
class Office:
    """Somebody of `group` at the function's routes. Every POST has a fresh key, unless a test sends its own."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    group: str | None = "warehouse"

    @classmethod
    def of(cls, name: str, group: str | None = "warehouse") -> "Office":
        """At the routes of `functions/<name>`."""
        return cls(function(name).handler, group)

    def send(
        self,
        route: str,
        body: Any = None,
        *,
        group: str | None = "",
        customer: str | None = None,
        key: str | None = "",
        match: str | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        encoded: bool = False,
        **parameters: str,
    ) -> Answer:
        """What the route answers. `group` None is nobody, unless a `customer` asks; `key` None is no key; `match` an
        If-Match; an `encoded` body is sent in base64.
        """
        claims = {"sub": customer} if customer else _staff(self.group if group == "" else group)
        sent = {"content-type": content_type}
        if key is not None and not route.startswith("GET"):
            sent["idempotency-key"] = key or str(uuid4())
        if match:
            sent["if-match"] = match
        sent |= headers or {}
        event = http_event(route, body, headers=sent, claims=claims, encoded=encoded, **parameters)
        event["queryStringParameters"] = query
        answer = self.handler(event, None)
        assert answer["statusCode"] < 500, answer["body"]
        return Answer(answer["statusCode"], answer["headers"], answer["body"])


def _staff(group: str | None) -> dict[str, str] | None:
    return {"sub": f"{group}-1", "cognito:groups": f"[{group}]"} if group else None
