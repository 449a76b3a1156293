"""Webhooks on their way: sent by threads, tried again until taken, kept in the store over a restart."""

import contextlib
import http.client
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tools.doubles.store import Json, Store

ATTEMPTS = 12
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
PATIENCE = 20.0
"""Seconds that a receiver may take: a function may have to start first."""


@dataclass(frozen=True)
class Envelope:
    """One message as it is posted."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Deliveries:
    """`seal` makes the envelope of a delivery when it is sent (None: whoever wanted it is gone), so that each
    attempt is signed anew.

    `add` is called inside the store's transactions. So whoever needs both locks takes the store's first.
    """

    def __init__(self, store: Store, seal: Callable[[str, str], Envelope | None]) -> None:
        self._store = store
        self._seal = seal
        self._changed = threading.Condition()
        self._due: dict[str, float] = {job["id"]: 0.0 for job in store.all("delivery")}
        self._numbers = itertools.count(1 + max((int(identifier) for identifier in self._due), default=0))
        self._sending: set[str] = set()
        self._held = False
        self._stopped = False
        self._pool = ThreadPoolExecutor(8, "webhook")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, receiver: str, message: str) -> None:
        """Has the message sent to the receiver; both are ids that `seal` understands."""
        identifier = f"{next(self._numbers):012d}"
        self._store.put(
            "delivery", identifier, {"id": identifier, "receiver": receiver, "message": message, "attempts": 0}
        )
        with self._changed:
            self._due[identifier] = 0.0
            self._changed.notify_all()

    def hold(self) -> None:
        """Sends nothing until `release`."""
        with self._changed:
            self._held = True

    def release(self, *, backwards: bool = False, copies: int = 1) -> None:
        """Sends what was held, one after another: in order or the newest first, each `copies` times."""
        with self._changed:
            waiting = sorted(self._due, reverse=backwards)
            for identifier in waiting:
                self._sending.add(identifier)
                del self._due[identifier]
        for identifier in waiting:
            for _ in range(copies - 1):
                self._post(self._store.get("delivery", identifier))
            self._attempt(identifier)
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def idle(self, timeout: float) -> bool:
        """Waits until nothing is on its way any more; False if something still is after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._sending, timeout)

    @property
    def waiting(self) -> int:
        """How many messages are on their way."""
        with self._changed:
            return len(self._due) + len(self._sending)

    def stop(self) -> None:
        """Sends no more; what is left stays in the store."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                now = time.monotonic()
                ready = [] if self._held else sorted(one for one, due in self._due.items() if due <= now)
                for identifier in ready:
                    self._sending.add(identifier)
                    del self._due[identifier]
                if not ready:
                    soonest = min(self._due.values(), default=now + LONGEST_PAUSE)
                    self._changed.wait(None if self._held else max(soonest - now, 0.01))
            for identifier in ready:
                self._pool.submit(self._attempt, identifier)

    def _attempt(self, identifier: str) -> None:
        job = self._store.get("delivery", identifier)
        done = self._post(job)
        if self._stopped:
            return
        again = job is not None and not done and job["attempts"] + 1 < ATTEMPTS
        pause = 0.0
        if job and again:
            pause = min(FIRST_PAUSE * 2 ** job["attempts"], LONGEST_PAUSE)
            self._store.put("delivery", identifier, {**job, "attempts": job["attempts"] + 1})
        else:
            self._store.delete("delivery", identifier)
            if job and not done:
                self._store.put("undelivered", identifier, job)
        with self._changed:
            if again:
                self._due[identifier] = time.monotonic() + pause
            self._sending.discard(identifier)
            self._changed.notify_all()

    def _post(self, job: Json | None) -> bool:
        envelope = self._seal(job["receiver"], job["message"]) if job else None
        if envelope is None:
            return True
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            return _taken(envelope)
        return False


def _taken(envelope: Envelope) -> bool:
    """Whether the receiver takes it. Raises OSError, ValueError and HTTPException."""
    address = urlsplit(envelope.url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    with contextlib.closing(kind(address.netloc, timeout=PATIENCE)) as connection:
        target = urlunsplit(("", "", address.path or "/", address.query, ""))
        connection.request("POST", target, envelope.body, dict(envelope.headers))
        return 200 <= connection.getresponse().status < 300
