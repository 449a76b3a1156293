"""The carrier's books: shipments, labels, parcels on their way, and who is told of them."""

from collections.abc import Callable

from tools.doubles.carrier import objects
from tools.doubles.store import Json, Store

_REQUIRED = ("street1", "city", "country")
_PAGE, _LARGEST_PAGE = 20, 100


class Refused(ValueError):
    """An error in EasyPost's shape: {"error": {"code", "message", "errors"}}."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Depot:
    """Each method is one operation, run inside one transaction. `base` is the double's address, for links."""

    def __init__(self, store: Store, deliver: Callable[[str, str], None]) -> None:
        self._store = store
        self._deliver = deliver
        self.base = ""

    def listed(self, kind: str, wanted: Json) -> Json:
        """A page, the newest first; of trackers only those with the `tracking_codes`, where some are named."""
        things = self._store.all(kind)[::-1]
        if "tracking_codes" in wanted:
            things = [thing for thing in things if thing["tracking_code"] in wanted["tracking_codes"]]
        size = min(int(wanted.get("page_size", _PAGE)), _LARGEST_PAGE)
        return {f"{kind}s": things[:size], "has_more": len(things) > size}

    def create_shipment(self, body: Json) -> Json:
        """Rates for a parcel; nothing is bought."""
        given = body.get("shipment") or {}
        for side in ("to_address", "from_address"):
            absent = [name for name in _REQUIRED if not (given.get(side) or {}).get(name)]
            if absent:
                raise Refused(422, "ADDRESS.PARAMETERS.INVALID", f"{side} lacks {', '.join(absent)}")
        if float((given.get("parcel") or {}).get("weight") or 0) <= 0:
            raise Refused(422, "PARCEL.WEIGHT.INVALID", "the parcel's weight must be more than 0 ounces")
        shipment = objects.shipment(given)
        self._store.put("shipment", shipment["id"], shipment)
        return shipment

    def shipment(self, identifier: str) -> Json:
        """By its id, or the newest with this reference."""
        found = self._store.get("shipment", identifier)
        if found is None:
            named = [one for one in self._store.all("shipment") if one["reference"] == identifier]
            found = named[-1] if named else None
        if found is None:
            raise Refused(404, "NOT_FOUND", "The requested resource could not be found.")
        return found

    def buy(self, identifier: str, body: Json) -> Json:
        """Buys the label, once."""
        shipment = self.shipment(identifier)
        if shipment["postage_label"]:
            raise Refused(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        rate = next((one for one in shipment["rates"] if one["id"] == (body.get("rate") or {}).get("id")), None)
        if rate is None:
            raise Refused(422, "SHIPMENT.POSTAGE.RATE_ID_INVALID", "The rate is none of this shipment's.")
        code = objects.tracking_code()
        tracker = objects.tracker(code, rate["carrier"], shipment["id"], self.base, rate["delivery_days"])
        tracker = objects.moved(tracker, "pre_transit")
        shipment.update(
            selected_rate=rate,
            tracking_code=code,
            postage_label=objects.postage_label(f"{self.base}/labels/{shipment['id']}.svg"),
            status="pre_transit",
            tracker=tracker,
            updated_at=objects.moment(),
        )
        self._store.put("shipment", shipment["id"], shipment)
        self._store.put("tracker", tracker["id"], tracker)
        self._tell(tracker, "tracker.created", {})
        return shipment

    def refund(self, identifier: str, _: Json) -> Json:
        """Takes an unused label back."""
        shipment = self.shipment(identifier)
        if not shipment["postage_label"]:
            raise Refused(422, "SHIPMENT.REFUND.UNAVAILABLE", "There is no postage to refund.")
        if shipment["refund_status"]:
            raise Refused(422, "SHIPMENT.REFUND.UNAVAILABLE", "The postage was refunded before.")
        if self.tracker(shipment["tracking_code"])["status"] != "pre_transit":
            raise Refused(422, "SHIPMENT.REFUND.UNAVAILABLE", "The parcel is on its way.")
        shipment.update(refund_status="submitted", updated_at=objects.moment())
        self._store.put("shipment", shipment["id"], shipment)
        self.move(shipment["tracking_code"], "cancelled")
        return shipment

    def tracker(self, identifier: str) -> Json:
        """By its id or its tracking code."""
        known = self._store.get("tracker", identifier)
        if known is None:
            known = next((one for one in self._store.all("tracker") if one["tracking_code"] == identifier), None)
        if known is None:
            raise Refused(404, "NOT_FOUND", "The requested resource could not be found.")
        return known

    def create_tracker(self, body: Json) -> Json:
        """Follows a parcel that was not bought here."""
        given = body.get("tracker") or {}
        if not given.get("tracking_code"):
            raise Refused(422, "TRACKER.CREATE.ERROR", "tracking_code is missing")
        tracker = objects.tracker(str(given["tracking_code"]), str(given.get("carrier") or "USPS"), None, self.base)
        self._store.put("tracker", tracker["id"], tracker)
        return tracker

    def move(self, code: str, status: str, message: str | None = None) -> Json:
        """Something happened to the parcel. Nothing follows its end."""
        if status not in objects.STATUSES:
            raise ValueError(f"status is one of {', '.join(objects.STATUSES)}")
        known = self.tracker(code)
        tracker = objects.moved(known, status, message)
        self._store.put("tracker", tracker["id"], tracker)
        if tracker["shipment_id"]:
            shipment = self.shipment(tracker["shipment_id"])
            shipment.update(tracker=tracker, status=tracker["status"], updated_at=tracker["updated_at"])
            self._store.put("shipment", shipment["id"], shipment)
        self._tell(tracker, "tracker.updated", {"status": known["status"]})
        return tracker

    def move_all(self) -> None:
        """Every parcel takes its next step."""
        for tracker in self._store.all("tracker"):
            if tracker["status"] in objects.NEXT:
                self.move(tracker["tracking_code"], objects.NEXT[tracker["status"]])

    def create_webhook(self, body: Json) -> Json:
        """Tells this address from now on; the secret signs what is sent."""
        given = body.get("webhook") or {}
        if not str(given.get("url", "")).startswith(("http://", "https://")):
            raise Refused(422, "WEBHOOK.URL.INVALID", "url must begin with http:// or https://")
        webhook = objects.webhook(given)
        self._store.put("webhook", webhook["id"], webhook)
        self._store.put("secret", webhook["id"], {"secret": str(given.get("webhook_secret") or "")})
        return webhook

    def webhook(self, identifier: str) -> Json:
        """A receiver."""
        known = self._store.get("webhook", identifier)
        if known is None:
            raise Refused(404, "NOT_FOUND", "The requested resource could not be found.")
        return known

    def delete_webhook(self, identifier: str) -> Json:
        """Tells this address no more."""
        self.webhook(identifier)
        self._store.delete("webhook", identifier)
        self._store.delete("secret", identifier)
        return {}

    def _tell(self, tracker: Json, description: str, previous: Json) -> None:
        event = objects.event(tracker, description, previous)
        self._store.put("event", event["id"], event)
        for webhook in self._store.all("webhook"):
            self._deliver(webhook["id"], event["id"])
