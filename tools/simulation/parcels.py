"""EasyPost without HTTP: the production gateway on a client that keeps its shipments in memory."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import easypost.errors

from tools.simulation.boundary import Boundaries
from tools.simulation.functions import WEBHOOK_SECRET

errors: Any = easypost.errors
"""EasyPost's exceptions, which it collects by a star import."""


@dataclass
class Shipment:
    """A parcel as the carrier knows it."""

    id: str
    reference: str
    bought: int = 0
    """How often its label was bought: more than once is a charge too many."""
    refunded: bool = False
    status: str = "unknown"
    moved_at: float = 0.0
    told: bool = True
    """Whether the shop took the last news of it, and knew what they are about."""

    @property
    def tracking_code(self) -> str:
        """What the carrier calls the parcel."""
        return f"TRACK{self.id}"


class CarrierLine:
    """How EasyPost's client tells of trouble."""

    def throttled(self) -> Any:
        """A 429."""
        return errors.RateLimitError("slow down")

    def conflict(self) -> Exception:
        """EasyPost knows none."""
        raise NotImplementedError

    def unanswered(self) -> Any:
        """A timeout."""
        return errors.TimeoutError("no answer")


@dataclass
class Depot:
    """The carrier's books. `bought` is told of each label that is bought."""

    boundaries: Boundaries
    bought: Callable[[Shipment], None]
    shipments: dict[str, Shipment] = field(default_factory=dict)

    def retrieve(self, identifier: str) -> Any:
        """By its id or its reference."""
        found = self._call("carrier.retrieve", "carrier.read", lambda: self._find(identifier), identifier)
        return _shown(found)

    def create(self, **wanted: Any) -> Any:
        """Rates for a parcel; nothing is bought."""

        def make() -> Shipment:
            shipment = Shipment(f"shp_{len(self.shipments) + 1}", wanted["reference"])
            self.shipments[shipment.id] = shipment
            return shipment

        return _shown(self._call("carrier.create", "carrier.write", make, wanted["reference"]))

    def buy(self, identifier: str, *, rate: Any) -> Any:
        """Buys the label, once."""

        def pay() -> Shipment:
            shipment = self._find(identifier)
            if shipment.bought:
                raise errors.InvalidRequestError("postage exists")
            shipment.bought += 1
            shipment.status, shipment.moved_at = "pre_transit", self.boundaries.scheduler.now
            self.bought(shipment)
            return shipment

        return _shown(self._call("carrier.buy", "carrier.write", pay, identifier))

    def refund(self, identifier: str) -> Any:
        """Takes an unused label back."""

        def pay_back() -> Shipment:
            shipment = self._find(identifier)
            if shipment.refunded or shipment.status != "pre_transit":
                raise errors.InvalidRequestError("not refundable")
            shipment.refunded = True
            return shipment

        return _shown(self._call("carrier.refund", "carrier.write", pay_back, identifier))

    def all(self, *, tracking_codes: list[str], page_size: int) -> Any:
        """The trackers with these codes."""

        def find() -> list[Shipment]:
            return [one for one in self.shipments.values() if one.tracking_code in tracking_codes]

        found = self._call("carrier.list", "carrier.read", find, " ".join(tracking_codes))
        assert len(found) <= page_size
        shown = [partial(_tracker, one, one.status, one.moved_at) for one in found]
        return {"trackers": [SimpleNamespace(to_dict=show) for show in shown]}

    def _find(self, identifier: str) -> Shipment:
        known = self.shipments.get(identifier)
        if known is None:
            known = next((one for one in reversed(self.shipments.values()) if one.reference == identifier), None)
        if known is None:
            raise errors.NotFoundError("no such shipment")
        return known

    def _call(self, boundary: str, category: str, do: Callable[[], Any], about: str) -> Any:
        self.boundaries.story.tell(boundary, about)
        kind = self.boundaries.strike(boundary, category, seconds=0.3)
        if kind is None:
            return do()
        if kind == "outage_after":
            self.boundaries.fired(kind, boundary)
            do()
            raise errors.InternalServerError("an outage")
        return self.boundaries.fail(kind, boundary, do, CarrierLine(), attempts=1)


def _shown(shipment: Shipment) -> Any:
    """As EasyPost's client shows it."""
    label = SimpleNamespace(label_url=f"https://carrier/{shipment.id}.png") if shipment.bought else None
    return SimpleNamespace(
        id=shipment.id,
        reference=shipment.reference,
        rates=[SimpleNamespace(id="rate_1", carrier="USPS", rate="5.45")],
        selected_rate=SimpleNamespace(carrier="USPS"),
        tracking_code=shipment.tracking_code,
        tracker=SimpleNamespace(public_url=f"https://carrier/{shipment.id}"),
        postage_label=label,
    )


def _tracker(shipment: Shipment, status: str, moment: float) -> dict[str, Any]:
    when = datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lost = status == "lost"
    return {
        "object": "Tracker",
        "status": "failure" if lost else status,
        "status_detail": "lost" if lost else "unknown",
        "shipment_id": shipment.id,
        "tracking_code": shipment.tracking_code,
        "tracking_details": [{"datetime": when}],
        "updated_at": when,
    }


def webhook(shipment: Shipment, status: str, moment: float, *, forged: bool = False) -> tuple[str, dict[str, str]]:
    """The news that the parcel has this status: body and headers."""
    tracker = _tracker(shipment, status, moment)
    body = json.dumps({"object": "Event", "description": "tracker.updated", "result": tracker})
    key = (WEBHOOK_SECRET if not forged else "somebody else's").encode()
    digest = hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
    return body, {"x-hmac-signature": f"hmac-sha256-hex={digest}"}
