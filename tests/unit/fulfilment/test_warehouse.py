"""Picking, packing, handing over and canceling, as the warehouse and support do it."""

import pytest

from builders.fulfilment import NOW, Shop, found, line, order
from commerce.errors import Conflict, Invalid, StaleVersion
from commerce.fulfilment.model import PickedLine, missing_stock
from commerce.fulfilment.warehouse import hand_over, pack, pick, worklist
from commerce.orders.model import Allocation, Order
from commerce.orders.service import cancel_order


def picked(shop: Shop, quantity: int, **options: object) -> Order:
    return pick(
        shop.stores,
        shop.warehouse,
        shop.signals,
        order_id="order_1",
        picked=found(quantity),
        actor="sam",
        now=NOW,
        **options,
    )


def handed_over(shop: Shop) -> Order:
    return hand_over(shop.stores, shop.signals, order_id="order_1", actor="sam", now=NOW)


def test_a_full_count_makes_the_order_picked_and_says_who_counted() -> None:
    shop = Shop(order("confirmed"))

    assert picked(shop, 2).status == "picked"

    [entry] = shop.memory.entries
    assert (entry["resource"], entry["actor"], entry["action"]) == ("order#order_1", "sam", "picked")


def test_a_count_that_comes_twice_is_one_step() -> None:
    shop = Shop(order("confirmed"))

    assert picked(shop, 2) == picked(shop, 2)
    assert len(shop.memory.entries) == 1


def test_a_short_count_cancels_the_order_and_the_missing_unit_leaves_the_stock() -> None:
    shop = Shop(order("confirmed"))

    short = picked(shop, 1)

    assert (short.status, short.cancel_reason) == ("canceled", "short_pick")
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").model_dump(include={"available", "on_hand"}) == {
        "available": 1,
        "on_hand": 1,
    }
    assert shop.signals.told == [("token-1", "ShortPick")]
    assert shop.published == ["order.canceled"]


def test_a_short_count_that_comes_twice_takes_the_missing_unit_once() -> None:
    shop = Shop(order("confirmed"))

    picked(shop, 1)
    picked(shop, 1)

    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 1
    assert shop.published == ["order.canceled"]


def test_missing_units_that_a_buyer_took_in_between_stay_promised_to_that_buyer() -> None:
    shop = Shop(order("canceled", cancel_reason="short_pick"))
    shop.warehouse.promised.clear()

    assert picked(shop, 0).status == "canceled"
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 0


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ((PickedLine(line_id="line_9", quantity=1),), "$.lines[0].line_id"),
        ((PickedLine(line_id="line_1", quantity=3),), "$.lines[0].quantity"),
        ((PickedLine(line_id="line_1", quantity=1), PickedLine(line_id="line_1", quantity=1)), "$.lines[1].line_id"),
    ],
)
def test_a_count_that_does_not_fit_the_order_names_the_field_and_changes_nothing(
    lines: tuple[PickedLine, ...], path: str
) -> None:
    shop = Shop(order("confirmed"))

    with pytest.raises(Invalid) as refused:
        pick(shop.stores, shop.warehouse, shop.signals, order_id="order_1", picked=lines, actor="sam", now=NOW)

    assert refused.value.path == path
    assert shop.order == order("confirmed")


def test_every_line_must_be_counted() -> None:
    shop = Shop(order("confirmed", lines=(line("line_1"), line("line_2", "MUG"))))

    with pytest.raises(Invalid, match="line_2"):
        picked(shop, 2)


def test_an_order_that_is_not_paid_cannot_be_picked() -> None:
    with pytest.raises(Conflict, match="pending_payment"):
        picked(Shop(order("pending_payment")), 2)


def test_a_step_for_an_older_version_is_refused() -> None:
    with pytest.raises(StaleVersion):
        picked(Shop(order("confirmed", version=3)), 2, expected=2)


def test_a_line_from_two_places_lacks_the_units_of_its_last_place_first() -> None:
    places = (Allocation(location="main", quantity=2), Allocation(location="annex", quantity=3))
    split = line(quantity=5, allocations=places)

    assert missing_stock([split], {"line_1": 4}) == {("SHIRT-BLUE-M", "annex"): 3, ("SHIRT-BLUE-M", "main"): 1}


def test_the_packed_parcel_keeps_its_weight() -> None:
    shop = Shop(order("picked"))

    packed = pack(shop.stores, order_id="order_1", weight_grams=1200, actor="sam", now=NOW)

    assert (packed.status, packed.weight_grams) == ("packed", 1200)


def test_handing_over_wakes_the_workflow() -> None:
    shop = Shop(order("packed"))

    assert handed_over(shop).status == "ready_to_ship"
    assert shop.signals.told == [("token-1", "go on")]


def test_handing_over_again_wakes_it_again_in_case_the_signal_was_lost() -> None:
    shop = Shop(order("ready_to_ship"))

    handed_over(shop)

    assert shop.signals.told == [("token-1", "go on")]
    assert shop.memory.entries == []


def test_the_token_is_read_after_the_order_was_written() -> None:
    """The workflow may store it between the two; a token read earlier would wake nobody."""
    shop = Shop(order("packed", task_token=None))
    write = shop.memory.change

    def stored_meanwhile(known: Order, **changes: object) -> Order:
        shop.memory.orders["order_1"] = shop.order.model_copy(update={"task_token": "token-2"})
        return write(known, **changes)

    shop.memory.change = stored_meanwhile

    handed_over(shop)

    assert shop.signals.told == [("token-2", "go on")]


def test_support_cancels_an_order_that_has_not_left() -> None:
    shop = Shop(order("packed"))

    canceled = cancel_order(shop.stores, shop.signals, shop.order, reason="merchant_request", actor="sue", now=NOW)

    assert canceled.cancel_reason == "merchant_request"
    assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 2
    assert shop.signals.told == [("token-1", "OrderCanceled")]


def test_whoever_read_an_older_version_does_not_cancel_what_they_have_not_seen() -> None:
    shop = Shop(order("confirmed", version=4))

    with pytest.raises(StaleVersion):
        cancel_order(
            shop.stores, shop.signals, shop.order, reason="merchant_request", actor="sue", now=NOW, expected=3
        )

    assert shop.order.status == "confirmed"


def test_an_order_that_has_left_cannot_be_canceled() -> None:
    with pytest.raises(Conflict):
        shop = Shop(order("shipped"))
        cancel_order(shop.stores, shop.signals, shop.order, reason="merchant_request", actor="sue", now=NOW)


def test_pages_of_the_worklist_hold_every_order_once_even_those_of_the_same_moment() -> None:
    shop = Shop(order(placed_at="2026-11-22T08:00:00.000Z"))
    for number, moment in enumerate(("01", "02", "02", "03"), 2):
        other = order(id=f"order_{number}", placed_at=f"2026-11-22T08:00:{moment}.000Z")
        shop.memory.orders[other.id] = other

    seen, after = [], None
    while True:
        page, after = worklist(shop.memory, status="confirmed", after=after, limit=3)
        seen += [one.id for one in page]
        if after is None:
            break

    assert seen == ["order_1", "order_2", "order_3", "order_4", "order_5"]
