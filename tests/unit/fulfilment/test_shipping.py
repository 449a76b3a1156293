"""Label, capture, shipped: each once, whatever breaks in between."""

import pytest

from builders.fulfilment import NOW, Crash, Shop, line, order, shipment, shipped_order
from commerce.errors import Conflict, Unavailable
from commerce.fulfilment.settlement import settle
from commerce.fulfilment.shipping import ship
from commerce.orders.model import Adjustment, Order
from commerce.orders.service import cancel_order
from commerce.payments.model import payment_event
from commerce.payments.service import Capture


def ship_it(shop: Shop) -> Order:
    return ship(shop.stores, shop.warehouse, shop.carrier, shop.bank, order_id="order_1", now=NOW)


def settle_it(shop: Shop) -> Order:
    return settle(shop.memory, shop.memory, order_id="order_1", now=NOW)


def delivered_and_captured(**changes: object) -> Shop:
    shop = Shop(shipped_order(status="delivered", **changes))
    shop.memory.payments.append(payment_event("captured", "pi_1", shop.order.total, "USD", NOW))
    return shop


def assert_shipped_once(shop: Shop) -> None:
    assert shop.order.status == "shipped"
    assert shop.order.shipment == shipment(shipped_at="2026-11-22T08:15:30.000Z")
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


def test_the_parcel_weighs_what_the_scales_said_else_what_the_goods_weigh() -> None:
    weighed, unweighed = Shop(order("ready_to_ship", weight_grams=1200)), Shop(order("ready_to_ship"))
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


def test_a_delivered_order_whose_books_balance_is_settled_once() -> None:
    shop = delivered_and_captured()

    settle_it(shop)
    settle_it(shop)

    assert shop.order.settled
    assert shop.published == ["order.settled"]


def test_what_was_refunded_with_the_orders_knowledge_balances_too() -> None:
    given_back = Adjustment(id="adj_1", type="refund", occurred_at="", status="completed", amount=-1999)
    shop = delivered_and_captured(adjustments=(given_back,))
    shop.memory.payments.append(payment_event("refunded", "re_1", 1999, "USD", NOW))

    assert settle_it(shop).settled


def test_books_that_do_not_balance_are_not_closed() -> None:
    shop = delivered_and_captured()
    shop.memory.payments.append(payment_event("refunded", "re_1", 1, "USD", NOW))

    with pytest.raises(Conflict, match="3998 less refunded 1"):
        settle_it(shop)
    assert not shop.order.settled


def test_an_order_on_its_way_is_not_settled() -> None:
    with pytest.raises(Conflict, match="shipped"):
        settle_it(Shop(shipped_order()))
