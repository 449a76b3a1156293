"""Idempotency keys: claimed atomically before the work starts, answered byte for byte for 48 hours.

Items of the idempotency table: pk = digest of caller, route and key; sk = `CLAIM`; `request` the body's digest;
`state` in_progress or done; `by` whose claim it is; `expires_at` the time to live; then `status`, `headers`, `body` of
the answer. One that tells who buys stands in `sealed` instead of `body`, under the data key of its `holder`.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from commerce.adapters.dynamodb import ConditionFailed, Item, Table
from commerce.adapters.sealing import SEALED, Sealed, Seals
from commerce.errors import IdempotencyInProgress, IdempotencyMismatch, NotFound
from commerce.ids import new_id

KEPT_SECONDS = 48 * 3600
CLAIM_SECONDS = 60
"""How long a claim stands without an answer: longer than any function runs."""
WAIT_SECONDS = 8.0
"""How long a second request waits for the first one's answer."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two looks for it, growing by half each time."""


@dataclass(frozen=True)
class Claim:
    """The right to do the work for a key."""

    pk: str
    request: str
    until: int
    by: str
    """Whose it is: two claims for a key may be made in one second."""


@dataclass(frozen=True)
class Replay:
    """An answer that was given before."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class IdempotencyStore:
    """The keys of all callers. `seals` where answers tell who buys."""

    table: Table
    seals: Seals | None = None
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def claim(self, scope: str, key: str, request: str) -> Claim | Replay:
        """The claim, or the answer kept for this key.

        Raises IdempotencyMismatch for another request under the key, IdempotencyInProgress where the first one
        has not finished after `WAIT_SECONDS`, NotFound where the answer was erased with the buyer's other data.
        """
        pk = hashlib.sha256(f"{scope}\x1f{key}".encode()).hexdigest()
        deadline, pause = self.clock() + WAIT_SECONDS, FIRST_PAUSE
        known: Item | None = None  # as nearly every key is when it comes: no look before the first try
        while True:
            now = int(self.clock())
            if known is None or known["expires_at"] <= now:
                claim = Claim(pk, request, now + CLAIM_SECONDS, by=new_id("claim"))
                if self._take(claim, known):
                    return claim
            known = self.table.get(pk, "CLAIM")
            if known is None or known["expires_at"] <= now:
                continue
            if known["request"] != request:
                raise IdempotencyMismatch("this Idempotency-Key was used with another request; use a new one")
            if known["state"] == "done":
                return Replay(known["status"], known["headers"], self._body(known))
            if self.clock() >= deadline:
                raise IdempotencyInProgress("the first request with this Idempotency-Key is still being worked on")
            self.pause(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def keep(self, claim: Claim, answer: Replay, *, holder: str | None = None) -> None:
        """Stores the answer under the claim; a claim that ran out and was taken over keeps the newer one's.

        `holder` is the cart or checkout whose buyer the answer tells of, if it does.
        """
        item = {
            "pk": claim.pk,
            "sk": "CLAIM",
            "request": claim.request,
            "state": "done",
            "expires_at": int(self.clock()) + KEPT_SECONDS,
            "until": claim.until,
            "by": claim.by,
            "status": answer.status,
            "headers": dict(answer.headers),
            **self._kept(claim, answer.body, holder),
        }
        try:
            self.table.put(item, ("by", "=", claim.by))
        except ConditionFailed:
            return

    def release(self, claim: Claim) -> None:
        """Gives the key back after work that did not happen, so that a retry may do it."""
        try:
            self.table.delete(claim.pk, "CLAIM", ("by", "=", claim.by), ("state", "=", "in_progress"))
        except ConditionFailed:
            return

    def _kept(self, claim: Claim, body: str, holder: str | None) -> Item:
        if holder is None:
            return {"body": body}
        assert self.seals is not None, "who answers with personal data is told the keys"
        sealed = self.seals.sealed_once_more(holder, claim.pk, {"body": body})
        return {"holder": holder, **({SEALED: sealed} if sealed else {})}

    def _body(self, known: Item) -> str:
        if "body" in known:
            return str(known["body"])
        assert self.seals is not None, "who answers with personal data is told the keys"
        sealed = Sealed(known["holder"], known["pk"], known[SEALED]) if SEALED in known else None
        opened = self.seals.opened(sealed) if sealed else {}
        if not opened:
            raise NotFound("the answer to this request was erased with the buyer's other data")
        return str(opened["body"])

    def _take(self, claim: Claim, known: dict[str, object] | None) -> bool:
        item = {
            "pk": claim.pk,
            "sk": "CLAIM",
            "request": claim.request,
            "state": "in_progress",
            "expires_at": claim.until,
            "until": claim.until,
            "by": claim.by,
        }
        condition = ("until", "=", known["until"]) if known else ("pk", "missing")
        try:
            self.table.put_once(item, condition)
        except ConditionFailed:
            return False
        return True
