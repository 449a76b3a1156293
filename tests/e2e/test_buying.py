"""The ways an order can go, over HTTP, on the deployed shop."""

from collections.abc import Callable
from typing import Any

from builders.doubles import at_the_bank
from tools.demo import scenes
from tools.demo.actors import CARD_WITH_3DS, Shopper
from tools.demo.scenes import Cast


def test_an_order_goes_from_the_shop_window_to_the_door(delivered: dict[str, Any]) -> None:
    assert delivered["execution"]["status"] == "SUCCEEDED"
    assert len(delivered["transitions"]) <= 6
    assert sum(delivered["emails"].values()) == 3
    assert delivered["analytics_rows"] >= 5


def test_an_order_from_two_places_comes_in_two_parcels_and_the_money_for_a_lost_one_goes_back(everyone: Cast) -> None:
    seen = scenes.from_two_places(everyone)

    assert len(seen["transitions"]) <= 6
    assert set(seen["emails"].values()) == {1}
    fulfillment = seen["shown"]["fulfillment"]
    assert [len(expected["line_items"]) for expected in fulfillment["expectations"]] == [1]
    shipped = [event for event in fulfillment["events"] if event["type"] == "shipped"]
    assert len({event["tracking_number"] for event in shipped}) == 2
    [refund] = seen["shown"]["adjustments"]
    assert refund["totals"][0]["amount"] == -seen["refunded"]


def test_a_declined_card_gives_the_stock_back_and_another_card_can_be_used(everyone: Cast) -> None:
    scenes.declined(everyone)


def test_a_buyer_takes_an_order_back(everyone: Cast) -> None:
    scenes.canceled(everyone)


def test_a_bank_that_wants_a_confirmation_gets_it_and_the_order_stands(
    guest: Shopper, becomes: Callable[..., Any]
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))

    waiting = guest.complete(checkout, CARD_WITH_3DS)
    assert waiting["status"] == "requires_escalation"
    assert any(message["severity"] == "requires_buyer_input" for message in waiting["messages"])
    at_the_bank(waiting["continue_url"], "complete")

    completed = becomes(checkout, "completed")
    order = guest.order(completed)
    assert order["checkout_id"] == checkout["id"]
    guest.cancel(completed)


def test_a_confirmation_that_the_buyer_refuses_leaves_no_order_and_opens_the_checkout_again(
    guest: Shopper, everyone: Cast, becomes: Callable[..., Any]
) -> None:
    sku = guest.some_skus(1)[0]
    before = everyone.warehouse.stock(sku)
    checkout = guest.checkout((sku, 1))

    waiting = guest.complete(checkout, CARD_WITH_3DS)
    at_the_bank(waiting["continue_url"], "fail")

    becomes(checkout, "ready_for_complete")
    assert everyone.warehouse.stock(sku) == before
