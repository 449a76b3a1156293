"""Lists in pages: the query parameters `limit` and `cursor`, the same wherever a list is read."""

import re
from typing import Any

from commerce.adapters.http import Request
from commerce.adapters.secrets import key_ring
from commerce.errors import Invalid
from commerce.identity.service import read_cursor, sign_cursor


def parameters(default: int, most: int) -> dict[str, str]:
    """The two parameters as a route declares them."""
    return {
        "limit": f"How many at most on a page, 1 to {most}; {default} if left out.",
        "cursor": "Where the page before ended, as its answer said.",
    }


def page_size(request: Request[Any], default: int, most: int) -> int:
    """The wanted number of entries. Raises Invalid."""
    text = request.query.get("limit", str(default))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= most:
        raise Invalid(f"limit is a number from 1 to {most}", path="$.limit")
    return int(text)


def position(request: Request[Any], *, of: str) -> str | None:
    """Where the page begins in the list `of`; None at its beginning. Raises Invalid for another list's cursor."""
    return read(request.query.get("cursor"), of=of)


def read(cursor: str | None, *, of: str, path: str = "$.cursor") -> str | None:
    """The same, where the cursor stands at `path` in the body."""
    return None if cursor is None else read_cursor(key_ring(), cursor, of=of, path=path)


def cursor(at: str | None, *, of: str) -> str | None:
    """The cursor that leads on from `at` in the list `of`; None after the last page."""
    return None if at is None else sign_cursor(key_ring(), at, of=of)
