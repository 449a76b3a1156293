"""Proofs that the shop hands out and recognises again: the link to an order, and the place in a list.

Both are HMAC-SHA256 in base64url without padding. A proof of one kind is never taken for one of the other, since what
is signed begins with its purpose.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from commerce.errors import Invalid


def access_token(key: str, order_id: str) -> str:
    """What a guest shows to read the order: 43 characters, the same each time, worthless for any other order."""
    return _text(_digest(key, "order access", order_id.encode()))


def verify_access_token(key: str, order_id: str, token: str) -> bool:
    """Whether `token` opens this order. Takes equally long however much of it is right."""
    return _equal(access_token(key, order_id), token)


def sign_cursor(key: str, position: dict[str, Any]) -> str:
    """A cursor that leads back to `position` (a JSON object), which the client can read and cannot change."""
    content = _text(json.dumps(position, separators=(",", ":"), sort_keys=True).encode())
    return f"{content}.{_text(_digest(key, 'cursor', content.encode()))}"


def read_cursor(key: str, cursor: str) -> dict[str, Any]:
    """The position that `sign_cursor` was given. Raises Invalid for anything that this shop did not sign."""
    content, _, signature = cursor.partition(".")
    expected = _text(_digest(key, "cursor", content.encode(errors="replace")))
    if not _equal(expected, signature):
        raise Invalid("cursor is not one that this shop handed out; begin again without a cursor", path="$.cursor")
    position: dict[str, Any] = json.loads(_bytes(content))
    return position


def _digest(key: str, purpose: str, content: bytes) -> bytes:
    return hmac.new(key.encode(), purpose.encode() + b"\x1f" + content, hashlib.sha256).digest()


def _equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
