"""The carrier behind its port: one label per parcel, by its reference."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from commerce.errors import Unauthenticated, Unavailable
from commerce.fulfilment.model import TrackingEvent, TrackingStatus, order_named, reference
from commerce.orders.model import Label, Order
from commerce.orders.model import Shipment as Parcel
from tools.simulation.boundary import Boundaries
from tools.simulation.lean.bank import SIGNATURE
from tools.simulation.parcels import Shipment


class DepotLine:
    """What reaches the shop where the carrier does not answer."""

    def throttled(self) -> Exception:
        """A 429, however often it was tried."""
        return Unavailable("the carrier does not answer")

    conflict = unanswered = throttled


@dataclass
class Depot:
    """The carrier's books. `bought` is told of each label."""

    boundaries: Boundaries
    bought: Callable[[Shipment], None]
    shipments: dict[str, Shipment] = field(default_factory=dict)
    """By reference."""

    def buy_label(self, order: Order, shipment: Parcel, weight_grams: int, key: str) -> Label:
        """The parcel's one label. Raises Unavailable."""
        name = reference(order, shipment)

        def buy() -> Label:
            known = self.shipments.get(name)
            if known is None or known.refunded:
                known = self.shipments[name] = Shipment(f"shp_{name}", name, status="pre_transit")
                self.bought(known)
            return Label(
                id=known.id,
                carrier="USPS",
                tracking_number=known.tracking_code,
                tracking_url=f"https://carrier/{name}",
                label_url=f"https://carrier/{name}.png",
            )

        return self.boundaries.call("depot.buy_label", "depot.write", buy, DepotLine(), attempts=1)

    def void_label(self, order: Order, shipment: Parcel) -> None:
        """Takes an unused label back. Raises Unavailable."""

        def void() -> None:
            known = self.shipments.get(reference(order, shipment))
            if known is not None and known.status == "pre_transit":
                known.refunded = True

        self.boundaries.call("depot.void_label", "depot.write", void, DepotLine(), attempts=1)

    def latest(self, parcels: Sequence[tuple[Order, Label]], *, until: datetime) -> Iterator[TrackingEvent]:
        """The last news of each of these parcels, if they are from before then. Raises Unavailable."""
        wanted = {label.tracking_number for _, label in parcels}

        def told() -> list[TrackingEvent]:
            return [
                _news(one.reference, one.status, one.moved_at)
                for one in self.shipments.values()
                if one.tracking_code in wanted and one.moved_at and one.moved_at <= until.timestamp()
            ]

        return iter(self.boundaries.call("depot.latest", "depot.read", told, DepotLine(), attempts=1))

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """The news in a webhook's body. Raises Unauthenticated."""
        if headers["x-hmac-signature"] != SIGNATURE:
            raise Unauthenticated("the webhook's signature does not hold")
        return _news(*json.loads(raw_body))


def _news(name: str, status: str, moved_at: float) -> TrackingEvent:
    return TrackingEvent(
        order_id=order_named(name),
        tracking_number=f"TRACKshp_{name}",
        status=cast(TrackingStatus, status),
        occurred_at=datetime.fromtimestamp(int(moved_at), UTC),
    )
