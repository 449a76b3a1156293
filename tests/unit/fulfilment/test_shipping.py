"""Label, capture, shipped: each once, whatever breaks in between."""

import pytest

from builders.fulfilment import NOW, Crash, Shop, from_two_places, label, line, order, parcels
from commerce.errors import Conflict, Unavailable
from commerce.events import OrderShipped
from commerce.fulfilment.shipping import ship
from commerce.orders.model import Label, Order, Shipment
from commerce.orders.service import cancel_order
from commerce.payments.model import payment_event
from commerce.payments.service import Capture

SHIPPED_AT = "2026-11-22T08:15:30.000Z"


def ship_it(shop: Shop) -> Order:
    return ship(shop.stores, shop.warehouse, shop.carrier, shop.bank, order_id="order_1", now=NOW)


def assert_shipped_once(shop: Shop) -> None:
    assert shop.order.status == "shipped"
    assert shop.order.shipments == parcels("shipped", *shop.order.lines, label=label(), shipped_at=SHIPPED_AT)
    assert [one.fulfilled for one in shop.order.lines] == [2]
    assert [event.type for event in shop.order.events] == ["shipped"]
    assert shop.money == ["authorized", "captured"]
    assert shop.published == ["order.shipped"]
    assert shop.bank.taken == {"order_1:capture": 3998}
    assert len(shop.carrier.weights) == 1
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").on_hand == 0


def test_an_order_that_was_handed_over_ships() -> None:
    shop = Shop(order("ready_to_ship"))

    ship_it(shop)

    assert_shipped_once(shop)


@pytest.mark.parametrize("effect", [1, 2, 3, 4, 5])
def test_a_crash_after_any_effect_is_mended_by_running_again(effect: int) -> None:
    """The effects: label bought, label recorded, money captured, capture recorded, shipped."""
    shop = Shop(order("ready_to_ship"), crash_after=effect)

    with pytest.raises(Crash):
        ship_it(shop)
    ship_it(shop)

    assert_shipped_once(shop)


def test_shipping_has_five_effects_so_that_the_crashes_above_meet_them_all() -> None:
    shop = Shop(order("ready_to_ship"))

    ship_it(shop)

    assert shop.boundaries.passed == 5


def test_shipping_twice_ships_once() -> None:
    shop = Shop(order("ready_to_ship"))

    ship_it(shop)
    ship_it(shop)

    assert_shipped_once(shop)


def test_the_parcel_is_as_heavy_as_the_scales_said_else_as_its_goods() -> None:
    scales = parcels("ready_to_ship", line(), weight_grams=1200)
    weighed, unweighed = Shop(order("ready_to_ship", shipments=scales)), Shop(order("ready_to_ship"))
    weightless = Shop(order("ready_to_ship", lines=(line(weight_grams=0),)))

    for shop in (weighed, unweighed, weightless):
        ship_it(shop)

    assert [shop.carrier.weights for shop in (weighed, unweighed, weightless)] == [[1200], [400], [1]]


def test_money_that_cannot_be_taken_cancels_the_order_and_gives_the_label_back() -> None:
    shop = Shop(order("ready_to_ship"))
    shop.bank.outcome = "failed"

    assert ship_it(shop).cancel_reason == "capture_failed"

    assert shop.money == ["authorized", "capture_failed"]
    assert shop.carrier.given_back == {"shp_1"}
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 2
    assert shop.published == ["order.canceled"]


@pytest.mark.parametrize("effect", [1, 2, 3, 4])
def test_a_crash_on_the_way_to_a_failed_capture_is_mended_too(effect: int) -> None:
    """The effects: label bought, label recorded, canceled, label given back."""
    shop = Shop(order("ready_to_ship"), crash_after=effect)
    shop.bank.outcome = "failed"

    with pytest.raises(Crash):
        ship_it(shop)

    assert ship_it(shop).status == "canceled"
    assert shop.carrier.given_back == {"shp_1"}
    assert shop.published == ["order.canceled"]


def test_a_failed_capture_has_four_effects_so_that_the_crashes_above_meet_them_all() -> None:
    shop = Shop(order("ready_to_ship"))
    shop.bank.outcome = "failed"

    ship_it(shop)

    assert shop.boundaries.passed == 4


def test_a_capture_without_an_answer_is_tried_again_and_nothing_is_decided() -> None:
    shop = Shop(order("ready_to_ship"))
    shop.bank.outcome = "unknown"

    with pytest.raises(Unavailable):
        ship_it(shop)
    assert shop.order.status == "ready_to_ship"
    assert shop.money == ["authorized"]

    shop.bank.outcome = "captured"
    ship_it(shop)
    assert_shipped_once(shop)


def test_an_order_canceled_while_its_money_is_taken_stays_canceled_and_the_capture_is_on_record() -> None:
    shop = Shop(order("ready_to_ship"))
    take = shop.bank.capture

    def canceled_meanwhile(intent_id: str, amount: int, key: str) -> Capture:
        cancel_order(shop.stores, shop.signals, shop.order, reason="merchant_request", actor="sue", now=NOW)
        return take(intent_id, amount, key)

    shop.bank.capture = canceled_meanwhile

    assert ship_it(shop).status == "canceled"
    assert shop.money == ["authorized", "captured"]
    assert shop.carrier.given_back == {"shp_1"}
    assert shop.published == ["order.canceled"]


def test_a_capture_that_the_webhook_recorded_first_is_not_made_again() -> None:
    shop = Shop(order("ready_to_ship"))
    shop.memory.payments.append(payment_event("captured", "pi_1", 3998, "USD", NOW))

    ship_it(shop)

    assert shop.bank.taken == {}
    assert shop.order.status == "shipped"


@pytest.mark.parametrize("status", ["shipped", "delivered", "lost", "canceled"])
def test_an_order_past_shipping_is_only_told(status: str) -> None:
    shop = Shop(order(status))

    assert ship_it(shop).status == status
    assert shop.boundaries.passed == 0


def test_an_order_that_the_warehouse_still_has_does_not_ship() -> None:
    with pytest.raises(Conflict, match="packed"):
        ship_it(Shop(order("packed")))


def test_an_order_canceled_after_a_crash_gives_back_the_label_that_it_never_heard_of() -> None:
    shop = Shop(order("ready_to_ship"), crash_after=1)
    with pytest.raises(Crash):
        ship_it(shop)
    cancel_order(shop.stores, shop.signals, shop.order, reason="merchant_request", actor="sue", now=NOW)

    assert ship_it(shop).status == "canceled"
    assert shop.carrier.given_back == {"shp_1"}


def test_an_order_that_was_canceled_before_any_label_could_be_bought_does_not_wait_for_the_carrier() -> None:
    shop = Shop(order("canceled"))

    def silent(order: Order, shipment: Shipment) -> None:
        raise Unavailable("the carrier does not answer")

    shop.carrier.void_label = silent

    assert ship_it(shop).status == "canceled"


class TestTwoParcels:
    @pytest.fixture
    def shop(self) -> Shop:
        return Shop(order("ready_to_ship", lines=from_two_places()))

    def assert_shipped_once(self, shop: Shop) -> None:
        assert shop.order.status == "shipped"
        assert [(one.status, one.label.tracking_number if one.label else None) for one in shop.order.shipments] == [
            ("shipped", "1Z-TEST-1"),
            ("shipped", "1Z-TEST-2"),
        ]
        assert [(event.type, event.line_items, event.tracking_number) for event in shop.order.events] == [
            ("shipped", (("line_1", 2),), "1Z-TEST-1"),
            ("shipped", (("line_2", 1),), "1Z-TEST-2"),
        ]
        assert [one.fulfilled for one in shop.order.lines] == [2, 1]
        assert sorted(shop.carrier.labels) == ["order_1-annex", "order_1-main"]
        assert shop.carrier.weights == [400, 200]
        assert shop.money == ["authorized", "captured"]
        assert shop.bank.taken == {"order_1:capture": 5997}
        assert shop.published == ["order.shipped"]
        assert shop.warehouse.stock("SHIRT-BLUE-M", "main").on_hand == 0
        assert shop.warehouse.stock("MUG", "annex").on_hand == 0

    def test_get_a_label_each_and_are_paid_once(self, shop: Shop) -> None:
        ship_it(shop)

        self.assert_shipped_once(shop)

    @pytest.mark.parametrize("effect", range(1, 7))
    def test_a_crash_after_any_effect_is_mended_by_running_again(self, shop: Shop, effect: int) -> None:
        """The effects: first label, second label, both recorded, money captured, capture recorded, shipped."""
        shop.boundaries.crash_after = effect

        with pytest.raises(Crash):
            ship_it(shop)
        ship_it(shop)

        self.assert_shipped_once(shop)

    def test_shipping_has_six_effects_so_that_the_crashes_above_meet_them_all(self, shop: Shop) -> None:
        ship_it(shop)

        assert shop.boundaries.passed == 6

    def test_a_label_whose_answer_was_lost_is_found_again_and_nothing_is_taken_before_all_are_there(
        self, shop: Shop
    ) -> None:
        buy, asked = shop.carrier.buy_label, []

        def lost_once(order: Order, shipment: Shipment, weight_grams: int, key: str) -> Label:
            bought = buy(order, shipment, weight_grams, key)
            asked.append(shipment.location)
            if asked == ["main", "annex"]:
                raise Unavailable("the carrier does not answer")
            return bought

        shop.carrier.buy_label = lost_once

        with pytest.raises(Unavailable):
            ship_it(shop)
        assert shop.bank.taken == {}

        ship_it(shop)
        self.assert_shipped_once(shop)

    def test_money_that_cannot_be_taken_gives_both_labels_back(self, shop: Shop) -> None:
        shop.bank.outcome = "failed"

        assert ship_it(shop).cancel_reason == "capture_failed"
        assert shop.carrier.given_back == {"shp_1", "shp_2"}
        assert shop.warehouse.stock("MUG", "annex").available == 1

    def test_the_event_names_every_parcel(self, shop: Shop) -> None:
        ship_it(shop)

        [event] = shop.memory.events
        assert isinstance(event, OrderShipped)
        assert [(one.location, one.tracking_number) for one in event.parcels] == [
            ("main", "1Z-TEST-1"),
            ("annex", "1Z-TEST-2"),
        ]
        assert event.tracking_number == "1Z-TEST-1"
