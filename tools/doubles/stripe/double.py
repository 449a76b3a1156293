"""The double as a whole: API, bank page, webhooks and the control of tests, behind one address."""

import hashlib
import hmac
import json
import time
from pathlib import Path

from tools.doubles.control import Control, Faults, Record, Turnstile, controlled, pause
from tools.doubles.deliveries import Deliveries, Envelope
from tools.doubles.http import Answer, Request, Server
from tools.doubles.store import Json, Store
from tools.doubles.stripe.account import Account
from tools.doubles.stripe.api import Api
from tools.doubles.stripe.bank import Bank


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
        record, faults, self._turnstile = Record(), Faults(), Turnstile()
        self._api = Api(self._store, self._account, record, faults, self._turnstile)
        self._control = Control(self._api.operations, self._deliveries, record, faults, self._turnstile, self._figures)
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
            return controlled(self._control, self._own_control, request)
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

    def _own_control(self, request: Request) -> Answer | None:
        match (request.method, request.path.removeprefix("/_double").strip("/").split("/")):
            case ("GET", ["charges"]):
                return Answer.json(self._charges(request.arguments.get("order_id")))
            case ("POST", ["webhooks", "replay"]):
                return Answer.json({"sent": self._replay(request.json())})
            case ("POST", ["forget"]):
                self._api.forget()
                return Answer.json({"done": True})
            case ("POST", ["dispute"]):
                body = request.json()
                with self._store.transaction():
                    return Answer.json(
                        self._account.create_dispute(body["payment_intent"], body.get("reason", "fraudulent"))
                    )
        return None

    def _figures(self) -> Json:
        """`authorized` payments are held or taken, `captured` ones taken."""
        states = [intent["status"] for intent in self._store.all("payment_intent")]
        captured = states.count("succeeded")
        return {
            "intents": len(states),
            "authorized": states.count("requires_capture") + captured,
            "captured": captured,
            "refunds": len(self._store.all("refund")),
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
                "refunded": charge["amount_refunded"],
                "held": self._held_amount(charge),
            }
            for charge in self._store.all("charge")
            if order_id in (None, charge["metadata"].get("order_id"))
        ]

    def _held_amount(self, charge: Json) -> int:
        intent = self._account.find("payment_intent", charge["payment_intent"])
        return int(intent["amount_capturable"]) if intent["latest_charge"] == charge["id"] else 0

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
