"""Goods that come back: counted once, restocked where they can be sold again, never more than were sent."""

import pytest

from builders.fulfilment import NOW, Shop, line, order, shipped_order
from commerce.errors import Invalid
from commerce.events import GoodsReturned
from commerce.orders.model import Order
from commerce.pricing.model import Total
from commerce.returns.model import ReturnedLine
from commerce.returns.service import receive


def receive_in(shop: Shop, *lines: ReturnedLine, key: str = "parcel-1") -> Order:
    return receive(
        shop.memory, shop.warehouse, shop.memory, order_id="order_1", lines=lines, key=key, actor="sam", now=NOW
    )


def back(quantity: int, *, restock: bool = True, line_id: str = "line_1") -> ReturnedLine:
    return ReturnedLine(line_id=line_id, quantity=quantity, restock=restock)


def delivered() -> Shop:
    shop = Shop(shipped_order(status="delivered"))
    shop.warehouse.promised.clear()
    return shop


def test_a_returned_unit_is_counted_restocked_published_and_audited() -> None:
    shop = delivered()

    receive_in(shop, back(1))

    assert shop.order.lines[0].returned == 1
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 1
    [adjustment] = shop.order.adjustments
    assert (adjustment.type, adjustment.amount, adjustment.line_items) == ("return", 0, (("line_1", -1),))
    [event] = shop.memory.events
    assert isinstance(event, GoodsReturned)
    assert (event.return_id, event.lines[0].total) == (adjustment.id, 1999)
    assert shop.memory.entries[0]["action"] == "goods.returned"


def test_the_same_parcel_told_twice_comes_back_once() -> None:
    shop = delivered()

    receive_in(shop, back(1))
    receive_in(shop, back(1))

    assert shop.order.lines[0].returned == 1
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 1
    assert shop.published == ["return.received"]


def test_what_cannot_be_sold_again_is_counted_and_not_restocked() -> None:
    shop = delivered()

    receive_in(shop, back(2, restock=False))

    assert shop.order.lines[0].returned == 2
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 0


def test_no_more_comes_back_than_was_sent() -> None:
    shop = delivered()
    receive_in(shop, back(2))

    with pytest.raises(Invalid) as refused:
        receive_in(shop, back(1), key="parcel-2")

    assert refused.value.path == "$.lines[0].quantity"
    assert shop.order.lines[0].returned == 2


@pytest.mark.parametrize("lines", [(back(1, line_id="line_9"),), (back(1), back(1))])
def test_a_line_that_is_unknown_or_named_twice_is_named_in_the_answer(lines: tuple[ReturnedLine, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        receive_in(delivered(), *lines)

    assert refused.value.path == f"$.lines[{len(lines) - 1}].line_id"


def test_nothing_comes_back_of_an_order_that_never_left() -> None:
    with pytest.raises(Invalid):
        receive_in(Shop(order("packed")), back(1))


def test_what_a_lines_units_are_worth_sums_to_its_total_over_all_its_returns() -> None:
    odd = line(quantity=3, fulfilled=3, totals=(Total(type="total", amount=1000),))
    shop = Shop(shipped_order(status="delivered", lines=(odd,)))

    for number in range(3):
        receive_in(shop, back(1), key=f"parcel-{number}")

    assert [event.lines[0].total for event in shop.memory.events] == [334, 333, 333]
