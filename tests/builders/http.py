"""HTTP API events (payload version 2.0) as API Gateway sends them to a function."""

import base64
import json
from typing import Any
from uuid import uuid4


def http_event(
    route: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    claims: dict[str, str] | None = None,
    encoded: bool = False,
    **parameters: str,
) -> dict[str, Any]:
    """The event for `route`, such as `GET /carts/{id}`; `body` is a JSON value, or text or bytes sent as they are."""
    method, path = route.split(" ")
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value)
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "r3pmxmplak",
        "domainName": "r3pmxmplak.execute-api.us-east-1.amazonaws.com",
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.7",
            "userAgent": "curl/8.5.0",
        },
        "requestId": str(uuid4()),
        "routeKey": route,
        "stage": "$default",
        "time": "22/Nov/2026:08:15:30 +0000",
        "timeEpoch": 1795335330000,
    }
    if claims:
        context["authorizer"] = {"jwt": {"claims": {"token_use": "access", **claims}, "scopes": None}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": context["domainName"], **(headers or {})},
        "requestContext": context,
        "isBase64Encoded": encoded,
    }
    if parameters:
        event["pathParameters"] = dict(parameters)
    if body is not None:
        event["body"] = base64.b64encode(raw).decode() if encoded else raw.decode()
    return event
