"""The double as a whole: API, bank page, webhooks and the control of tests, behind one address."""

import hashlib
import hmac
import json
import time
from pathlib import Path

from tools.doubles.control import FAULTS, Faults, PlannedFault, Record, Turnstile, pause
from tools.doubles.deliveries import Deliveries, Envelope
from tools.doubles.http import Answer, Request, Server
from tools.doubles.store import Json, Store
from tools.doubles.stripe.account import Account
from tools.doubles.stripe.api import Api
from tools.doubles.stripe.bank import Bank
from tools.doubles.stripe.errors import Refusal


def signature(payload: bytes, secret: str, moment: int) -> str:
    """The `Stripe-Signature` header: https://docs.stripe.com/webhooks#verify-manually."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class StripeDouble:
    """Port 0 takes any free one. Without `state` nothing outlives the process."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, state: Path | None = None, latency: float = 0.0
    ) -> None:
        self._server = Server(self._answer, host, port)
        self._latency = latency
        self._store = Store(state)
        self._deliveries = Deliveries(self._store, self._seal)
        self._account = Account(self._store, self._deliveries.add)
        self._record = Record()
        self._faults = Faults()
        self._turnstile = Turnstile()
        self._api = Api(self._store, self._account, self._record, self._faults, self._turnstile)
        self._bank = Bank(self._store, self._account)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def start(self) -> None:
        """Answers from now on."""
        self._server.start()

    def stop(self) -> None:
        """Ends; what was on its way stays in the state file."""
        self._turnstile.open()
        self._server.stop()
        self._deliveries.stop()
        self._store.close()

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/_double"):
            try:
                return self._control(request)
            except Refusal as refusal:
                return Answer.json({"error": refusal.error}, refusal.status)
            except (KeyError, ValueError, TypeError) as error:
                return Answer.json({"error": {"message": f"{type(error).__name__}: {error}"}}, 400)
        if request.path.startswith("/3ds/"):
            return self._bank.answer(request)
        pause(self._latency)
        return self._api.answer(request)

    def _seal(self, endpoint_id: str, event_id: str) -> Envelope | None:
        endpoint = self._store.get("webhook_endpoint", endpoint_id)
        event = self._store.get("event", event_id)
        if endpoint is None or event is None:
            return None
        body = json.dumps(event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, endpoint["_secret"], int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        return Envelope(endpoint["url"], body, headers)

    def _control(self, request: Request) -> Answer:
        """See docs/payments.md for all of them."""
        arguments = request.arguments
        body = request.json() if request.method == "POST" else {}
        match (request.method, request.path.removeprefix("/_double").strip("/").split("/")):
            case ("GET", [""]):
                return Answer.json(self._summary())
            case ("GET", ["requests"]):
                return Answer.json(list(self._record.requests))
            case ("POST", ["reset"]):
                self._record.clear()
                self._faults.clear()
                self._turnstile.open()
            case ("GET", ["charges"]):
                return Answer.json(self._charges(arguments.get("order_id")))
            case ("POST", ["faults"]):
                self._plan(body)
            case ("POST", ["hold"]):
                for operation in self._held_operations(body):
                    self._turnstile.close(operation)
            case ("GET", ["held"]):
                held = self._turnstile.held(int(arguments.get("at_least", 0)), float(arguments.get("timeout", 30)))
                return Answer.json({"held": held})
            case ("POST", ["release"]):
                return Answer.json({"released": self._turnstile.open()})
            case ("GET", ["idle"]):
                idle = self._deliveries.idle(float(arguments.get("timeout", 30)))
                return Answer.json({"idle": idle}, 200 if idle else 504)
            case ("POST", ["webhooks", "hold"]):
                self._deliveries.hold()
            case ("POST", ["webhooks", "release"]):
                self._deliveries.release(backwards=body.get("order") == "reversed", copies=int(body.get("copies", 1)))
            case ("POST", ["webhooks", "replay"]):
                return Answer.json({"sent": self._replay(body)})
            case ("POST", ["dispute"]):
                with self._store.transaction():
                    return Answer.json(
                        self._account.create_dispute(body["payment_intent"], body.get("reason", "fraudulent"))
                    )
            case ("POST", ["refunds", refund_id]):
                with self._store.transaction():
                    return Answer.json(self._account.settle_refund(refund_id, succeeded=body["status"] == "succeeded"))
            case _:
                return Answer.json({"error": {"message": "no such control; see docs/payments.md"}}, 404)
        return Answer.json({"done": True})

    def _summary(self) -> Json:
        return {
            "double": "stripe",
            "requests": dict(self._record.counts),
            "intents": len(self._store.all("payment_intent")),
            "held": self._turnstile.held(),
            "webhooks_on_their_way": self._deliveries.waiting,
        }

    def _charges(self, order_id: str | None) -> list[Json]:
        """What was really charged, by order: what tests count."""
        return [
            {
                "order_id": charge["metadata"].get("order_id"),
                "charge_id": charge["id"],
                "payment_intent": charge["payment_intent"],
                "status": charge["status"],
                "amount": charge["amount"],
                "captured": charge["amount_captured"],
                "refunded": charge["amount_refunded"] if charge["captured"] else 0,
                "held": self._held_amount(charge),
            }
            for charge in self._store.all("charge")
            if order_id in (None, charge["metadata"].get("order_id"))
        ]

    def _held_amount(self, charge: Json) -> int:
        intent = self._account.find("payment_intent", charge["payment_intent"])
        return int(intent["amount_capturable"]) if intent["latest_charge"] == charge["id"] else 0

    def _plan(self, body: Json) -> None:
        if body["operation"] not in self._api.operations or body["fault"] not in FAULTS:
            raise ValueError(f"operation is one of {self._api.operations}, fault one of {FAULTS}")
        fault = PlannedFault(body["operation"], body["fault"], int(body.get("times", 1)), float(body.get("seconds", 0)))
        self._faults.plan(fault)

    def _held_operations(self, body: Json) -> list[str]:
        names = [f"payment_intents.{step}" for step, held in body.items() if held]
        if not names or not set(names) <= set(self._api.operations):
            raise ValueError('name what to hold, such as {"confirm": true}')
        return names

    def _replay(self, body: Json) -> int:
        """Sends events again that fit `type`, `payment_intent` or `id`, to every endpoint that is registered now."""
        sent = 0
        for event in self._store.all("event"):
            about = event["data"]["object"]
            known = {
                "id": event["id"],
                "type": event["type"],
                "payment_intent": about["id"] if about["object"] == "payment_intent" else about.get("payment_intent"),
            }
            if all(known.get(name) == value for name, value in body.items()):
                for endpoint in self._store.all("webhook_endpoint"):
                    self._deliveries.add(endpoint["id"], event["id"])
                    sent += 1
        return sent
