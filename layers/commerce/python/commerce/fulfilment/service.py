"""From a confirmed order to a delivered one."""

from collections.abc import Mapping
from typing import Protocol

from commerce.fulfilment.model import TrackingEvent
from commerce.orders.model import Order, Shipment


class Carrier(Protocol):
    """Labels and tracking. `gateway.py` implements it with EasyPost."""

    def buy_label(self, order: Order, weight_grams: int, key: str) -> Shipment:
        """The order's label, bought once however often it is asked for: it is looked up by the order id first.

        `key` is the idempotency key of the purchase. Raises Unavailable where no trustworthy answer came, Invalid
        where the carrier refuses the address or the parcel.
        """

    def void_label(self, shipment_id: str) -> None:
        """Gives an unused label back. One that was given back already, or that is in use, is left as it is."""

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """The news in a webhook's body; None where it is none about a parcel.

        Header names are in lower case. Raises Unauthenticated where the signature does not hold.
        """
