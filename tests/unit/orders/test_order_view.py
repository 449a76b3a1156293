"""The order as its buyer sees it."""

import pytest
from ucp_sdk.models.schemas.shopping.order import Order as ProtocolOrder

from builders.checkout import NOW
from builders.fulfilment import from_two_places, shipped_order
from builders.orders import an_order
from commerce.clock import iso
from commerce.orders.model import Adjustment, FulfilmentEvent, Order
from commerce.orders.view import line_status, present

LINK = "https://shop.example/orders/order_1?access_token=proof"


def shown(order: Order) -> ProtocolOrder:
    """What the protocol's own models read."""
    return ProtocolOrder.model_validate_json(present(order, LINK).model_dump_json(exclude_none=True))


def test_a_new_order_is_processing_and_says_when_it_comes() -> None:
    order = shown(an_order(status="confirmed"))

    [line] = order.line_items
    assert (line.status, line.quantity.total, line.quantity.fulfilled) == ("processing", 1, 0)
    assert str(order.permalink_url) == LINK
    [expectation] = order.fulfillment.expectations
    assert "2026-11-25 and 2026-11-27" in expectation.description


def test_a_shipped_order_shows_its_tracking() -> None:
    event = FulfilmentEvent(
        id="fev_1",
        occurred_at=iso(NOW),
        type="shipped",
        line_items=(("line_1", 1),),
        tracking_number="1Z999",
        tracking_url="https://carrier.example/1Z999",
        carrier="USPS",
    )
    lines = tuple(line.model_copy(update={"fulfilled": 1}) for line in an_order().lines)

    order = shown(an_order(status="shipped", events=(event,), lines=lines))

    assert order.line_items[0].status == "fulfilled"
    assert order.fulfillment.events[0].tracking_number == "1Z999"


def test_two_parcels_are_two_expectations_and_nothing_is_expected_of_a_lost_one() -> None:
    split = shipped_order(lines=from_two_places(fulfilled=1))
    shirts, mug = split.shipments
    lost = split.model_copy(update={"shipments": (shirts, mug.model_copy(update={"status": "lost"}))})

    def expected(order: Order) -> list[tuple[str, list[tuple[str, int]]]]:
        return [
            (one.id, [(line.id, line.quantity) for line in one.line_items])
            for one in shown(order).fulfillment.expectations or ()
        ]

    assert expected(split) == [("parcel_1", [("line_1", 2)]), ("parcel_2", [("line_2", 1)])]
    assert expected(lost) == [("parcel_1", [("line_1", 2)])]


def test_a_canceled_orders_lines_stay_and_are_removed() -> None:
    order = shown(an_order(status="canceled", cancel_reason="buyer_request"))

    [line] = order.line_items
    assert (line.status, line.quantity.original, line.quantity.total) == ("removed", 1, 0)
    assert not order.fulfillment.expectations


def test_money_that_went_back_is_negative() -> None:
    refund = Adjustment(id="adj_1", type="refund", occurred_at=iso(NOW), status="completed", amount=-1000)

    [adjustment] = shown(an_order(status="delivered", adjustments=(refund,))).adjustments

    assert adjustment.totals[0].amount == -1000


@pytest.mark.parametrize(
    ("total", "fulfilled", "status"), [(0, 0, "removed"), (2, 0, "processing"), (2, 1, "partial"), (2, 2, "fulfilled")]
)
def test_a_lines_status_follows_from_its_quantities(total: int, fulfilled: int, status: str) -> None:
    assert line_status(total, fulfilled) == status
