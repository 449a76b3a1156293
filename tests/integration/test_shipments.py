"""An order that two locations fill, on a real data engine: bought, packed in two parcels, shipped and ended once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, calls_of
from builders.fulfilment import Boundaries, FakeCarrier
from builders.orders import Shop
from builders.rights import role_of
from commerce.adapters.dynamodb import Table
from commerce.fulfilment.model import PickedLine, TrackingEvent, TrackingStatus, share_of
from commerce.fulfilment.settlement import settle
from commerce.fulfilment.shipping import ship
from commerce.fulfilment.tracking import track
from commerce.fulfilment.warehouse import hand_over, pack, pick, worklist
from commerce.orders.endings import compensate
from commerce.orders.model import Order, Shipment
from commerce.payments.model import balance


class Staff:
    """Two warehouses, the carrier and the workflow's tasks, on an order of two shirts from main and a mug from the
    annex. Each acts with the rights of the function that it comes to.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.carrier = FakeCarrier(Boundaries())
        shop.stocked(2, "SHIRT-M", "main")
        shop.stocked(1, "MUG", "annex")
        completed = shop.complete(shop.checkout(("SHIRT-M", 2), ("MUG", 1)))
        assert completed.order_id
        self.order_id = completed.order_id

    @property
    def order(self) -> Order:
        return self.shop.orders.get(self.order_id)

    def parcel(self, location: str) -> Shipment:
        return next(one for one in self.order.shipments if one.location == location)

    def prepares(self, location: str) -> Order:
        """Everything that a location does with its parcel."""
        step: dict[str, Any] = {"order_id": self.order_id, "location": location, "actor": location, "now": NOW}
        lines = self.parcel(location).lines
        found = tuple(PickedLine(line_id=line.line_id, quantity=line.quantity) for line in lines)
        with role_of("admin_orders"):
            pick(self.shop.stores, self.shop.inventory, self.shop.workflow, picked=found, **step)
            pack(self.shop.stores, weight_grams=500, **step)
            return hand_over(self.shop.stores, self.shop.workflow, **step)

    def ships(self) -> Order:
        shop = self.shop
        with role_of("ship_order"):
            return ship(shop.stores, shop.inventory, self.carrier, shop.gateway, order_id=self.order_id, now=NOW)

    def hears(self, location: str, status: TrackingStatus) -> Order | None:
        label = self.parcel(location).label
        assert label
        news = TrackingEvent(
            order_id=self.order_id, tracking_number=label.tracking_number, status=status, occurred_at=NOW
        )
        with role_of("carrier_webhook"):
            return track(self.shop.without_buyers().orders, self.shop.workflow, news, now=NOW)

    def settles(self) -> Order:
        with role_of("settle_order"):
            return settle(self.shop.without_buyers(), lambda: self.shop.gateway, order_id=self.order_id, now=NOW)


@pytest.fixture
def staff(dynamodb: Any, tables: dict[str, str]) -> Staff:
    return Staff(Shop(dynamodb, tables, locations=("main", "annex")))


def test_a_change_that_nothing_goes_with_is_a_single_write(staff: Staff) -> None:
    staff.prepares("annex")
    staff.prepares("main")
    staff.ships()

    with calls_of(staff.shop.client) as calls:
        staff.hears("main", "in_transit")

    assert calls[-1] == "UpdateItem" and "TransactWriteItems" not in calls


def test_a_single_write_whose_answer_is_lost_changes_the_order_once(staff: Staff) -> None:
    staff.prepares("annex")
    staff.prepares("main")
    with answers_lost_after_the_write(staff.shop.client, times=1, operation="UpdateItem") as of_the_labels:
        shipped = staff.ships()
    with answers_lost_after_the_write(staff.shop.client, times=1, operation="UpdateItem") as of_the_news:
        told = staff.hears("main", "in_transit")
    with answers_lost_after_the_write(staff.shop.client, times=1, operation="UpdateItem") as of_the_end:
        ended = staff.hears("annex", "delivered")

    assert (of_the_labels, of_the_news, of_the_end) == ([200], [200], [200])
    assert shipped.status == "shipped"
    assert len(staff.carrier.weights) == 2
    assert told is not None and [event.type for event in told.events] == ["shipped", "shipped", "in_transit"]
    assert ended is not None and (ended.version, ended.events) == (told.version + 1, staff.order.events)
    assert (ended.status, staff.parcel("annex").status) == ("shipped", "delivered")


def test_it_goes_through_two_warehouses_and_is_paid_and_delivered_once(staff: Staff) -> None:
    shop = staff.shop
    assert staff.prepares("annex").status == "confirmed"
    assert [one.id for one in worklist(shop.orders, status="confirmed", after=None, limit=9, location="main")[0]] == [
        staff.order_id
    ]
    assert worklist(shop.orders, status="confirmed", after=None, limit=9, location="annex")[0] == ()
    assert staff.prepares("main").status == "ready_to_ship"

    shipped = staff.ships()
    staff.hears("annex", "delivered")
    staff.hears("main", "delivered")
    staff.hears("annex", "delivered")

    assert staff.settles().settled
    assert shop.payment_types(shipped) == ["authorized", "captured"]
    assert shop.events()["order.shipped"] == shop.events()["order.delivered"] == shop.events()["order.settled"] == 1
    assert [shop.stock(sku, place).on_hand for sku, place in (("SHIRT-M", "main"), ("MUG", "annex"))] == [0, 0]
    assert shop.ledger_balances("SHIRT-M") and shop.ledger_balances("MUG")
    assert {one.status for one in shop.inventory.reservations(staff.order_id)} == {"shipped"}


def test_two_warehouses_that_work_at_once_do_not_stand_in_each_others_way(staff: Staff) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(staff.prepares, ("main", "annex")))

    assert "ready_to_ship" in {one.status for one in done}
    assert {one.status for one in staff.order.shipments} == {"ready_to_ship"}


def test_the_money_for_a_lost_parcel_goes_back_and_the_rest_of_the_order_stands(staff: Staff) -> None:
    for location in ("main", "annex"):
        staff.prepares(location)
    shipped = staff.ships()
    share = share_of(shipped, staff.parcel("annex"))

    staff.hears("annex", "lost")
    staff.hears("main", "delivered")
    for _ in range(2):
        assert staff.settles().settled

    sums = balance(staff.shop.payments.of(staff.order_id))
    assert (sums.captured, sums.refunded) == (shipped.total, share)
    assert 0 < share < shipped.total
    assert staff.shop.gateway.calls["refund"] == staff.shop.events()["payment.refunded"] == 1
    assert staff.order.status == "delivered"


def test_all_the_money_goes_back_where_both_parcels_are_lost(staff: Staff) -> None:
    for location in ("main", "annex"):
        staff.prepares(location)
    shipped = staff.ships()

    for location in ("main", "annex"):
        staff.hears(location, "lost")
    shop = staff.shop
    answer = compensate(
        shop.stores, shop.workflow, shop.gateway, order_id=staff.order_id, error="ParcelLost", now=NOW
    )

    assert answer == "compensated"
    assert balance(shop.payments.of(staff.order_id)).refunded == shipped.total


@pytest.fixture
def of_the_release_before(staff: Staff) -> Callable[..., Order]:
    """Rewrites the order as releases did that knew one parcel per order, and reads it."""

    def rewritten(status: str, **fields: Any) -> Order:
        orders = Table(staff.shop.client, staff.shop.tables["ORDERS_TABLE"])
        key = (f"ORDER#{staff.order_id}", "ORDER")
        orders.update(*key, set={"status": status, **fields}, remove=["shipments"])
        return staff.order

    return rewritten


LABEL = {
    "id": "shp_1",
    "carrier": "USPS",
    "tracking_number": "1Z-TEST-1",
    "tracking_url": "https://carrier.example/1Z-TEST-1",
    "label_url": "https://carrier.example/label.png",
}


class TestAnOrderOfTheReleaseBefore:
    def test_that_nobody_has_touched_is_split(self, staff: Staff, of_the_release_before: Callable[..., Order]) -> None:
        now = staff.order

        assert of_the_release_before("confirmed").shipments == now.shipments
        assert staff.prepares("main").status == "confirmed"
        assert staff.prepares("annex").status == "ready_to_ship"

    def test_that_was_picked_is_the_one_parcel_that_it_was_picked_as(
        self, staff: Staff, of_the_release_before: Callable[..., Order]
    ) -> None:
        [parcel] = of_the_release_before("packed", weight_grams=900).shipments
        assert (parcel.status, parcel.weight_grams, len(parcel.lines)) == ("packed", 900, 2)

        hand_over(staff.shop.stores, staff.shop.workflow, order_id=staff.order_id, actor="sam", now=NOW)
        staff.ships()

        assert list(staff.carrier.labels) == [staff.order_id]
        assert staff.carrier.weights == [900]
        assert {one.status for one in staff.shop.inventory.reservations(staff.order_id)} == {"shipped"}

    def test_that_is_on_its_way_is_delivered(self, staff: Staff, of_the_release_before: Callable[..., Order]) -> None:
        moment = "2026-11-22T08:15:30.000Z"
        [parcel] = of_the_release_before("shipped", shipment={**LABEL, "shipped_at": moment}).shipments
        assert (parcel.status, parcel.shipped_at) == ("shipped", moment)

        staff.hears("main", "delivered")

        assert staff.order.status == "delivered"

    def test_that_was_canceled_with_a_label_gives_it_back(
        self, staff: Staff, of_the_release_before: Callable[..., Order]
    ) -> None:
        order = of_the_release_before("ready_to_ship", shipment=LABEL)
        [parcel] = order.shipments
        bought = staff.carrier.buy_label(order, parcel, 500, key="label")
        canceled = of_the_release_before("canceled", shipment=LABEL)

        assert [one.label for one in canceled.shipments] == [bought]
        assert staff.ships().status == "canceled"
        assert staff.carrier.given_back == {"shp_1"}
