"""Events of releases before, which still lie in queues and in the archive, and of the release after."""

import json
from typing import Any, ClassVar

import pytest

from commerce.events import ALL, Event, OrderShipped, parse
from tools.event_docs import VERSIONS
from tools.event_versions import ChangedWithoutVersion, grown, shape


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


class Thawed(Event):
    """Something thawed."""

    type: ClassVar[str] = "snow.thawed"
    depth: int


def _known(kind: type[Event]) -> dict[str, Any]:
    return {kind.type: {str(kind.version): shape(kind)}}


def test_every_event_has_the_shape_under_which_its_version_went_out() -> None:
    known = json.loads(VERSIONS.read_text("utf-8"))

    assert grown(known, ALL) == known


class Renamed(Event):
    """It calls its depth another name."""

    type: ClassVar[str] = "snow.thawed"
    centimetres: int


class Retyped(Thawed):
    """It tells its depth as text."""

    depth: str  # type: ignore[assignment]


class Demanding(Thawed):
    """It wants another field."""

    place: str


@pytest.mark.parametrize("changed", [Renamed, Retyped, Demanding])
def test_a_changed_event_needs_a_new_version(changed: type[Event]) -> None:
    with pytest.raises(ChangedWithoutVersion, match=r"snow\.thawed .* raise `version`"):
        grown(_known(Thawed), [changed])

    renewed = type(changed.__name__, (changed,), {"version": 2, "__doc__": changed.__doc__})
    assert set(grown(_known(Thawed), [renewed])["snow.thawed"]) == {"1", "2"}


def test_a_field_that_may_be_missing_needs_none_and_is_left_out_by_who_does_not_know_it() -> None:
    class Located(Thawed):
        """It may say where."""

        place: str | None = None

    assert "place" in grown(_known(Thawed), [Located])["snow.thawed"]["1"]["fields"]
    told = {"type": "order.shipped", "version": 2, "id": "evt_1", "occurred_at": "2026-11-22T08:15:30.250Z"}
    order = {"subject": "order_1", "currency": "USD", "total": 3998, "carrier": "USPS", "tracking_number": "1"}
    assert parse({**told, **order, "place": "Portland"}).subject == "order_1"
