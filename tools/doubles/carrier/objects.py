"""New objects in the shapes that EasyPost publishes (https://docs.easypost.com)."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.doubles.store import Json

RATES = (
    ("USPS", "GroundAdvantage", 545, 5),
    ("USPS", "Priority", 890, 3),
    ("UPS", "Ground", 1120, 4),
    ("UPS", "NextDayAir", 3480, 1),
    ("FedEx", "FEDEX_GROUND", 1090, 4),
    ("DHLExpress", "ExpressWorldwide", 4120, 2),
)
"""Carrier, service, cents for the first kilogram, days."""

NEXT = {
    "unknown": "pre_transit",
    "pre_transit": "in_transit",
    "in_transit": "out_for_delivery",
    "out_for_delivery": "delivered",
}
"""How a parcel goes by itself."""

_DETAILS = {
    "pre_transit": ("label_created", "Shipping label created, the carrier awaits the parcel"),
    "in_transit": ("departed_facility", "Departed a facility of the carrier"),
    "out_for_delivery": ("out_for_delivery", "Out for delivery"),
    "delivered": ("arrived_at_destination", "Delivered"),
    "available_for_pickup": ("arrived_at_pickup_location", "Available for pickup"),
    "return_to_sender": ("return", "On its way back to the sender"),
    "failure": ("delivery_exception", "Delivery attempted, nobody was there"),
    "cancelled": ("cancelled", "The label was given back"),
    "error": ("unknown", "The carrier reports an error"),
    "unknown": ("unknown", "Nothing is known yet"),
}
STATUSES = (*_DETAILS, "lost")
"""What a parcel can be told to become. EasyPost has no status `lost`: it reports a failure with that detail."""


def identifier(prefix: str) -> str:
    """Such as `shp_0f…`: a prefix and 32 hexadecimal digits."""
    return f"{prefix}_{secrets.token_hex(16)}"


def moment(when: datetime | None = None) -> str:
    """ISO 8601 in UTC, whole seconds."""
    return (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamps() -> Json:
    return {"created_at": moment(), "updated_at": moment(), "mode": "test"}


def address(given: Json) -> Json:
    """An address as it was given, with EasyPost's other fields empty."""
    names = ("name", "company", "street1", "street2", "city", "state", "zip", "country", "phone", "email")
    empty = dict.fromkeys(("residential", "carrier_facility", "federal_tax_id", "state_tax_id"))
    fields = {name: given.get(name) for name in names}
    return {"id": identifier("adr"), "object": "Address", **_stamps(), **fields, **empty, "verifications": {}}


def shipment(given: Json) -> Json:
    """An unbought shipment with its rates."""
    shipment_id = identifier("shp")
    parcel = given["parcel"]
    return {
        "id": shipment_id,
        "object": "Shipment",
        **_stamps(),
        "reference": given.get("reference"),
        "is_return": False,
        "status": "unknown",
        "to_address": address(given["to_address"]),
        "from_address": address(given["from_address"]),
        "parcel": {
            "id": identifier("prcl"),
            "object": "Parcel",
            **_stamps(),
            **{name: parcel.get(name) for name in ("length", "width", "height", "predefined_package")},
            "weight": float(parcel["weight"]),
        },
        "customs_info": given.get("customs_info"),
        "options": {"currency": "USD", **(given.get("options") or {})},
        "rates": [_rate(shipment_id, float(parcel["weight"]), *rate) for rate in RATES],
        "messages": [],
        "forms": [],
        "fees": [],
        "selected_rate": None,
        "postage_label": None,
        "tracker": None,
        "tracking_code": None,
        "refund_status": None,
        "insurance": None,
        "scan_form": None,
        "batch_id": None,
        "order_id": None,
        "usps_zone": 4,
    }


def _rate(shipment_id: str, ounces: float, carrier: str, service: str, cents: int, days: int) -> Json:
    price = f"{cents * max(1.0, ounces / 35.274) / 100:.2f}"
    return {
        "id": identifier("rate"),
        "object": "Rate",
        **_stamps(),
        "carrier": carrier,
        "carrier_account_id": "ca_double",
        "service": service,
        "rate": price,
        "currency": "USD",
        "list_rate": price,
        "list_currency": "USD",
        "retail_rate": price,
        "retail_currency": "USD",
        "delivery_days": days,
        "est_delivery_days": days,
        "delivery_date": None,
        "delivery_date_guaranteed": False,
        "billing_type": "easypost",
        "shipment_id": shipment_id,
    }


def tracking_code() -> str:
    """Such as `EZ4000004000`, which no carrier uses."""
    return "EZ" + "".join(secrets.choice("0123456789") for _ in range(12))


def postage_label(url: str) -> Json:
    """The label that can be fetched at `url`."""
    return {
        "id": identifier("pl"),
        "object": "PostageLabel",
        "created_at": moment(),
        "updated_at": moment(),
        "date_advance": 0,
        "integrated_form": "none",
        "label_date": moment(),
        "label_resolution": 300,
        "label_size": "4x6",
        "label_type": "default",
        "label_file_type": "image/svg+xml",
        "label_url": url,
        "label_pdf_url": None,
        "label_zpl_url": None,
        "label_epl2_url": None,
        "label_file": None,
    }


def tracker(code: str, carrier: str, shipment_id: str | None, base: str, days: int = 4) -> Json:
    """What is known of a parcel."""
    tracker_id = identifier("trk")
    return {
        "id": tracker_id,
        "object": "Tracker",
        **_stamps(),
        "tracking_code": code,
        "status": "unknown",
        "status_detail": "unknown",
        "signed_by": None,
        "weight": None,
        "est_delivery_date": moment(datetime.now(UTC) + timedelta(days=days)),
        "shipment_id": shipment_id,
        "carrier": carrier,
        "tracking_details": [],
        "carrier_detail": None,
        "public_url": f"{base}/track/{code}",
        "fees": [],
        "finalized": False,
        "is_return": False,
    }


def moved(known: Json, status: str, message: str | None = None) -> Json:
    """The tracker after one more piece of news."""
    detail, text = ("lost", "The carrier cannot find the parcel") if status == "lost" else _DETAILS[status]
    status = "failure" if status == "lost" else status
    news = {
        "object": "TrackingDetail",
        "message": message or text,
        "description": message or text,
        "status": status,
        "status_detail": detail,
        "datetime": moment(),
        "source": known["carrier"],
        "carrier_code": None,
        "tracking_location": {
            "object": "TrackingLocation",
            **dict.fromkeys(("city", "state", "country", "zip")),
        },
    }
    return {
        **known,
        "status": status,
        "status_detail": detail,
        "updated_at": moment(),
        "signed_by": "A. Buyer" if status == "delivered" else None,
        "finalized": status in ("delivered", "return_to_sender", "cancelled"),
        "tracking_details": [*known["tracking_details"], news],
    }


def event(about: Json, description: str, previous: Json) -> Json:
    """What a webhook carries."""
    return {
        "id": identifier("evt"),
        "object": "Event",
        "created_at": moment(),
        "updated_at": moment(),
        "description": description,
        "mode": "test",
        "previous_attributes": previous,
        "pending_urls": [],
        "completed_urls": [],
        "status": "pending",
        "result": about,
        "user_id": "user_double",
    }


def webhook(given: dict[str, Any]) -> Json:
    """A receiver of events; its secret is never shown."""
    return {
        "id": identifier("hook"),
        "object": "Webhook",
        "mode": "test",
        "url": given["url"],
        "created_at": moment(),
        "disabled_at": None,
        "custom_headers": [],
    }
