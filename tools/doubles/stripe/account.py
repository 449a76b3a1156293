"""One Stripe account: intents, charges, refunds, disputes, and the events that tell of them.

Each public method is one API operation, run inside one transaction of the store. It answers with the object, or raises
Refusal; what a Refusal with `kept` had changed by then (a declined charge, say) stays.
"""

import re
from collections.abc import Callable

from tools.doubles.store import Json, Store
from tools.doubles.stripe import objects
from tools.doubles.stripe.cards import CARDS, GENERIC, Card, Decline
from tools.doubles.stripe.errors import Refusal, integer, invalid, missing, one_of, only, refused

SMALLEST, LARGEST = 50, 99_999_999
"""What an intent may be worth, in minor units (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "payment_intents.create": (
        "amount",
        "currency",
        "allowed_payment_method_types",
        "automatic_payment_methods",
        "capture_method",
        "confirm",
        "description",
        "metadata",
        "payment_method",
        "receipt_email",
        "return_url",
        "statement_descriptor_suffix",
    ),
    "payment_intents.confirm": (
        "payment_method",
        "return_url",
        "capture_method",
        "receipt_email",
    ),
    "payment_intents.capture": (
        "amount_to_capture",
        "metadata",
    ),
    "payment_intents.cancel": ("cancellation_reason",),
    "refunds.create": (
        "payment_intent",
        "charge",
        "amount",
        "reason",
        "metadata",
    ),
    "webhook_endpoints.create": (
        "url",
        "enabled_events",
        "description",
        "api_version",
        "metadata",
    ),
}
"""What each operation takes, of all that Stripe's would."""

_CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
_CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_KINDS = {
    "pi_": "payment_intent",
    "ch_": "charge",
    "re_": "refund",
    "pm_": "payment_method",
    "dp_": "dispute",
    "evt_": "event",
    "we_": "webhook_endpoint",
}


def kind_of(identifier: str) -> str | None:
    """Which kind of object the id's prefix stands for."""
    return next((kind for prefix, kind in _KINDS.items() if identifier.startswith(prefix)), None)


class Account:
    """`deliver(endpoint id, event id)` sends an event on its way; `request` says which API request causes events."""

    def __init__(self, store: Store, deliver: Callable[[str, str], None]) -> None:
        self._store = store
        self._deliver = deliver
        self.request: Json = {"id": None, "idempotency_key": None}

    def find(self, kind: str, identifier: str, *, param: str = "id") -> Json:
        """The object. Raises Refusal where there is none."""
        found = self._store.get(kind, identifier)
        if found is None:
            raise missing(kind, identifier, param=param)
        return found

    def create_intent(self, params: Json) -> Json:
        """https://docs.stripe.com/api/payment_intents/create, and confirms at once where asked to."""
        if "payment_method_types" in params:
            raise invalid(
                "The parameter `payment_method_types` is no longer supported; use allowed_payment_method_types.",
                code="payment_method_types_no_longer_supported",
                param="payment_method_types",
            )
        only(params, *PARAMETERS["payment_intents.create"])
        amount = integer(params, "amount")
        if amount < SMALLEST:
            raise invalid("Amount must convert to at least 50 cents.", code="amount_too_small", param="amount")
        if amount > LARGEST:
            raise invalid(f"Amount must be no more than {LARGEST}.", code="amount_too_large", param="amount")
        currency = str(params.get("currency", "")).lower()
        if not re.fullmatch("[a-z]{3}", currency):
            raise invalid(f"Invalid currency: {currency}.", param="currency")
        capture_method = one_of(params, "capture_method", ("automatic", "automatic_async", "manual"), "automatic_async")
        intent = objects.payment_intent(amount, currency, capture_method, params)
        if "payment_method" in params:
            intent["payment_method"] = self.payment_method(str(params["payment_method"]))["id"]
            intent["status"] = "requires_confirmation"
        self._save(intent)
        self._tell("payment_intent.created", intent)
        if params.get("confirm") == "true":
            return self.confirm_intent(intent["id"], {"return_url": params.get("return_url")})
        return intent

    def payment_method(self, name: str) -> Json:
        """A fresh payment method for a test card's token, or the one that was made of it before."""
        if name in CARDS:
            method = objects.payment_method(name, CARDS[name])
            self._save(method)
            return method
        return self.find("payment_method", name, param="payment_method")

    def confirm_intent(self, identifier: str, params: Json) -> Json:
        """https://docs.stripe.com/api/payment_intents/confirm."""
        only(params, *PARAMETERS["payment_intents.confirm"])
        intent = self.find("payment_intent", identifier, param="intent")
        given = params.get("payment_method")
        method = self.payment_method(str(given)) if given else None
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise self._unexpected(intent, "confirmed", "requires_confirmation, requires_action")
        if method is None and intent["payment_method"] is None:
            raise self._unexpected(intent, "confirmed", "requires_confirmation, requires_action")
        if method:
            intent["payment_method"] = method["id"]
        intent.update(last_payment_error=None, next_action=None)
        if not self._card(intent).authenticates:
            return self._charge(intent)
        return_url = params.get("return_url")
        intent["status"] = "requires_action"
        intent["_return_url"] = return_url
        intent["next_action"] = {
            "redirect_to_url": {"return_url": return_url, "url": f"{self.request['base']}/3ds/{identifier}"},
            "type": "redirect_to_url",
        }
        self._save(intent)
        self._tell("payment_intent.requires_action", intent)
        return intent

    def authenticate(self, identifier: str, *, passed: bool) -> Json:
        """What the buyer did on the bank's page. Doing it again changes nothing."""
        intent = self.find("payment_intent", identifier)
        if intent["status"] != "requires_action":
            return intent
        intent["next_action"] = None
        if passed:
            try:
                return self._charge(intent)
            except Refusal:
                return self.find("payment_intent", identifier)
        self._fail(
            intent,
            Decline(
                "payment_intent_authentication_failure",
                None,
                "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
                "PaymentMethod to attempt to fulfill this PaymentIntent again.",
            ),
        )
        return intent

    def capture_intent(self, identifier: str, params: Json) -> Json:
        """https://docs.stripe.com/api/payment_intents/capture; what is not taken is let go."""
        only(params, *PARAMETERS["payment_intents.capture"])
        intent = self.find("payment_intent", identifier, param="intent")
        if intent["status"] != "requires_capture":
            raise self._unexpected(intent, "captured", "requires_capture")
        amount = integer(params, "amount_to_capture") if "amount_to_capture" in params else intent["amount_capturable"]
        if amount > intent["amount_capturable"]:
            raise refused(
                "The amount to capture is greater than the amount that can be captured.",
                code="amount_too_large",
                param="amount_to_capture",
            )
        charge = self.find("charge", intent["latest_charge"])
        self._refuse_capture(intent, charge)
        self._take(intent, charge, amount)
        return intent

    def cancel_intent(self, identifier: str, params: Json) -> Json:
        """https://docs.stripe.com/api/payment_intents/cancel; lets go of what is held."""
        only(params, *PARAMETERS["payment_intents.cancel"])
        intent = self.find("payment_intent", identifier, param="intent")
        reason = (
            one_of(params, "cancellation_reason", _CANCEL_REASONS, "") if params.get("cancellation_reason") else None
        )
        if intent["status"] not in _CANCELABLE:
            raise self._unexpected(intent, "canceled", ", ".join(_CANCELABLE))
        self._cancel(intent, reason)
        return intent

    def create_refund(self, params: Json) -> Json:
        """https://docs.stripe.com/api/refunds/create; never more than is left of the captured amount."""
        only(params, *PARAMETERS["refunds.create"])
        if not params.get("payment_intent") and not params.get("charge"):
            raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
        if params.get("reason"):
            one_of(params, "reason", _REFUND_REASONS, "")
        charge = self._refundable(params)
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = integer(params, "amount") if "amount" in params else left
        if left == 0:
            raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if charge["disputed"]:
            raise refused(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        if amount > left:
            raise refused(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
            )
        return self._give_back(charge, amount, params)

    def create_dispute(self, intent_id: str, reason: str = "fraudulent") -> Json:
        """The buyer tells the bank that the payment is not right."""
        charge = self.find("charge", self.find("payment_intent", intent_id)["latest_charge"] or "")
        dispute = objects.dispute(charge, reason)
        charge["disputed"] = True
        self._save(charge)
        self._save(dispute)
        self._tell("charge.dispute.created", dispute)
        return dispute

    def settle_refund(self, identifier: str, *, succeeded: bool) -> Json:
        """What the bank did with a refund in the end; one that failed is available to the shop again."""
        refund = self.find("refund", identifier)
        refund["status"] = "succeeded" if succeeded else "failed"
        if not succeeded:
            refund["failure_reason"] = "expired_or_canceled_card"
            charge = self.find("charge", refund["charge"])
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._save(charge)
        self._save(refund)
        self._tell("refund.updated" if succeeded else "refund.failed", refund)
        return refund

    def create_endpoint(self, params: Json) -> Json:
        """https://docs.stripe.com/api/webhook_endpoints/create; the only answer that shows the secret."""
        only(params, *PARAMETERS["webhook_endpoints.create"])
        if not str(params.get("url", "")).startswith(("http://", "https://")):
            raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
        if not isinstance(params.get("enabled_events"), list):
            raise invalid("Missing required param: enabled_events.", code="parameter_missing", param="enabled_events")
        endpoint = objects.webhook_endpoint(params)
        self._save(endpoint)
        return {**endpoint, "secret": endpoint["_secret"]}

    def delete_endpoint(self, identifier: str) -> Json:
        """https://docs.stripe.com/api/webhook_endpoints/delete."""
        self.find("webhook_endpoint", identifier)
        self._store.delete("webhook_endpoint", identifier)
        return {"id": identifier, "object": "webhook_endpoint", "deleted": True}

    def _charge(self, intent: Json) -> Json:
        card = self._card(intent)
        charge = objects.charge(intent, self.find("payment_method", intent["payment_method"]), card)
        self._save(charge)
        intent["latest_charge"] = charge["id"]
        if card.decline:
            self._tell("charge.failed", charge)
            raise self._fail(intent, card.decline, charge)
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        self._save(intent)
        self._tell("charge.succeeded", charge)
        if intent["capture_method"] == "manual":
            self._tell("payment_intent.amount_capturable_updated", intent)
        else:
            self._take(intent, charge, intent["amount"])
        return intent

    def _fail(self, intent: Json, decline: Decline, charge: Json | None = None) -> Refusal:
        """Leaves the intent waiting for another card; answers the refusal that tells of it."""
        method = self.find("payment_method", intent["payment_method"])
        error = {
            "type": "card_error" if charge else "invalid_request_error",
            "code": decline.code,
            "message": decline.message,
            "payment_method": objects.public(method),
            **({"decline_code": decline.decline_code} if decline.decline_code else {}),
            **({"charge": charge["id"]} if charge else {}),
        }
        intent.update(
            status="requires_payment_method",
            amount_capturable=0,
            payment_method=None,
            last_payment_error=error,
        )
        self._save(intent)
        self._tell("payment_intent.payment_failed", intent)
        more = {name: value for name, value in error.items() if name not in ("type", "message")}
        return Refusal(402, error["type"], decline.message, kept=True, payment_intent=objects.public(intent), **more)

    def _refuse_capture(self, intent: Json, charge: Json) -> None:
        card = self._card(intent)
        if card.capture == "declined":
            charge.update(status="failed", paid=False, failure_code=GENERIC.code, failure_message=GENERIC.message)
            self._save(charge)
            raise self._fail(intent, GENERIC, charge)
        if card.capture == "expired":
            self._cancel(intent, "expired")
            self._tell("charge.expired", charge)
            raise refused(
                f"The charge {charge['id']} cannot be captured because the charge has expired.",
                code="charge_expired_for_capture",
            )

    def _take(self, intent: Json, charge: Json, amount: int) -> None:
        charge.update(captured=True, amount_captured=amount)
        intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
        self._save(charge)
        self._save(intent)
        self._tell("charge.captured", charge)
        self._tell("payment_intent.succeeded", intent)
        reason = self._card(intent).dispute
        if reason:
            self.create_dispute(intent["id"], reason)

    def _cancel(self, intent: Json, reason: str | None) -> None:
        """No refund and no `charge.refunded`: https://docs.stripe.com/changelog/basil/2025-03-31."""
        intent.update(
            status="canceled",
            amount_capturable=0,
            next_action=None,
            canceled_at=objects.now(),
            cancellation_reason=reason,
        )
        self._save(intent)
        self._tell("payment_intent.canceled", intent)

    def _refundable(self, params: Json) -> Json:
        if params.get("payment_intent"):
            intent = self.find("payment_intent", str(params["payment_intent"]), param="payment_intent")
            charge_id = intent["latest_charge"]
            if intent["status"] != "succeeded" or not charge_id:
                raise refused(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
            return self.find("charge", charge_id)
        charge = self.find("charge", str(params["charge"]), param="charge")
        if not charge["captured"]:
            raise refused(f"Charge {charge['id']} has no captured amount to refund.")
        return charge

    def _give_back(self, charge: Json, amount: int, params: Json) -> Json:
        refund = objects.refund(charge, amount, params)
        behaviour = self._card(self.find("payment_intent", charge["payment_intent"])).refund
        if behaviour == "pending":
            refund.update(status="pending", pending_reason="processing")
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._save(charge)
        self._save(refund)
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        if behaviour != "works":
            self.settle_refund(refund["id"], succeeded=behaviour == "pending")
        return refund

    def _unexpected(self, intent: Json, done: str, fitting: str) -> Refusal:
        return refused(
            f"This PaymentIntent could not be {done} because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be {done}: {fitting}.",
            code="payment_intent_unexpected_state",
            intent=objects.public(intent),
        )

    def _card(self, intent: Json) -> Card:
        """The test card that pays. It is kept with the payment method, which a failed intent no longer names."""
        method_id = intent["payment_method"] or self.find("charge", intent["latest_charge"])["payment_method"]
        return CARDS[self.find("payment_method", method_id)["_card"]]

    def _save(self, thing: Json) -> None:
        self._store.put(thing["object"], thing["id"], thing)

    def _tell(self, kind: str, about: Json) -> None:
        endpoints = [
            endpoint
            for endpoint in self._store.all("webhook_endpoint")
            if "*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"]
        ]
        request = {name: self.request.get(name) for name in ("id", "idempotency_key")}
        event = objects.event(kind, about, len(endpoints), request)
        self._save(event)
        for endpoint in endpoints:
            self._deliver(endpoint["id"], event["id"])
