"""Idempotency keys as Stripe keeps them: the first answer, for 24 hours, for the same request only.

Source: https://docs.stripe.com/api/idempotent_requests.
"""

import hashlib
import threading
import time

from tools.doubles.store import Json, Store
from tools.doubles.stripe.errors import Refusal

KEPT_SECONDS = 24 * 3600


class Keys:
    """`claim` before the work, then `keep` or `drop`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()

    def claim(self, key: str, method: str, path: str, body: bytes) -> Json | None:
        """The answer given before, or None: then the key is the caller's until `keep` or `drop`.

        Raises Refusal for a key that was used with another request, or is in use this moment.
        """
        if len(key) > 255:
            raise Refusal(400, "idempotency_error", "Idempotency keys are at most 255 characters long.")
        fingerprint = _fingerprint(method, path, body)
        with self._lock:
            known = self._store.get("idempotency_key", key)
            if known and known["until"] > time.time():
                if known["fingerprint"] == fingerprint:
                    return known
                raise Refusal(
                    400,
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters they were first used "
                    f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                )
            if key in self._in_flight:
                raise Refusal(
                    409,
                    "idempotency_error",
                    "There is currently another in-progress request using this Idempotent Key (that probably means "
                    f"you submitted twice, and the other request is still going through): {key}.",
                    code="idempotency_key_in_use",
                )
            self._in_flight.add(key)
        return None

    def keep(self, key: str, method: str, path: str, body: bytes, request_id: str, status: int, answer: Json) -> None:
        """The answer that the key will give from now on."""
        self._store.put(
            "idempotency_key",
            key,
            {
                "fingerprint": _fingerprint(method, path, body),
                "request_id": request_id,
                "status": status,
                "answer": answer,
                "until": time.time() + KEPT_SECONDS,
            },
        )

    def drop(self, key: str) -> None:
        """The work is over; without `keep` the key is as new."""
        with self._lock:
            self._in_flight.discard(key)

    def forget(self) -> None:
        """Every key that is not in flight is as new."""
        with self._store.transaction():
            self._store.clear("idempotency_key")


def _fingerprint(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()
