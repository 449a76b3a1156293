"""A function for staff, called as API Gateway calls it."""

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
        return json.loads(self.text)

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


@dataclass
class Office:
    """Somebody of `group` at the function's routes. Every POST has a fresh key, unless a test sends its own."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    group: str | None = "warehouse"

    @classmethod
    def of(cls, name: str) -> "Office":
        """At the routes of `functions/<name>`."""
        return cls(function(name).handler)

    def send(
        self,
        route: str,
        body: Any = None,
        *,
        group: str | None = "",
        key: str | None = None,
        match: str | None = None,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
        **parameters: str,
    ) -> Answer:
        """What the route answers. `group` None is nobody; `match` an If-Match."""
        caller = self.group if group == "" else group
        claims = {"sub": f"{caller}-1", "cognito:groups": f"[{caller}]"} if caller else None
        headers = {"content-type": content_type}
        if not route.startswith("GET"):
            headers["idempotency-key"] = key or str(uuid4())
        if match:
            headers["if-match"] = match
        event = http_event(route, body, headers=headers, claims=claims, **parameters)
        event["queryStringParameters"] = query
        answer = self.handler(event, None)
        assert answer["statusCode"] < 500, answer["body"]
        return Answer(answer["statusCode"], answer["headers"], answer["body"])
