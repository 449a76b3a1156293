"""Buyers and staff who do not give up at the first failure: they ask again, with the same key, as good clients do."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

TRIES = 14
LONGEST_PAUSE = 2.0
_ASK_AGAIN = {429, 502, 503, 504}


@dataclass
class Journal:
    """What was said and seen in a story, in order. Many may write at once."""

    _start: float = field(default_factory=time.monotonic)
    _lines: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, line: str) -> None:
        """One more line, with the seconds since the story began."""
        with self._lock:
            self._lines.append(f"{time.monotonic() - self._start:6.1f} s  {line}")

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._lines))


class Patient(httpx.BaseTransport):
    """Sends a request again, as it is, while the shop fails or is not reached, still works on the first one, or lets
    other buyers go first.

    With one try it is the transport of somebody who walks away at the first failure.
    """

    def __init__(self, inner: httpx.BaseTransport, journal: Journal, *, tries: int = TRIES) -> None:
        self._inner, self._journal, self._tries = inner, journal, tries

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that is one; after all tries the last failure."""
        for attempt in range(1, self._tries + 1):
            try:
                response = self._inner.handle_request(request)
                response.read()
                told = f"{response.status_code}"
            except httpx.TransportError as error:
                if attempt == self._tries:
                    raise
                response, told = None, type(error).__name__
            self._journal.note(f"{request.method} {request.url.path}: {told}")
            if response is not None and (attempt == self._tries or not _worth_another_try(response)):
                return response
            time.sleep(min(0.2 * 2**attempt, LONGEST_PAUSE))
        raise AssertionError("the last try returns or raises")


def _worth_another_try(response: httpx.Response) -> bool:
    if response.status_code == 409:
        return b"idempotency_in_progress" in response.content
    return response.status_code in _ASK_AGAIN
