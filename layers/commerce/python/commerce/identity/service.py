"""Proofs that the shop hands out and recognises again: the link to an order, and the place in a list.

Both are HMAC-SHA256 in base64url without padding. A proof of one kind is never taken for one of the other, since what
is signed begins with its purpose.
"""

import base64
import hashlib
import hmac
import json

from commerce.errors import Invalid
from commerce.identity.model import KeyRing


def access_token(ring: KeyRing, order_id: str) -> str:
    """What a guest shows to read the order: 43 characters, the same until keys rotate, worthless for another order."""
    return _access_token(ring.key, order_id)


def verify_access_token(ring: KeyRing, order_id: str, token: str) -> bool:
    """Whether `token` opens this order. Takes equally long however much of it is right."""
    return any(_equal(_access_token(key, order_id), token) for key in ring.believed)


def sign_cursor(ring: KeyRing, position: str, *, of: str) -> str:
    """A cursor that leads back to `position` in the list that `of` describes; nobody else can make or change one."""
    content = _text(json.dumps({"after": position, "of": _short(of)}, separators=(",", ":")).encode())
    return f"{content}.{_text(_digest(ring.key, 'cursor', content.encode()))}"


def read_cursor(ring: KeyRing, cursor: str, *, of: str, path: str = "$.cursor") -> str:
    """The position that `sign_cursor` was given. Raises Invalid, naming `path`, for anything that this shop did not
    sign, and for another list's cursor.
    """
    content, _, signature = cursor.partition(".")
    signed = content.encode(errors="replace")
    if not any(_equal(_text(_digest(key, "cursor", signed)), signature) for key in ring.believed):
        raise Invalid("cursor is not one that this shop handed out; begin again without a cursor", path=path)
    kept: dict[str, str] = json.loads(_bytes(content))
    if kept.get("of") != _short(of):
        raise Invalid("this cursor belongs to another list; begin again without a cursor", path=path)
    return kept["after"]


def _access_token(key: str, order_id: str) -> str:
    return _text(_digest(key, "order access", order_id.encode()))


def _short(of: str) -> str:
    """Enough to tell lists apart, and nothing of what they are about."""
    return hashlib.sha256(of.encode()).hexdigest()[:16]


def _digest(key: str, purpose: str, content: bytes) -> bytes:
    return hmac.new(key.encode(), purpose.encode() + b"\x1f" + content, hashlib.sha256).digest()


def _equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
