"""What the shop tells a buyer about a cart or checkout, in the protocol's message shape.

Source: UCP 2026-08-25, types/message_error.json, message_warning.json, message_info.json.
"""

from typing import Literal

from commerce.model import Model

Severity = Literal["recoverable", "requires_buyer_input", "requires_buyer_review", "unrecoverable"]


class Message(Model):
    """`path` is the JSONPath of what it is about. `severity` stands on errors, and only there."""

    type: Literal["error", "warning", "info"]
    code: str
    content: str
    path: str | None = None
    severity: Severity | None = None


def error(code: str, content: str, *, path: str | None = None, severity: Severity = "recoverable") -> Message:
    """An error the buyer or the client must deal with before the checkout can be completed."""
    return Message(type="error", code=code, content=content, path=path, severity=severity)


def warning(code: str, content: str, *, path: str | None = None) -> Message:
    """Something the buyer must be shown."""
    return Message(type="warning", code=code, content=content, path=path)


def info(code: str, content: str, *, path: str | None = None) -> Message:
    """Something the buyer may be shown."""
    return Message(type="info", code=code, content=content, path=path)
