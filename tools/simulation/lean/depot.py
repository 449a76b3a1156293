"""The carrier behind the port `commerce.fulfilment.shipping.Carrier`: one label per parcel, by its reference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from commerce.errors import Unavailable
from commerce.fulfilment.model import TrackingEvent, TrackingStatus, reference
from commerce.orders.model import Label, Order, Shipment
from tools.simulation.boundary import Boundaries


@dataclass
class Parcel:
    """A labelled parcel as the carrier knows it."""

    reference: str
    order_id: str
    given_back: bool = False
    status: TrackingStatus = "pre_transit"
    moved_at: float = 0.0
    told: bool = True
    """Whether the shop took the last news of it."""

    @property
    def tracking_code(self) -> str:
        """What the carrier calls the parcel."""
        return f"TRACK-{self.reference}"

    @property
    def news(self) -> TrackingEvent:
        """The last there are of it."""
        return TrackingEvent(
            order_id=self.order_id,
            tracking_number=self.tracking_code,
            status=self.status,
            occurred_at=datetime.fromtimestamp(int(self.moved_at), UTC),
        )


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
    bought: Callable[[Parcel], None]
    shipments: dict[str, Parcel] = field(default_factory=dict)
    """By reference."""

    def buy_label(self, order: Order, shipment: Shipment, weight_grams: int, key: str) -> Label:
        """The parcel's one label. Raises Unavailable."""
        name = reference(order, shipment)

        def buy() -> Label:
            parcel = self.shipments.get(name)
            if parcel is None or parcel.given_back:
                parcel = self.shipments[name] = Parcel(name, order.id)
                self.bought(parcel)
            return Label(
                id=f"shp_{name}",
                carrier="USPS",
                tracking_number=parcel.tracking_code,
                tracking_url=f"https://carrier/{name}",
                label_url=f"https://carrier/{name}.png",
            )

        return self.boundaries.call("depot.buy_label", "depot.write", buy, DepotLine(), attempts=1)

    def void_label(self, order: Order, shipment: Shipment) -> None:
        """Takes an unused label back. Raises Unavailable."""

        def void() -> None:
            parcel = self.shipments.get(reference(order, shipment))
            if parcel is not None and parcel.status == "pre_transit":
                parcel.given_back = True

        self.boundaries.call("depot.void_label", "depot.write", void, DepotLine(), attempts=1)

    def latest(self, parcels: Sequence[tuple[Order, Label]], *, until: datetime) -> Iterator[TrackingEvent]:
        """The last news of each of these parcels, if they are from before then. Raises Unavailable."""
        wanted = {label.tracking_number for _, label in parcels}

        def told() -> list[TrackingEvent]:
            return [
                one.news
                for one in self.shipments.values()
                if one.tracking_code in wanted and one.moved_at <= until.timestamp()
            ]

        return iter(self.boundaries.call("depot.latest", "bank.read", told, DepotLine(), attempts=1))

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """News come as such."""
        raise NotImplementedError
