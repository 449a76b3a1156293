"""Stripe without HTTP: the production gateway and Stripe's own client on the account of `tools.doubles.stripe`.

What is doubled is the wire alone: one attempt of Stripe's client is one call of the boundary `stripe.<operation>`.
"""

import json
import marshal
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import stripe

from commerce.payments.gateway import EVENT_TYPES
from commerce.payments.service import NoticeKind
from tools.doubles.control import Faults, PlannedFault, Record, Turnstile
from tools.doubles.http import Request
from tools.doubles.store import Json, Store
from tools.doubles.stripe import objects
from tools.doubles.stripe.account import Account
from tools.doubles.stripe.api import Api, Reply
from tools.doubles.stripe.double import signature
from tools.simulation.boundary import Boundaries
from tools.simulation.checks import Charge, Intent
from tools.simulation.functions import WEBHOOK_SECRET

STANDING: Mapping[str, NoticeKind] = {
    "payment_intent.amount_capturable_updated": "authorized",
    "payment_intent.payment_failed": "declined",
    "payment_intent.succeeded": "captured",
    "payment_intent.canceled": "voided",
}
"""Those that say how an intent stands."""

_OPERATIONS = (
    ("POST", re.compile(r"/v1/payment_intents"), "payment_intents.create"),
    ("POST", re.compile(r"/v1/payment_intents/\w+/confirm"), "payment_intents.confirm"),
    ("POST", re.compile(r"/v1/payment_intents/\w+/capture"), "payment_intents.capture"),
    ("POST", re.compile(r"/v1/payment_intents/\w+/cancel"), "payment_intents.cancel"),
    ("POST", re.compile(r"/v1/refunds"), "refunds.create"),
    ("GET", re.compile(r"/v1/payment_intents"), "payment_intents.list"),
    ("GET", re.compile(r"/v1/payment_intents/search"), "payment_intents.search"),
    ("GET", re.compile(r"/v1/payment_intents/\w+"), "payment_intents.retrieve"),
    ("GET", re.compile(r"/v1/refunds"), "refunds.list"),
    ("GET", re.compile(r"/v1/events"), "events.list"),
)
_SLIM = frozenset(("payment_intent", "charge", "refund", "dispute", "event"))
_READ = frozenset(
    """
    id object status amount amount_capturable amount_received amount_captured amount_refunded currency capture_method
    payment_method latest_charge last_payment_error next_action redirect_to_url url return_url type code decline_code
    message param cancellation_reason canceled_at outcome risk_level captured disputed refunded paid payment_intent
    charge failure_reason failure_code failure_message reason created data has_more api_version livemode error
    description receipt_email statement_descriptor_suffix
    """.split()
)
"""Of all that Stripe's objects hold, what the double's account and the gateway read. The rest would only take time."""
_Unanswered = cast(Callable[..., Exception], stripe.APIConnectionError)


def slim(value: Any) -> Any:
    """The value without the fields that nobody reads."""
    if isinstance(value, dict):
        return {
            name: part if name == "metadata" else slim(part)
            for name, part in value.items()
            if name in _READ or name == "metadata" or name.startswith("_")
        }
    return [slim(part) for part in value] if isinstance(value, list) else value


class MemoryStore(Store):
    """The double's store as dictionaries. One simulation, one thread."""

    def __init__(self) -> None:
        self.changed = False
        """Whether a charge was written since somebody last asked."""
        self._kinds: dict[str, dict[str, bytes]] = {}
        self._undo: list[tuple[str, str, bytes | None]] | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """An exception that leaves the outermost one undoes everything."""
        if self._undo is not None:
            yield
            return
        self._undo = []
        try:
            yield
        except BaseException:
            for kind, identifier, before in reversed(self._undo):
                self._set(kind, identifier, before)
            raise
        finally:
            self._undo = None

    def get(self, kind: str, identifier: str) -> Json | None:
        """The object, or None. It is the caller's own copy."""
        kept = self._kinds.get(kind, {}).get(identifier)
        return marshal.loads(kept) if kept else None

    def put(self, kind: str, identifier: str, body: Json) -> None:
        """Adds the object, or replaces it where it stands."""
        known = self._kinds.setdefault(kind, {})
        if self._undo is not None:
            self._undo.append((kind, identifier, known.get(identifier)))
        known[identifier] = marshal.dumps(slim(body) if kind in _SLIM else body)
        self.changed |= kind == "charge"

    def delete(self, kind: str, identifier: str) -> None:
        """Forgets the object; one that is not there stays so."""
        if self._undo is not None:
            self._undo.append((kind, identifier, self._kinds.get(kind, {}).get(identifier)))
        self._set(kind, identifier, None)

    def all(self, kind: str) -> list[Json]:
        """The objects of the kind, the oldest first."""
        return [marshal.loads(kept) for kept in self._kinds.get(kind, {}).values()]

    def clear(self, kind: str) -> None:
        """Forgets everything of the kind."""
        self._kinds.pop(kind, None)

    def _set(self, kind: str, identifier: str, body: bytes | None) -> None:
        if body is None:
            self._kinds.get(kind, {}).pop(identifier, None)
        else:
            self._kinds.setdefault(kind, {})[identifier] = body


class StripeLine:
    """How Stripe's client hears of trouble. It repeats an attempt itself where that is said."""

    def throttled(self) -> Exception:
        """A 429 is an answer; see `Stripe.request`."""
        raise NotImplementedError

    def conflict(self) -> Exception:
        """Stripe knows none."""
        raise NotImplementedError

    def unanswered(self) -> Exception:
        """All attempts of the client ended like this one."""
        return _Unanswered("Stripe did not answer", should_retry=False)


class StaleRequest(Exception):
    """A request that was on its way for a day: there is no such thing."""


class Watch(Protocol):
    """Who checks what Stripe did."""

    def money(self) -> None:
        """A charge changed."""

    def overdrawn(self) -> None:
        """A refund was larger than what is left."""


class Payments:
    """Stripe as the shop's functions reach it, and what it tells by webhook. `tell` is given each delivery's body."""

    def __init__(self, boundaries: Boundaries, tell: Callable[[Json], None], watch: Watch) -> None:
        self.store = MemoryStore()
        self._boundaries, self._tell, self._watch = boundaries, tell, watch
        self._forgotten = 0
        """How often all idempotency keys ended: what was sent before that does not arrive after it."""
        self.slow_answer = False
        """Whether the present answer lets the news that it caused arrive first."""
        self._account = Account(self.store, self._deliver)
        self._faults = Faults()
        self._api = Api(self.store, self._account, Record(), self._faults, Turnstile())
        wanted = {"url": "https://shop/webhooks/stripe", "enabled_events": list(EVENT_TYPES)}
        endpoint = objects.webhook_endpoint(wanted)
        self.store.put("webhook_endpoint", endpoint["id"], endpoint)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> tuple[bytes, int, Any]:
        """One attempt of Stripe's client."""
        parts = urlsplit(url)
        operation = next(
            name for verb, path, name in _OPERATIONS if verb == method.upper() and path.fullmatch(parts.path)
        )
        content = body.encode() if isinstance(body, str) else body or b""
        known = {name.lower(): value for name, value in headers.items()} | {"host": "stripe"}
        request = Request(method.upper(), parts.path, parts.query, known, content)
        boundary = f"stripe.{operation}"
        if self._boundaries.story.told:
            self._boundaries.story.tell(boundary, parts.path, request.form())

        kind = self._boundaries.strike(
            boundary, "stripe.read" if method.upper() == "GET" else "stripe.write", seconds=0.15
        )
        keys = self._forgotten

        def do() -> Reply:
            if keys != self._forgotten:
                raise StaleRequest
            reply = self._api.reply(request)
            self._seen()
            if operation == "refunds.create" and _too_much(reply):
                self._watch.overdrawn()
            return reply

        answer = do() if kind is None else self._fail(kind, boundary, operation, do)
        if self.slow_answer:
            self.slow_answer = False
            self._boundaries.scheduler.sleep(4.0)
        self._boundaries.story.tell("answered", answer.status)
        return json.dumps(slim(answer.body)).encode(), answer.status, dict(answer.headers)

    def authenticate(self, intent_id: str, *, passed: bool) -> None:
        """What the buyer did on the bank's page."""
        with self.store.transaction():
            self._account.request = {"id": None, "idempotency_key": None}
            self._account.authenticate(intent_id, passed=passed)
        self._seen()

    def delivered(self, event_id: str, success: bool) -> None:
        """Whether the shop took an event, as Stripe's list of undelivered events knows it."""
        if success:
            self.store.delete("undelivered", event_id)
        else:
            self.store.put("undelivered", event_id, {"message": event_id})

    def untold(self, since: float) -> list[float]:
        """When the events arose since that moment which were never taken."""
        jobs = self.store.all("undelivered")
        events = (self.store.get("event", job["message"]) for job in jobs)
        return [event["created"] for event in events if event and event["created"] >= since]

    def charges(self) -> list[Charge]:
        """Every charge there is."""
        return [
            Charge(
                charge["metadata"].get("order_id", ""),
                charge["amount"],
                charge["amount_captured"],
                charge["amount_refunded"],
                charge["disputed"],
            )
            for charge in self.store.all("charge")
        ]

    def intents(self) -> list[Intent]:
        """Every payment intent there is."""
        back: Counter[str] = Counter()
        for refund in self.store.all("refund"):
            if refund["status"] == "succeeded":
                back[refund["payment_intent"]] += refund["amount"]
        return [
            Intent(
                intent["id"],
                intent["metadata"].get("order_id", ""),
                intent["amount_capturable"],
                intent["amount_received"],
                back[intent["id"]],
            )
            for intent in self.store.all("payment_intent")
        ]

    def dispute(self, intent_id: str) -> None:
        """The buyer tells the bank that the payment is not right."""
        with self.store.transaction():
            self._account.request = {"id": None, "idempotency_key": None}
            self._account.create_dispute(intent_id)
        self._seen()

    def _fail(self, kind: str, boundary: str, operation: str, do: Callable[[], Reply]) -> Reply:
        match kind:
            case "throttled":
                self._boundaries.fired(kind, boundary)
                return _refusal(429, "rate_limit")
            case "outage_before":
                self._boundaries.fired(kind, boundary)
                return _refusal(500, "api_error")
            case "outage_after":
                self._boundaries.fired(kind, boundary)
                self._faults.plan(PlannedFault(operation, "error_after"))
                return do()
            case "key_expired":
                self._boundaries.fired(kind, boundary)
                do()
                self._api.forget()
                self._forgotten += 1
                raise StripeLine().unanswered()
            case "retried":
                self._boundaries.fired(kind, boundary)
                do()
                raise _Unanswered("Stripe did not answer", should_retry=True)
        return self._boundaries.fail(kind, boundary, do, StripeLine(), attempts=1)

    def _seen(self) -> None:
        if self.store.changed:
            self.store.changed = False
            self._watch.money()

    def _deliver(self, endpoint_id: str, event_id: str) -> None:
        event = self.store.get("event", event_id)
        assert event is not None
        self._tell(event)


def _too_much(reply: Reply) -> bool:
    error = reply.body.get("error", {})
    return reply.status == 400 and (
        error.get("code") == "charge_already_refunded" or "greater than unrefunded" in error.get("message", "")
    )


def _refusal(status: int, code: str) -> Reply:
    """With Stripe's own word that the client need not try again."""
    return Reply(status, {"error": {"type": code, "message": code}}, {"stripe-should-retry": "false"})


def webhook(event: Json, moment: float, *, forged: bool = False) -> tuple[str, dict[str, str]]:
    """A delivery's body and headers, signed at that moment; with another secret where it is forged."""
    body = json.dumps(event)
    secret = "whsec_somebody_elses" if forged else WEBHOOK_SECRET
    return body, {"stripe-signature": signature(body.encode(), secret, int(moment))}


class Transport(stripe.HTTPClient):
    """In the place of the gateway's connections."""

    name = "simulation"
    payments: Callable[[], Payments]
    """The present world's Stripe."""

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> tuple[Any, int, Any]:
        """One attempt."""
        return type(self).payments().request(method, url, headers or {}, post_data)

    def close(self) -> None:
        """There is nothing to let go of."""
