"""EasyPost through the shop's gateway: every outcome, against the double."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import easypost
import pytest

from builders.doubles import Receiver, carrier_double, control
from builders.fulfilment import from_two_places, order
from commerce.clock import now
from commerce.contact import PostalAddress
from commerce.errors import Invalid, Unauthenticated, Unavailable
from commerce.fulfilment import gateway
from commerce.fulfilment.gateway import EasyPostCarrier
from commerce.fulfilment.model import TrackingEvent
from commerce.fulfilment.shipping import Carrier
from commerce.orders.model import Label, Order, ShippingChoice
from tools.doubles.carrier.double import CarrierDouble

SECRET = "a secret of these tests"
HERE = PostalAddress(street_address="1 Market Street", address_locality="San Francisco", address_country="US")
THERE = PostalAddress(street_address="2 Dock Road", address_locality="Oakland", address_country="US")
ADA = PostalAddress(
    first_name="Ada",
    last_name="Lovelace",
    street_address="1 Analytical Way",
    address_locality="Portland",
    address_region="OR",
    postal_code="97201",
    address_country="US",
)


@dataclass
class Depot:
    """A gateway and the double behind it."""

    gateway: EasyPostCarrier
    double: CarrierDouble

    def breaks(self, operation: str, fault: str) -> None:
        control(self.double, "faults", {"operation": operation, "fault": fault})

    def sent_from(self, shipment_id: str) -> str:
        """The street in the sender's address."""
        api = easypost.EasyPostClient("EZTKshop", api_base=f"{self.double.url}/v2")  # type: ignore[attr-defined]
        street: str = api.shipment.retrieve(shipment_id).from_address.street1
        return street

    @property
    def parcels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = control(self.double, "parcels")
        return found


@pytest.fixture
def depot() -> Iterator[Depot]:
    with carrier_double() as double:
        yield Depot(carrier(double.url), double)


def sender(location: str) -> PostalAddress:
    return {"main": HERE, "annex": THERE}[location]


def carrier(url: str) -> EasyPostCarrier:
    return EasyPostCarrier("EZTKshop", SECRET, sender=sender, company="Tradepost", api_base=url)


def buys(gateway: EasyPostCarrier, of: Order, *, parcel: int = 0, weight_grams: int = 400) -> Label:
    """The label of one of the order's parcels."""
    port: Carrier = gateway
    return port.buy_label(of, of.shipments[parcel], weight_grams, key="any")


def voids(gateway: EasyPostCarrier, of: Order, *, parcel: int = 0) -> None:
    """The label of one of the order's parcels goes back."""
    gateway.void_label(of, of.shipments[parcel])


def packed(**changes: Any) -> Order:
    """An order to Ada, ready for its label."""
    return order("ready_to_ship", shipping_address=ADA, **changes)


def by(name: str) -> ShippingChoice:
    choice: ShippingChoice = order().shipping.model_copy(update={"carrier": name})
    return choice


class TestBuyingALabel:
    def test_the_order_gets_a_label_of_the_carrier_that_the_buyer_chose(self, depot: Depot) -> None:
        shipment = buys(depot.gateway, packed(shipping=by("UPS")))
        assert shipment.carrier == "UPS"
        assert shipment.tracking_number and shipment.label_url and shipment.tracking_url
        [parcel] = depot.parcels
        assert (parcel["id"], parcel["reference"]) == (shipment.id, "order_1")

    def test_a_carrier_that_has_no_rate_is_replaced_by_the_cheapest(self, depot: Depot) -> None:
        assert buys(depot.gateway, packed(shipping=by("Pigeon"))).carrier == "USPS"

    def test_buying_again_finds_the_label(self, depot: Depot) -> None:
        first, again = (buys(depot.gateway, packed()) for _ in range(2))
        assert first == again
        assert len(depot.parcels) == 1

    @pytest.mark.parametrize(
        ("operation", "fault"),
        [
            ("shipments.retrieve", "error_before"),
            ("shipments.retrieve", "rate_limit"),
            *product(
                ("shipments.create", "shipments.buy"),
                ("error_before", "error_after", "drop_before", "drop_after", "rate_limit"),
            ),
        ],
    )
    def test_without_an_answer_trying_again_buys_one_label(self, depot: Depot, operation: str, fault: str) -> None:
        depot.breaks(operation, fault)
        with pytest.raises(Unavailable):
            buys(depot.gateway, packed())
        shipment = buys(depot.gateway, packed())
        assert [parcel["id"] for parcel in depot.parcels if parcel["bought"]] == [shipment.id]

    def test_two_who_buy_the_same_shipment_at_once_get_the_same_label(self, depot: Depot) -> None:
        depot.breaks("shipments.buy", "drop_before")
        with pytest.raises(Unavailable):
            buys(depot.gateway, packed())
        gateways = [carrier(depot.double.url) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            labels = list(threads.map(lambda one: buys(one, packed()), gateways))
        assert len({label.tracking_number for label in labels}) == 1

    def test_an_address_that_the_carrier_refuses_is_no_reason_to_try_again(self, depot: Depot) -> None:
        with pytest.raises(Invalid) as refused:
            buys(depot.gateway, order("ready_to_ship", shipping_address=PostalAddress()))
        assert "Ada" not in refused.value.content

    def test_where_nobody_listens_it_is_unavailable(self) -> None:
        with pytest.raises(Unavailable):
            buys(carrier("http://127.0.0.1:9"), packed())

    def test_even_a_letter_weighs_something(self, depot: Depot) -> None:
        assert buys(depot.gateway, packed(), weight_grams=0).tracking_number


class TestVoidingALabel:
    def test_it_goes_back(self, depot: Depot) -> None:
        buys(depot.gateway, packed())
        for _ in range(2):
            voids(depot.gateway, packed())
        assert depot.parcels[0]["refund_status"] == "submitted"

    def test_one_in_use_is_left_as_it_is(self, depot: Depot) -> None:
        shipment = buys(depot.gateway, packed())
        control(depot.double, f"track/{shipment.tracking_number}", {"status": "in_transit"})
        voids(depot.gateway, packed())
        assert depot.parcels[0]["refund_status"] is None

    def test_one_that_was_never_bought_is_left_as_it_is(self, depot: Depot) -> None:
        voids(depot.gateway, packed())
        depot.breaks("shipments.buy", "error_before")
        with pytest.raises(Unavailable):
            buys(depot.gateway, packed())
        voids(depot.gateway, packed())
        assert depot.parcels[0]["refund_status"] is None

    @pytest.mark.parametrize("operation", ["shipments.retrieve", "shipments.refund"])
    def test_without_an_answer_it_is_unavailable_and_goes_back_the_next_time(
        self, depot: Depot, operation: str
    ) -> None:
        buys(depot.gateway, packed())
        depot.breaks(operation, "error_before")
        with pytest.raises(Unavailable):
            voids(depot.gateway, packed())
        voids(depot.gateway, packed())
        assert depot.parcels[0]["refund_status"] == "submitted"


class TestTwoParcels:
    def test_each_has_a_label_of_its_own_from_where_it_leaves(self, depot: Depot) -> None:
        split = packed(lines=from_two_places())
        labels = [buys(depot.gateway, split, parcel=parcel) for parcel in (0, 1, 0, 1)]
        assert labels[:2] == labels[2:]
        assert [parcel["reference"] for parcel in depot.parcels] == ["order_1-main", "order_1-annex"]
        assert [depot.sent_from(label.id) for label in labels[:2]] == ["1 Market Street", "2 Dock Road"]

    def test_one_that_goes_back_leaves_the_other_alone(self, depot: Depot) -> None:
        split = packed(lines=from_two_places())
        for parcel in (0, 1):
            buys(depot.gateway, split, parcel=parcel)
        voids(depot.gateway, split, parcel=1)
        assert [parcel["refund_status"] for parcel in depot.parcels] == [None, "submitted"]


class TestNews:
    def news(self, depot: Depot, status: str, of: Order | None = None) -> TrackingEvent | None:
        """The event that the carrier's webhook becomes when the order's first parcel takes this status."""
        tracking_number = buys(depot.gateway, of or packed()).tracking_number
        body, headers = self.sent(depot, f"track/{tracking_number}", status)
        return depot.gateway.construct_event(body, headers)

    def sent(self, depot: Depot, path: str, status: str) -> tuple[bytes, dict[str, str]]:
        api = easypost.EasyPostClient("EZTKshop", api_base=f"{depot.double.url}/v2")  # type: ignore[attr-defined]
        with Receiver() as shop:
            hook = api.webhook.create(url=shop.url, webhook_secret=SECRET)
            control(depot.double, path, {"status": status})
            [sent] = shop.wait_for(1)
            api.webhook.delete(hook.id)
        return sent

    @pytest.mark.parametrize(
        "status",
        [
            "pre_transit",
            "in_transit",
            "out_for_delivery",
            "available_for_pickup",
            "delivered",
            "failure",
            "return_to_sender",
            "lost",
        ],
    )
    def test_the_news_names_the_order_and_what_happened(self, depot: Depot, status: str) -> None:
        news = self.news(depot, status)
        assert news is not None
        assert (news.order_id, news.status) == ("order_1", status)
        assert news.tracking_number == depot.parcels[0]["tracking_code"]
        assert news.occurred_at.tzinfo is not None

    def test_the_news_of_one_parcel_of_several_names_the_order_too(self, depot: Depot) -> None:
        news = self.news(depot, "delivered", packed(lines=from_two_places()))
        assert news is not None
        assert (news.order_id, news.tracking_number) == ("order_1", depot.parcels[0]["tracking_code"])

    @pytest.mark.parametrize("status", ["unknown", "cancelled", "error"])
    def test_what_tells_nothing_about_the_parcel_is_no_news(self, depot: Depot, status: str) -> None:
        assert self.news(depot, status) is None

    def test_a_signature_of_somebody_else_is_not_believed(self, depot: Depot) -> None:
        buys(depot.gateway, packed())
        body, headers = self.sent(depot, f"track/{depot.parcels[0]['tracking_code']}", "delivered")
        stranger = EasyPostCarrier("EZTKshop", "another", sender=sender, company="Tradepost")
        with pytest.raises(Unauthenticated):
            stranger.construct_event(body, headers)
        with pytest.raises(Unauthenticated):
            depot.gateway.construct_event(body + b" ", headers)
        with pytest.raises(Unauthenticated):
            depot.gateway.construct_event(body, {})

    def test_while_the_secret_is_changed_the_one_before_holds_too(self) -> None:
        body, headers = signed({"result": {"object": "Batch"}})
        changing = EasyPostCarrier("EZTKshop", "new", SECRET, sender=sender, company="Tradepost")
        assert changing.construct_event(body, headers) is None
        with pytest.raises(Unauthenticated):
            EasyPostCarrier("EZTKshop", "new", sender=sender, company="Tradepost").construct_event(body, headers)

    def test_without_a_secret_nobody_is_believed(self) -> None:
        with pytest.raises(Unauthenticated):
            EasyPostCarrier("EZTKshop", sender=sender, company="Tradepost").construct_event(*signed({"result": {}}))

    def test_a_parcel_without_a_shipment_is_no_news(self, depot: Depot) -> None:
        body, headers = signed({"result": {"object": "Tracker", "status": "delivered", "shipment_id": None}})
        assert depot.gateway.construct_event(body, headers) is None

    def test_a_shipment_of_another_shop_is_no_news(self, depot: Depot) -> None:
        body, headers = signed({"result": {"object": "Tracker", "status": "delivered", "shipment_id": "shp_other"}})
        assert depot.gateway.construct_event(body, headers) is None

    def test_what_is_not_about_a_parcel_is_no_news(self, depot: Depot) -> None:
        body, headers = signed({"description": "batch.created", "result": {"object": "Batch", "state": "created"}})
        assert depot.gateway.construct_event(body, headers) is None

    def test_news_that_cannot_be_looked_up_are_to_come_again(self, depot: Depot) -> None:
        buys(depot.gateway, packed())
        body, headers = self.sent(depot, f"track/{depot.parcels[0]['tracking_code']}", "delivered")
        depot.breaks("shipments.retrieve", "error_before")
        with pytest.raises(Unavailable):
            depot.gateway.construct_event(body, headers)


class TestLookingAfterParcels:
    def on_its_way(self, depot: Depot, order_id: str = "order_1", status: str = "in_transit") -> tuple[Order, Label]:
        """An order's parcel that has this status at the carrier."""
        order = packed(id=order_id)
        label = buys(depot.gateway, order)
        control(depot.double, f"track/{label.tracking_number}", {"status": status})
        return order, label

    def latest(self, depot: Depot, *parcels: tuple[Order, Label]) -> list[tuple[str, str]]:
        """Order and status of each that the carrier has news of in two minutes' time."""
        found = depot.gateway.latest(parcels, until=now() + timedelta(minutes=2))
        return sorted((news.order_id, news.status) for news in found)

    def test_one_call_tells_how_all_of_them_stand(self, depot: Depot) -> None:
        parcels = [self.on_its_way(depot), self.on_its_way(depot, "order_2", "lost")]
        self.on_its_way(depot, "order_3")
        before = control(depot.double, "summary")["requests"]
        assert self.latest(depot, *parcels) == [("order_1", "in_transit"), ("order_2", "lost")]
        asked = Counter(control(depot.double, "summary")["requests"]) - Counter(before)
        assert asked == {"trackers.list": 1}

    def test_more_than_fit_on_a_page_are_asked_for_page_by_page(self, depot: Depot) -> None:
        parcels = [self.on_its_way(depot, f"order_{number}") for number in range(3)]
        with pytest.MonkeyPatch.context() as small:
            small.setattr(gateway, "_PAGE", 2)
            assert len(self.latest(depot, *parcels)) == 3
        assert control(depot.double, "summary")["requests"]["trackers.list"] == 2

    def test_what_it_says_is_what_its_webhook_says(self, depot: Depot) -> None:
        order, label = self.on_its_way(depot, status="pre_transit")
        told = TestNews().news(depot, "delivered", order)
        assert list(depot.gateway.latest([(order, label)], until=now() + timedelta(minutes=2))) == [told]

    def test_what_is_younger_is_left_to_the_webhook(self, depot: Depot) -> None:
        parcel = self.on_its_way(depot)
        assert list(depot.gateway.latest([parcel], until=now() - timedelta(minutes=2))) == []

    def test_a_tracking_number_that_comes_again_is_somebody_elses_parcel(self, depot: Depot) -> None:
        order, label = self.on_its_way(depot)
        assert self.latest(depot, (order, label.model_copy(update={"id": "shp_of_long_ago"}))) == []

    def test_what_tells_nothing_about_the_parcel_is_left_out(self, depot: Depot) -> None:
        assert self.latest(depot, self.on_its_way(depot, status="error")) == []

    @pytest.mark.parametrize("fault", ["error_before", "rate_limit"])
    def test_a_silent_carrier_is_unavailable(self, depot: Depot, fault: str) -> None:
        parcel = self.on_its_way(depot)
        depot.breaks("trackers.list", fault)
        with pytest.raises(Unavailable):
            self.latest(depot, parcel)


def signed(news: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    from tools.doubles.carrier.double import signature

    body = json.dumps(news).encode()
    return body, {"x-hmac-signature": signature(body, SECRET)}


def test_easypost_is_not_loaded_with_the_gateway() -> None:
    code = "import sys, commerce.fulfilment.gateway; sys.exit('easypost' in sys.modules)"
    search = {"PYTHONPATH": "layers/commerce/python"}
    assert subprocess.run([sys.executable, "-c", code], env=search, check=False).returncode == 0
