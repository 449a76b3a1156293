"""The carrier double, driven by EasyPost's own client."""

import json
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import easypost
import pytest
from easypost.errors import InvalidRequestError, NotFoundError, SignatureVerificationError, UnauthorizedError
from easypost.util import get_lowest_object_rate, validate_webhook

from builders.doubles import Receiver, carrier_double, control, refusal
from tools.doubles.carrier.double import CarrierDouble

SECRET = "sécret"
PUBLISHED_TRACKER = {
    *("id", "object", "mode", "tracking_code", "status", "status_detail", "created_at", "updated_at", "signed_by"),
    *("weight", "est_delivery_date", "shipment_id", "carrier", "tracking_details", "carrier_detail", "public_url"),
    *("fees", "finalized", "is_return"),
}
"""The fields of a tracker in EasyPost's answers, as its Python client's recorded tests show them."""
ADDRESS = {"name": "Ada <Lovelace>", "street1": "1 Analytical Way", "city": "Portland", "zip": "97201", "country": "US"}


@pytest.fixture
def double() -> Iterator[CarrierDouble]:
    with carrier_double() as running:
        yield running


@pytest.fixture
def api(double: CarrierDouble) -> Any:
    return client(double)


def client(double: CarrierDouble, api_key: str = "EZTKshop") -> Any:
    return easypost.EasyPostClient(api_key, api_base=f"{double.url}/v2")  # type: ignore[attr-defined]


def created(api: Any, **more: Any) -> Any:
    wanted = {"to_address": ADDRESS, "from_address": ADDRESS, "parcel": {"weight": 14.1}, "reference": "order_1"}
    return api.shipment.create(**{**wanted, **more})


def bought(api: Any, **more: Any) -> Any:
    shipment = created(api, **more)
    return api.shipment.buy(shipment.id, rate=get_lowest_object_rate(shipment, ["USPS"]))


def test_a_shipment_has_rates_and_no_label_yet(api: Any) -> None:
    shipment = created(api)
    assert {rate.carrier for rate in shipment.rates} == {"USPS", "UPS", "FedEx", "DHLExpress"}
    assert (shipment.postage_label, shipment.tracking_code, shipment.reference) == (None, None, "order_1")


def test_a_heavier_parcel_costs_more(api: Any) -> None:
    light, heavy = (get_lowest_object_rate(created(api, parcel={"weight": ounces})) for ounces in (10, 350))
    assert float(heavy.rate) > float(light.rate)


def test_a_bought_shipment_has_label_tracking_and_price(api: Any) -> None:
    shipment = bought(api)
    assert shipment.selected_rate.carrier == "USPS"
    assert shipment.tracker.tracking_code == shipment.tracking_code
    assert shipment.tracker.status == "pre_transit"
    with urllib.request.urlopen(shipment.postage_label.label_url) as answer:
        assert answer.headers["Content-Type"] == "image/svg+xml"
        label = ElementTree.fromstring(answer.read())
    texts = [element.text for element in label.iter() if element.text]
    assert "Ada <Lovelace>" in texts
    assert shipment.tracking_code in texts


def test_a_shipment_is_bought_once(api: Any) -> None:
    shipment = bought(api)
    with pytest.raises(InvalidRequestError) as refused:
        api.shipment.buy(shipment.id, rate=shipment.rates[0])
    assert refused.value.code == "SHIPMENT.POSTAGE.EXISTS"


def test_a_shipment_is_found_by_its_reference(api: Any) -> None:
    shipment = bought(api)
    assert api.shipment.retrieve("order_1").id == shipment.id
    with pytest.raises(NotFoundError):
        api.shipment.retrieve("order_2")


@pytest.mark.parametrize(
    "wrong",
    [{"to_address": {"name": "Ada"}}, {"from_address": {}}, {"parcel": {"weight": 0}}],
    ids=["half an address", "no sender", "no weight"],
)
def test_what_no_carrier_takes_is_refused(api: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        created(api, **wrong)


def test_nobody_comes_in_without_a_test_key(double: CarrierDouble) -> None:
    with pytest.raises(urllib.request.HTTPError) as refused:  # type: ignore[attr-defined]
        urllib.request.urlopen(f"{double.url}/v2/shipments")
    assert refused.value.code == 401
    for api_key in ("", "EZAKproduction"):
        with pytest.raises(UnauthorizedError):
            created(client(double, api_key))


def test_a_label_goes_back_once_and_only_unused(api: Any, double: CarrierDouble) -> None:
    shipment = bought(api)
    assert api.shipment.refund(shipment.id).refund_status == "submitted"
    with pytest.raises(InvalidRequestError):
        api.shipment.refund(shipment.id)
    used = bought(api, reference="order_2")
    control(double, f"track/{used.tracking_code}", {"status": "in_transit"})
    with pytest.raises(InvalidRequestError):
        api.shipment.refund(used.id)


def test_news_are_signed_so_that_easyposts_own_check_holds(api: Any, double: CarrierDouble) -> None:
    with Receiver() as shop:
        api.webhook.create(url=shop.url, webhook_secret=SECRET)
        shipment = bought(api)
        control(double, f"track/{shipment.tracking_code}", {"status": "delivered"})
        shop.wait_for(2)
        body, headers = next(one for one in shop.received if json.loads(one[0])["description"] == "tracker.updated")
    signed = {"X-Hmac-Signature": headers["x-hmac-signature"]}
    event = validate_webhook(body, signed, SECRET)
    assert event["result"]["status"] == "delivered"
    assert event["result"]["shipment_id"] == shipment.id
    assert event["previous_attributes"] == {"status": "pre_transit"}
    with pytest.raises(SignatureVerificationError):
        validate_webhook(body + b" ", signed, SECRET)


def test_a_lost_parcel_is_a_failure_with_a_detail(api: Any, double: CarrierDouble) -> None:
    code = bought(api).tracking_code
    control(double, f"track/{code}", {"status": "lost"})
    tracker = api.shipment.retrieve("order_1").tracker
    assert (tracker.status, tracker.status_detail) == ("failure", "lost")
    assert len(tracker.tracking_details) == 2


def test_a_parcel_goes_by_itself_where_that_is_wanted() -> None:
    with carrier_double(auto=0.05) as double, Receiver() as shop:
        api = client(double)
        api.webhook.create(url=shop.url, webhook_secret=SECRET)
        bought(api)
        shop.wait_for(4)
        told = sorted(shop.bodies, key=lambda event: len(event["result"]["tracking_details"]))
    statuses = [event["result"]["status"] for event in told]
    assert statuses == ["pre_transit", "in_transit", "out_for_delivery", "delivered"]


def test_a_parcel_from_elsewhere_can_be_followed(api: Any) -> None:
    tracker = api.tracker.create(tracking_code="EZ1000000001", carrier="UPS")
    assert api.tracker.retrieve(tracker.id).tracking_code == "EZ1000000001"


def test_parcels_are_found_by_their_tracking_codes_the_newest_first_page_by_page(api: Any) -> None:
    codes = [bought(api, reference=f"order_{number}").tracking_code for number in range(3)]
    found = api.tracker.all(tracking_codes=codes[:2])
    assert [tracker.tracking_code for tracker in found["trackers"]] == [codes[1], codes[0]]
    assert set(found["trackers"][0].to_dict()) >= PUBLISHED_TRACKER
    assert not found["has_more"]
    assert api.tracker.all(page_size=2)["has_more"]


def test_a_receiver_can_be_removed(api: Any) -> None:
    hook = api.webhook.create(url="http://127.0.0.1:9/hook", webhook_secret=SECRET)
    assert [one.id for one in api.webhook.all()["webhooks"]] == [hook.id]
    api.webhook.delete(hook.id)
    assert api.webhook.all()["webhooks"] == []


def test_nonsense_is_refused(api: Any, double: CarrierDouble) -> None:
    code = bought(api).tracking_code
    assert refusal(double, f"track/{code}", {"status": "eaten by a dog"}) == 400
    assert refusal(double, f"track/{code}", {}) == 400
    assert refusal(double, "track/EZ0", {"status": "delivered"}) == 400


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "carrier.sqlite"
    with carrier_double(state) as double:
        code = bought(client(double)).tracking_code
    with carrier_double(state) as double:
        assert client(double).shipment.retrieve("order_1").tracking_code == code
        [parcel] = control(double, "parcels")
        assert (parcel["reference"], parcel["bought"]) == ("order_1", True)


def test_the_tracking_page_tells_the_story(api: Any, double: CarrierDouble) -> None:
    shipment = bought(api)
    control(double, f"track/{shipment.tracking_code}", {"status": "in_transit", "message": "<b>Rolling</b>"})
    with urllib.request.urlopen(shipment.tracker.public_url) as answer:
        page = answer.read().decode()
    assert f"{shipment.tracking_code}: in_transit" in page
    assert "&lt;b&gt;Rolling" in page
