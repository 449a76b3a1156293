"""Money through Stripe. The only module of the shop, with the webhook's function, that knows how Stripe speaks.

Authorise and capture apart: an intent is made unconfirmed, confirmed with the buyer's payment method (Stripe then
holds the money for about 7 days), and captured when the parcel leaves. Nothing here logs: payment tokens and
Stripe's error bodies stay out of the logs.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Literal, cast

import urllib3

from commerce.clock import epoch, iso
from commerce.errors import Invalid, Unauthenticated, Unavailable
from commerce.payments.service import (
    Authorization,
    AuthorizationOutcome,
    Capture,
    NoticeKind,
    PaymentNotice,
    Refund,
    Risk,
    Void,
)


@contextmanager
def _replaced(**packages: ModuleType | None) -> Iterator[None]:
    """Whoever imports one of these packages meanwhile gets its stand-in; None looks as if it were not installed."""
    known = {name: sys.modules[name] for name in packages if name in sys.modules}
    sys.modules.update(packages)  # type: ignore[arg-type]  # None is Python's own sign for this
    try:
        yield
    finally:
        for name in packages:
            del sys.modules[name]
        sys.modules.update(known)


# Stripe's package loads `requests` wherever it is installed, in case it is wanted. It is installed for the carrier, and
# is not wanted here (see _PooledClient): that spares each cold start 96 modules and a third of the time. asyncio gives
# it a pause, for an asynchronous half that stands on httpx or aiohttp and is not wanted either: 31 modules.
with _replaced(requests=None, httpx=None, aiohttp=None, asyncio=ModuleType("asyncio")):
    import stripe

TOLERANCE_SECONDS = 300
"""How old a webhook's signature may be."""

_TIMEOUT = urllib3.Timeout(connect=2.0, read=5.0)
_RETRIES = 2
"""Stripe's client repeats a request that got no answer, a 5xx or a 409, under the same idempotency key."""

_Unanswered = cast(Callable[..., stripe.APIConnectionError], stripe.APIConnectionError)

_SETTLED = (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError)
"""Stripe understood the request and said no. Every other StripeError leaves open whether money moved."""

_FAILED = stripe.APIError
_TOLD = (*_SETTLED, _FAILED)
"""Stripe said something, so it can be asked how the intent stands now. A 5xx is remembered under the idempotency key
like any other answer: asking is then the only way to learn that the money moved."""

_PAGE = 100
"""Entries of a list that Stripe answers at once, at most."""

EVENT_TYPES = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.requires_action",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
)
"""The events that mean something to the shop, see `_meaning`. Stripe lists at most 20 types at once.

Not `charge.captured`: it comes together with `payment_intent.succeeded` and says the same.
"""

_OUTCOMES: dict[str, AuthorizationOutcome] = {
    "requires_capture": "authorized",
    "requires_action": "action_required",
    "requires_confirmation": "unconfirmed",
    "succeeded": "captured",
    "canceled": "voided",
    "processing": "unknown",
}

_REFUND_OUTCOMES: dict[str, Literal["refunded", "pending", "failed"]] = {
    "succeeded": "refunded",
    "pending": "pending",
    "requires_action": "pending",
    "failed": "failed",
    "canceled": "failed",
}


class _PooledClient(stripe.HTTPClient):
    """Stripe over urllib3, which botocore has already loaded: kept-alive connections and no `requests`."""

    name = "urllib3"

    def __init__(self) -> None:
        super().__init__()
        self._pool = urllib3.PoolManager(ca_certs=stripe.ca_bundle_path, timeout=_TIMEOUT, maxsize=4)

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> tuple[Any, int, Any]:
        """One attempt. A failure of the line is an APIConnectionError, which the caller repeats."""
        try:
            response = self._pool.request(
                method.upper(), url, body=post_data, headers=dict(headers or {}), retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise _Unanswered("Stripe did not answer", should_retry=True) from error
        return response.data, response.status, response.headers

    def close(self) -> None:
        """Lets go of the connections."""
        self._pool.clear()


class StripeGateway:
    """Implements `payments.service.PaymentGateway`; see there for what the methods promise."""

    def __init__(
        self, api_key: str, *webhook_secrets: str, api_base: str | None = None, retries: int = _RETRIES
    ) -> None:
        """More than one of `webhook_secrets` holds while they are changed."""
        stripe.enable_telemetry = False
        self._webhook_secrets = webhook_secrets
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else None,
            max_network_retries=retries,
            http_client=_PooledClient(),
        )
        self._intents = self._client.v1.payment_intents

    def create_intent(self, order_id: str, amount: int, currency: str) -> str:
        """An intent that can only be captured by hand. Its idempotency key is the order's.

        Stripe remembers a 5xx under that key for a day, so it is asked once more without it: an intent holds nothing
        before it is confirmed, and the order confirms one alone.
        """
        wanted: Any = {
            "amount": amount,
            "currency": currency.lower(),
            "capture_method": "manual",
            "allowed_payment_method_types": ["card"],
            "metadata": {"order_id": order_id},
        }
        try:
            try:
                intent = self._intents.create(wanted, {"idempotency_key": f"{order_id}:create"})
            except _FAILED:
                intent = self._intents.create(wanted)
        except _SETTLED as error:
            raise Invalid("this amount cannot be paid by card in this currency") from error
        except stripe.StripeError as error:
            raise Unavailable("the payment provider does not answer; try again") from error
        return intent.id

    def confirm(self, intent_id: str, payment_method: str, return_url: str, key: str) -> Authorization:
        """Authorises. A refusal that is no decline means that somebody was quicker: the intent tells how it stands."""
        try:
            intent = self._intents.confirm(
                intent_id,
                {"payment_method": payment_method, "return_url": return_url, "expand": ["latest_charge"]},
                {"idempotency_key": key},
            )
        except stripe.CardError as error:
            return _declined(intent_id, error)
        except stripe.InvalidRequestError as error:
            if error.param == "payment_method":
                return _declined(intent_id, error)
            return self.retrieve(intent_id)
        except stripe.IdempotencyError:
            return self.retrieve(intent_id)
        except stripe.APIError:
            now = self.retrieve(intent_id)
            return _unknown(intent_id) if now.outcome == "unconfirmed" else now
        except stripe.StripeError:
            return _unknown(intent_id)
        return _authorization(intent)

    def retrieve(self, intent_id: str) -> Authorization:
        """How the intent stands, from Stripe itself."""
        try:
            return _authorization(self._intents.retrieve(intent_id, {"expand": ["latest_charge"]}))
        except stripe.StripeError:
            return _unknown(intent_id)

    def recent(self, *, since: datetime, until: datetime) -> Iterator[Authorization]:
        """From Stripe's list of intents, which names their charges but does not show them: the risk is left out."""
        with _asked():
            pages = self._intents.list({"created": _between(since, until), "limit": _PAGE})
            for intent in pages.auto_paging_iter():
                yield _authorization(intent)

    def undelivered(self, *, since: datetime, until: datetime) -> Iterator[PaymentNotice]:
        """From Stripe's list of events, which it keeps for 30 days. One that is still being delivered counts, too."""
        with _asked():
            pages = self._client.v1.events.list(
                {
                    "created": _between(since, until),
                    "delivery_success": False,
                    "types": [*EVENT_TYPES],
                    "limit": _PAGE,
                }
            )
            for event in pages.auto_paging_iter():
                yield _notice(event)

    def capture(self, intent_id: str, amount: int, key: str) -> Capture:
        """Takes the money. A refusal is `captured` after all where the intent says so.

        Stripe captures an intent once, so `key` is not sent: it would only make Stripe repeat a 5xx for a day.
        """
        try:
            intent = self._intents.capture(intent_id, {"amount_to_capture": amount})
        except _TOLD as error:
            return self._not_captured(intent_id, error)
        except stripe.StripeError:
            return Capture(outcome="unknown")
        return Capture(outcome="captured", charge_id=_id(intent.latest_charge), amount=intent.amount_received)

    def void(self, intent_id: str, key: str) -> Void:
        """Cancels the intent. A refusal is `voided` where it is canceled already. `key`: see `capture`."""
        try:
            self._intents.cancel(intent_id, {"cancellation_reason": "requested_by_customer"})
        except _TOLD:
            now = self.retrieve(intent_id)
            if now.outcome == "captured":
                return Void(outcome="captured", amount_captured=now.amount_captured)
            return Void(outcome="voided" if now.outcome == "voided" else "unknown")
        except stripe.StripeError:
            return Void(outcome="unknown")
        return Void(outcome="voided")

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        """Gives money back. Stripe keeps a key for a day only: an older refund is found by the key in its metadata."""
        try:
            refund = self._made_before(intent_id, key) or self._client.v1.refunds.create(
                {
                    "payment_intent": intent_id,
                    "amount": amount,
                    "reason": "requested_by_customer",
                    "metadata": {"key": key},
                },
                {"idempotency_key": key},
            )
        except _SETTLED as error:
            return Refund(outcome="failed", reason=error.code or "refused")
        except stripe.StripeError:
            return Refund(outcome="unknown")
        return Refund(
            outcome=_REFUND_OUTCOMES[refund.status or "pending"],
            refund_id=refund.id,
            amount=refund.amount,
            reason=getattr(refund, "failure_reason", None),
        )

    def construct_event(self, payload: bytes, signature: str) -> PaymentNotice:
        """Checks the signature with Stripe's own code before a word of the body is believed."""
        return _notice(self._signed(payload, signature))

    def _signed(self, payload: bytes, signature: str) -> stripe.Event:
        for webhook_secret in self._webhook_secrets:
            with suppress(stripe.SignatureVerificationError, ValueError):
                return self._client.construct_event(payload, signature, webhook_secret, TOLERANCE_SECONDS)
        raise Unauthenticated("the webhook's signature does not hold")

    def _not_captured(self, intent_id: str, error: stripe.StripeError) -> Capture:
        now = self.retrieve(intent_id)
        if now.outcome == "captured":
            return Capture(outcome="captured", charge_id=now.charge_id, amount=now.amount_captured)
        if now.outcome == "unknown" or not isinstance(error, _SETTLED):
            return Capture(outcome="unknown")
        return Capture(outcome="failed", reason=error.code or now.outcome)

    def _made_before(self, intent_id: str, key: str) -> stripe.Refund | None:
        refunds = self._client.v1.refunds.list({"payment_intent": intent_id, "limit": 100})
        return next((refund for refund in refunds.data if _metadata(refund, "key") == key), None)


@contextmanager
def _asked() -> Iterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        raise Unavailable("the payment provider does not answer; try again") from error


def _between(since: datetime, until: datetime) -> Any:
    return {"gte": epoch(since), "lte": epoch(until)}


def _authorization(intent: stripe.PaymentIntent) -> Authorization:
    problem = intent.last_payment_error
    charge = cast(stripe.Charge | None, intent.latest_charge)
    outcome = _OUTCOMES.get(intent.status, "declined" if problem else "unconfirmed")
    return Authorization(
        outcome=outcome,
        intent_id=intent.id,
        order_id=_metadata(intent, "order_id"),
        charge_id=_id(charge),
        redirect_url=_redirect(intent),
        decline_code=_decline_code(problem) if outcome == "declined" else None,
        message=problem.message if problem and outcome == "declined" else None,
        risk=_risk(charge),
        amount_capturable=intent.amount_capturable,
        amount_captured=intent.amount_received,
    )


def _declined(intent_id: str, error: stripe.CardError | stripe.InvalidRequestError) -> Authorization:
    """A token that cannot be used (unknown, used up, another account's) is told like a refused card."""
    problem = error.error
    refused_card = isinstance(error, stripe.CardError)
    return Authorization(
        outcome="declined",
        intent_id=intent_id,
        decline_code=_decline_code(problem) or error.code,
        message=error.user_message if refused_card else "This payment method cannot be used. Try another one.",
    )


def _unknown(intent_id: str) -> Authorization:
    return Authorization(outcome="unknown", intent_id=intent_id)


def _notice(event: stripe.Event) -> PaymentNotice:
    about: Any = event.data.object
    kind, reference, amount = _meaning(event.type, about)
    is_intent = about.object == "payment_intent"
    problem = about.last_payment_error if is_intent else None
    return PaymentNotice(
        id=event.id,
        kind=kind,
        type=event.type,
        occurred_at=iso(datetime.fromtimestamp(event.created, UTC)),
        intent_id=about.id if is_intent else _id(getattr(about, "payment_intent", None)),
        order_id=_metadata(about, "order_id"),
        reference=reference,
        amount=amount,
        redirect_url=_redirect(about) if is_intent else None,
        decline_code=_decline_code(problem),
        reason=_reason(about),
    )


def _meaning(type_: str, about: Any) -> tuple[NoticeKind, str | None, int]:
    """What an event of Stripe's means to the shop, about which of Stripe's things, and how much money it is about.

    `charge.refunded` tells a charge's sum of refunds, so only the events of single refunds count.
    """
    match type_:
        case "payment_intent.amount_capturable_updated":
            return "authorized", _id(about.latest_charge), about.amount_capturable
        case "payment_intent.requires_action":
            return "action_required", about.id, about.amount
        case "payment_intent.payment_failed":
            return "declined", about.id, about.amount
        case "payment_intent.succeeded":
            return "captured", _id(about.latest_charge), about.amount_received
        case "payment_intent.canceled":
            return "voided", about.id, about.amount
        case "refund.created" | "refund.updated" | "refund.failed":
            return _refund_kind(about.status), about.id, about.amount
        case "charge.dispute.created":
            return "disputed", about.id, about.amount
        case _:
            return "other", getattr(about, "id", None), 0


def _refund_kind(status: str | None) -> NoticeKind:
    kinds: dict[str, NoticeKind] = {
        "refunded": "refunded",
        "pending": "refund_pending",
        "failed": "refund_failed",
    }
    return kinds[_REFUND_OUTCOMES[status or "pending"]]


def _reason(about: Any) -> str | None:
    if about.object == "payment_intent":
        return about.cancellation_reason or (about.last_payment_error.code if about.last_payment_error else None)
    return getattr(about, "failure_reason", None) or getattr(about, "reason", None)


def _redirect(intent: stripe.PaymentIntent) -> str | None:
    action = intent.next_action
    redirect = getattr(action, "redirect_to_url", None)
    return redirect.url if redirect else None


def _decline_code(problem: Any) -> str | None:
    return (getattr(problem, "decline_code", None) or getattr(problem, "code", None)) if problem else None


def _risk(charge: Any) -> Risk:
    outcome = getattr(charge, "outcome", None)
    level = getattr(outcome, "risk_level", None)
    return level if level in ("elevated", "highest") else "normal"


def _id(thing: Any) -> str | None:
    """The id of what Stripe sends either as an id or, expanded, as the object."""
    return thing if isinstance(thing, str) or thing is None else thing.id


def _metadata(thing: Any, name: str) -> str | None:
    metadata = getattr(thing, "metadata", None)
    return metadata[name] if metadata and name in metadata else None
