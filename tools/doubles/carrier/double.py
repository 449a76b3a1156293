"""The double as a whole: API, labels, webhooks, parcels that move, and the control of tests, behind one address."""

import base64
import hashlib
import hmac
import html
import json
import re
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path

from tools.doubles.carrier.depot import Depot, Refused
from tools.doubles.carrier.label import label
from tools.doubles.control import Control, Faults, PlannedFault, Record, Turnstile, controlled, pause
from tools.doubles.deliveries import Deliveries, Envelope
from tools.doubles.http import Answer, Dropped, Request, Server
from tools.doubles.store import Json, Store

Action = Callable[[Depot, str, Json], Json]

_ROUTES: tuple[tuple[str, str, str, Action], ...] = (
    ("POST", "/v2/shipments", "shipments.create", lambda depot, _, body: depot.create_shipment(body)),
    ("GET", "/v2/shipments/<id>", "shipments.retrieve", lambda depot, i, _: depot.shipment(i)),
    ("POST", "/v2/shipments/<id>/buy", "shipments.buy", lambda depot, i, body: depot.buy(i, body)),
    ("POST", "/v2/shipments/<id>/refund", "shipments.refund", lambda depot, i, body: depot.refund(i, body)),
    ("GET", "/v2/shipments", "shipments.list", lambda depot, _, wanted: depot.listed("shipment", wanted)),
    ("POST", "/v2/trackers", "trackers.create", lambda depot, _, body: depot.create_tracker(body)),
    ("GET", "/v2/trackers/<id>", "trackers.retrieve", lambda depot, i, _: depot.tracker(i)),
    ("GET", "/v2/trackers", "trackers.list", lambda depot, _, wanted: depot.listed("tracker", wanted)),
    ("POST", "/v2/webhooks", "webhooks.create", lambda depot, _, body: depot.create_webhook(body)),
    ("GET", "/v2/webhooks/<id>", "webhooks.retrieve", lambda depot, i, _: depot.webhook(i)),
    ("DELETE", "/v2/webhooks/<id>", "webhooks.delete", lambda depot, i, _: depot.delete_webhook(i)),
    ("GET", "/v2/webhooks", "webhooks.list", lambda depot, _, wanted: depot.listed("webhook", wanted)),
)
OPERATIONS = tuple(operation for _, _, operation, _ in _ROUTES)


def signature(payload: bytes, secret: str) -> str:
    """The `X-Hmac-Signature` header: https://docs.easypost.com/guides/webhooks-guide."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return f"hmac-sha256-hex={hmac.new(key, payload, hashlib.sha256).hexdigest()}"


class CarrierDouble:
    """Port 0 takes any free one. `auto` seconds after each other all parcels take a step by themselves."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, state: Path | None = None, auto: float | None = None
    ) -> None:
        self._server = Server(self._answer, host, port)
        self._store = Store(state)
        self._deliveries = Deliveries(self._store, self._seal)
        self._depot = Depot(self._store, self._deliveries.add)
        self._depot.base = self._server.url
        self._record, self._faults, self._turnstile = Record(), Faults(), Turnstile()
        self._control = Control(
            OPERATIONS, self._deliveries, self._record, self._faults, self._turnstile, self._figures
        )
        self._stopped = threading.Event()
        self._auto = auto
        self._mover = threading.Thread(target=self._move, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens; the API's base is this and `/v2`."""
        return self._server.url

    def start(self) -> None:
        """Answers from now on."""
        self._server.start()
        self._mover.start()

    def stop(self) -> None:
        """Ends; what was on its way stays in the state file."""
        self._stopped.set()
        self._turnstile.open()
        self._server.stop()
        self._mover.join()
        self._deliveries.stop()
        self._store.close()

    def _move(self) -> None:
        while self._auto is not None and not self._stopped.wait(self._auto):
            with self._store.transaction():
                self._depot.move_all()

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/_double"):
            return controlled(self._control, self._own_control, request)
        if request.path.startswith("/labels/"):
            return self._label(request.path.removeprefix("/labels/").removesuffix(".svg"))
        if request.path.startswith("/track/"):
            return self._page(request.path.removeprefix("/track/"))
        try:
            return self._api(request)
        except Refused as refused:
            body = {"error": {"code": refused.code, "message": str(refused), "errors": []}}
            return Answer.json(body, refused.status)

    def _api(self, request: Request) -> Answer:
        _authenticate(request)
        for method, path, operation, action in _ROUTES:
            found = re.fullmatch(path.replace("<id>", r"([\w-]+)"), request.path)
            if found and method == request.method:
                return self._perform(request, operation, action, found[1] if found.groups() else "")
        raise Refused(404, "NOT_FOUND", "The double knows only what the shop uses.")

    def _perform(self, request: Request, operation: str, action: Action, identifier: str) -> Answer:
        self._turnstile.enter(operation)
        fault = self._faults.take(operation)
        status = 500
        try:
            _fail_before(fault)
            with self._store.transaction():
                body = action(self._depot, identifier, request.json() if request.method == "POST" else request.form())
            status = 200
        except Refused as refused:
            status = refused.status
            raise
        finally:
            self._record.add(operation, path=request.path, status=status)
        _fail_after(fault)
        return Answer.json(body)

    def _own_control(self, request: Request) -> Answer | None:
        match (request.method, request.path.removeprefix("/_double").strip("/").split("/")):
            case ("POST", ["track", code]):
                body = request.json()
                with self._store.transaction():
                    return Answer.json(self._depot.move(code, body["status"], body.get("message")))
            case ("GET", ["parcels"]):
                return Answer.json([self._parcel(shipment) for shipment in self._store.all("shipment")])
        return None

    def _figures(self) -> Json:
        shipments = self._store.all("shipment")
        bought = [shipment for shipment in shipments if shipment["postage_label"]]
        return {"shipments": len(shipments), "labels": len(bought)}

    @staticmethod
    def _parcel(shipment: Json) -> Json:
        names = ("id", "reference", "tracking_code", "status", "refund_status")
        return {**{name: shipment[name] for name in names}, "bought": shipment["postage_label"] is not None}

    def _label(self, shipment_id: str) -> Answer:
        shipment = self._store.get("shipment", shipment_id)
        if shipment is None or shipment["postage_label"] is None:
            return Answer.html("<p>There is no such label.</p>", 404)
        return Answer(200, label(shipment).encode(), "image/svg+xml")

    def _page(self, code: str) -> Answer:
        try:
            tracker = self._depot.tracker(code)
        except Refused:
            return Answer.html("<p>There is no such parcel.</p>", 404)
        news = "".join(
            f"<li>{one['datetime']} {html.escape(one['message'])}</li>" for one in tracker["tracking_details"]
        )
        title = f"{html.escape(tracker['tracking_code'])}: {tracker['status']}"
        return Answer.html(f"<!doctype html><title>{title}</title><h1>{title}</h1><ol>{news}</ol>")

    def _seal(self, webhook_id: str, event_id: str) -> Envelope | None:
        webhook = self._store.get("webhook", webhook_id)
        secret = self._store.get("secret", webhook_id)
        event = self._store.get("event", event_id)
        if webhook is None or secret is None or event is None:
            return None
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "EasyPost/Webhook",
            "X-Hmac-Signature": signature(body, secret["secret"]),
        }
        return Envelope(webhook["url"], body, headers)


def _authenticate(request: Request) -> None:
    """Takes any key but a production one, which has no business here."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        credentials = base64.b64decode(credentials).decode().partition(":")[0]
    if not credentials or credentials.startswith("EZAK"):
        raise Refused(401, "APIKEY.INACTIVE", "This api key is no longer active. Please use a different api key.")


def _fail_before(fault: PlannedFault | None) -> None:
    match fault.fault if fault else None:
        case "error_before":
            raise Refused(500, "INTERNAL_SERVER_ERROR", "We're sorry, something went wrong.")
        case "drop_before":
            raise Dropped
        case "rate_limit":
            raise Refused(429, "RATE_LIMITED", "You are being rate limited.")


def _fail_after(fault: PlannedFault | None) -> None:
    match fault.fault if fault else None:
        case "error_after":
            raise Refused(500, "INTERNAL_SERVER_ERROR", "We're sorry, something went wrong.")
        case "drop_after":
            raise Dropped
        case "slow":
            pause(fault.seconds if fault else 0)
