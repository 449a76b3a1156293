"""Labels and tracking through EasyPost.

`easypost` is loaded when a call is made, not with this module: the webhook's function only needs the client where
the news is about a parcel, and never at its start.
"""

import functools
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from commerce.contact import PostalAddress
from commerce.errors import Invalid, Unauthenticated, Unavailable
from commerce.fulfilment.model import TrackingEvent, TrackingStatus, order_named, reference
from commerce.orders.model import Label, Order, Shipment

_TIMEOUT_SECONDS = 10
_GRAMS_PER_OUNCE = 28.349523125
_PAGE = 100
"""Entries of a list that EasyPost answers at once, at most."""

_STATUSES: dict[str, TrackingStatus] = {
    "pre_transit": "pre_transit",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "available_for_pickup",
    "delivered": "delivered",
    "failure": "failure",
    "return_to_sender": "return_to_sender",
}
"""EasyPost's others (`unknown`, `cancelled`, `error`) say nothing about where the parcel is."""


class EasyPostCarrier:
    """Implements `fulfilment.shipping.Carrier`; see there for what the methods promise."""

    def __init__(
        self,
        api_key: str,
        *webhook_secrets: str,
        sender: Callable[[str], PostalAddress],
        company: str,
        api_base: str | None = None,
    ) -> None:
        """`sender` tells where a location's parcels leave. More than one of `webhook_secrets` holds while they are
        changed.

        `api_base` is the server without a version, None for EasyPost's.
        """
        self._api_key = api_key
        self._webhook_secrets = webhook_secrets
        self._sender = sender
        self._company = company
        self._api_base = api_base

    def buy_label(self, order: Order, shipment: Shipment, weight_grams: int, key: str) -> Label:
        """Finds the parcel's shipment by its reference, and makes and buys what is not there yet.

        EasyPost knows no idempotency keys, so `key` goes no further. What keeps a repeated call from buying twice is
        the reference, and that a shipment can be bought once only.
        """
        with self._mapped("the carrier does not take this parcel"):
            known = self._find(reference(order, shipment))
            if known is None:
                known = self._client.shipment.create(**self._wanted(order, shipment, weight_grams))
            if known.postage_label is None:
                known = self._bought(known, order.shipping.carrier)
        return _label(known)

    def void_label(self, order: Order, shipment: Shipment) -> None:
        """Asks for the postage back. A refusal means that it is back already, or that the parcel is on its way."""
        with self._mapped("the carrier does not take this label back"):
            known = self._find(reference(order, shipment))
            if known is None or known.postage_label is None:
                return
            try:
                self._client.shipment.refund(known.id)
            except (self._errors.InvalidRequestError, self._errors.BadRequestError, self._errors.NotFoundError):
                return

    def construct_event(self, raw_body: bytes, headers: Mapping[str, str]) -> TrackingEvent | None:
        """Checks the signature, then asks EasyPost for the reference: the news itself does not carry it."""
        self._verify(raw_body, headers.get("x-hmac-signature", ""))
        news = json.loads(raw_body)
        tracker = news.get("result") or {}
        if tracker.get("object") != "Tracker" or _status(tracker) is None or not tracker.get("shipment_id"):
            return None
        with self._mapped("the carrier does not know its own parcel"):
            shipment = self._find(tracker["shipment_id"])
        if shipment is None or not shipment.reference:
            return None
        return _tracking_event(order_named(shipment.reference), tracker)

    def latest(self, parcels: Sequence[tuple[Order, Label]], *, until: datetime) -> Iterator[TrackingEvent]:
        """From EasyPost's list of trackers: that of events does not show what they are about. Carriers use tracking
        numbers again after years, so what comes is known by the shipment.
        """
        for start in range(0, len(parcels), _PAGE):
            page = parcels[start : start + _PAGE]
            orders = {label.id: order.id for order, label in page}
            for tracker in self._trackers([label.tracking_number for _, label in page]):
                order_id = orders.get(tracker["shipment_id"])
                if order_id is None or datetime.fromisoformat(tracker["updated_at"]) > until:
                    continue
                news = _tracking_event(order_id, tracker)
                if news is not None:
                    yield news

    def _trackers(self, tracking_numbers: list[str]) -> list[dict[str, Any]]:
        with self._mapped("the carrier does not know its own parcels"):
            found = self._client.tracker.all(tracking_codes=tracking_numbers, page_size=_PAGE)
        return [tracker.to_dict() for tracker in found["trackers"]]

    def _find(self, identifier: str) -> Any | None:
        """A shipment by EasyPost's id or by our reference."""
        try:
            return self._client.shipment.retrieve(identifier)
        except self._errors.NotFoundError:
            return None

    def _bought(self, shipment: Any, carrier: str) -> Any:
        """The cheapest rate of the carrier that the buyer chose, or of any where that one has none for this parcel."""
        rates = [rate for rate in shipment.rates if rate.carrier.lower() == carrier.lower()] or shipment.rates
        if not rates:
            raise Invalid("no carrier takes this parcel to this address")
        try:
            return self._client.shipment.buy(shipment.id, rate=min(rates, key=lambda rate: Decimal(rate.rate)))
        except self._errors.InvalidRequestError:
            now = self._find(shipment.id)
            if now is None or now.postage_label is None:
                raise
            return now

    def _wanted(self, order: Order, shipment: Shipment, weight_grams: int) -> dict[str, Any]:
        to, sender = order.shipping_address, self._sender(shipment.location)
        return {
            "reference": reference(order, shipment),
            "to_address": _address(to, f"{to.first_name or ''} {to.last_name or ''}".strip()),
            "from_address": {**_address(sender, self._company), "company": self._company},
            "parcel": {"weight": round(max(weight_grams, 1) / _GRAMS_PER_OUNCE, 2) or 0.01},
            "options": {"invoice_number": order.label},
        }

    def _verify(self, raw_body: bytes, signature: str) -> None:
        """As EasyPost's `validate_webhook` does it, in constant time. Raises Unauthenticated."""
        if not any(_signed(raw_body, signature, by=secret) for secret in self._webhook_secrets):
            raise Unauthenticated("the webhook's signature does not hold")

    @functools.cached_property
    def _client(self) -> Any:
        import easypost.easypost_client

        base = {"api_base": f"{self._api_base.rstrip('/')}/v2"} if self._api_base else {}
        client: Any = easypost.easypost_client.EasyPostClient
        return client(self._api_key, timeout=_TIMEOUT_SECONDS, **base)

    @functools.cached_property
    def _errors(self) -> Any:
        import easypost.errors

        return easypost.errors

    @contextmanager
    def _mapped(self, refusal: str) -> Iterator[None]:
        """What EasyPost understood and refused is Invalid; everything else leaves the outcome open. Its own texts,
        which repeat addresses, go no further.
        """
        refused = (self._errors.BadRequestError, self._errors.InvalidRequestError, self._errors.NotFoundError)
        try:
            yield
        except refused as error:
            raise Invalid(refusal) from error
        except self._errors.EasyPostError as error:
            raise Unavailable("the carrier does not answer") from error


def _signed(raw_body: bytes, signature: str, *, by: str) -> bool:
    key = unicodedata.normalize("NFKD", by).encode()
    expected = f"hmac-sha256-hex={hmac.new(key, raw_body, hashlib.sha256).hexdigest()}"
    return hmac.compare_digest(expected.encode(), signature.encode())


def _label(shipment: Any) -> Label:
    return Label(
        id=shipment.id,
        carrier=shipment.selected_rate.carrier,
        tracking_number=shipment.tracking_code,
        tracking_url=shipment.tracker.public_url,
        label_url=shipment.postage_label.label_url,
    )


def _address(address: PostalAddress, name: str) -> dict[str, str | None]:
    return {
        "name": name,
        "street1": address.street_address,
        "street2": address.extended_address,
        "city": address.address_locality,
        "state": address.address_region,
        "zip": address.postal_code,
        "country": address.address_country,
        "phone": address.phone_number,
    }


def _tracking_event(order_id: str, tracker: Mapping[str, Any]) -> TrackingEvent | None:
    """None where the tracker says nothing about where the parcel is."""
    status = _status(tracker)
    if status is None:
        return None
    return TrackingEvent(
        order_id=order_id, tracking_number=tracker["tracking_code"], status=status, occurred_at=_moment(tracker)
    )


def _status(tracker: Mapping[str, Any]) -> TrackingStatus | None:
    """EasyPost tells a lost parcel as a failure whose detail is `lost`."""
    if tracker.get("status") == "failure" and tracker.get("status_detail") == "lost":
        return "lost"
    return _STATUSES.get(str(tracker.get("status")))


def _moment(tracker: Mapping[str, Any]) -> datetime:
    """When the carrier saw it happen: the last detail's time, else when EasyPost heard of it."""
    details = cast(list[dict[str, Any]], tracker.get("tracking_details") or [])
    return datetime.fromisoformat(details[-1]["datetime"] if details else tracker["updated_at"])
