"""New objects in the shapes that Stripe publishes. Names that begin with `_` are ours and never leave the double."""

import secrets
import string
import time
from typing import Any

from tools.doubles.store import Json
from tools.doubles.stripe.cards import Card

API_VERSION = "2026-10-28.endive"
"""The version whose shapes these are; what stripe 16.1.0 asks for."""

_ALPHABET = string.ascii_letters + string.digits


def token(prefix: str, length: int = 24) -> str:
    """A fresh id such as `pi_3Kx…`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def now() -> int:
    """Epoch seconds, as all of Stripe's times."""
    return int(time.time())


def public(value: Any) -> Any:
    """The value without what is ours."""
    if isinstance(value, dict):
        return {name: public(part) for name, part in value.items() if not name.startswith("_")}
    return [public(part) for part in value] if isinstance(value, list) else value


def billing_details() -> Json:
    """Nobody's."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {"address": address, "email": None, "name": None, "phone": None, "tax_id": None}


def _checks() -> Json:
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


def payment_method(name: str, card: Card) -> Json:
    """A payment method made of a test card, fresh for each use as at Stripe."""
    return {
        "id": token("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(),
        "card": {
            "brand": card.brand,
            "checks": _checks(),
            "country": "US",
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"{card.brand}{card.last4}".ljust(16, "x")[:16],
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_card": name,
    }


def payment_intent(amount: int, currency: str, capture_method: str, params: Json) -> Json:
    """An intent that nobody has paid yet."""
    identifier = token("pi_3")
    automatic = params.get("automatic_payment_methods")
    return {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": (
            {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": True} if automatic else None
        ),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": capture_method,
        "client_secret": token(f"{identifier}_secret_", 25),
        "confirmation_method": "automatic",
        "created": now(),
        "currency": currency,
        "customer": None,
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


_RISK_SCORES = {"normal": 21, "elevated": 67, "highest": 92}


def charge(intent: Json, method: Json, card: Card) -> Json:
    """The attempt to charge the intent's payment method: held, or refused as the card says."""
    decline = card.decline
    details = {name: value for name, value in method["card"].items() if name not in ("display_brand", "networks")}
    for unknown_here in ("generated_from", "three_d_secure_usage"):
        details.pop(unknown_here)
    outcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": "05" if decline else None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline and (decline.decline_code or decline.code),
        "risk_level": card.risk,
        "risk_score": _RISK_SCORES[card.risk],
        "seller_message": "The bank did not return any further details." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }
    return {
        "id": token("ch_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": billing_details(),
        "calculated_statement_descriptor": "TRADEPOST",
        "captured": False,
        "created": now(),
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline and decline.code,
        "failure_message": decline and decline.message,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": outcome,
        "paid": not decline,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {
                **details,
                "amount_authorized": None if decline else intent["amount"],
                "authorization_code": None if decline else "".join(secrets.choice(string.digits) for _ in range(6)),
                "capture_before": None if decline else now() + 7 * 86_400,
                "installments": None,
                "mandate": None,
                "network": card.brand,
                "network_token": {"used": False},
                "three_d_secure": None,
            },
            "type": "card",
        },
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "failed" if decline else "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def refund(charged: Json, amount: int, params: Json) -> Json:
    """Money on its way back."""
    return {
        "id": token("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charged["id"],
        "created": now(),
        "currency": charged["currency"],
        "destination_details": {
            "card": {
                "reference": None,
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": params.get("metadata") or {},
        "payment_intent": charged["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def dispute(charged: Json, reason: str) -> Json:
    """The buyer's bank takes the money back for now."""
    return {
        "id": token("dp_1"),
        "object": "dispute",
        "amount": charged["amount_captured"],
        "balance_transactions": [],
        "charge": charged["id"],
        "created": now(),
        "currency": charged["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": now() + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charged["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }


def event(kind: str, about: Json, receivers: int, request: Json) -> Json:
    """A snapshot of the object at the moment at which something happened to it."""
    return {
        "id": token("evt_1"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now(),
        "data": {"object": public(about)},
        "livemode": False,
        "pending_webhooks": receivers,
        "request": request,
        "type": kind,
    }


def webhook_endpoint(params: Json) -> Json:
    """A receiver of events. Its secret is shown once, in the answer to its creation."""
    return {
        "id": token("we_1"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "status": "enabled",
        "url": params["url"],
        "_secret": token("whsec_", 32),
    }


def page(objects: list[Json], url: str, *, more: bool) -> Json:
    """A list object."""
    return {"object": "list", "data": [public(one) for one in objects], "has_more": more, "url": url}
