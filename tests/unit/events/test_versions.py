"""Events of releases before, which still lie in queues and in the archive."""

from typing import Any

from commerce.events import OrderShipped, parse


def test_an_order_shipped_of_version_1_is_read_and_names_its_one_parcel_as_it_did() -> None:
    told: dict[str, Any] = {
        "type": "order.shipped",
        "version": 1,
        "id": "evt_1",
        "occurred_at": "2026-11-22T08:15:30.250Z",
        "subject": "order_1",
        "currency": "USD",
        "total": 3998,
        "carrier": "USPS",
        "tracking_number": "1Z-TEST-1",
    }

    event = parse(told)

    assert isinstance(event, OrderShipped)
    assert (event.carrier, event.tracking_number, event.parcels) == ("USPS", "1Z-TEST-1", ())
