"""Picking, packing, handing over and canceling, as the warehouse and support do it."""

import pytest

from builders.fulfilment import NOW, Shop, found, from_two_places, line, order, parcels
from commerce.errors import Conflict, Invalid, StaleVersion
from commerce.fulfilment.model import PickedLine, missing_stock
from commerce.fulfilment.warehouse import hand_over, pack, pick, worklist
from commerce.orders.model import Allocation, Order, Status
from commerce.orders.service import cancel_order


def picked(shop: Shop, quantity: int, line_id: str = "line_1", **options: object) -> Order:
    return pick(
        shop.stores,
        shop.warehouse,
        shop.signals,
        order_id="order_1",
        picked=found(quantity, line_id),
        actor="sam",
        now=NOW,
        **options,
    )


def packed(shop: Shop, weight_grams: int = 1200, **options: object) -> Order:
    return pack(shop.stores, order_id="order_1", weight_grams=weight_grams, actor="sam", now=NOW, **options)


def handed_over(shop: Shop, **options: object) -> Order:
    return hand_over(shop.stores, shop.signals, order_id="order_1", actor="sam", now=NOW, **options)


def stages(shop: Shop) -> dict[str, str]:
    return {shipment.location: shipment.status for shipment in shop.order.shipments}


def test_a_full_count_makes_the_order_picked_and_says_who_counted() -> None:
    shop = Shop(order("confirmed"))

    assert picked(shop, 2).status == "picked"

    [entry] = shop.memory.entries
    assert (entry["resource"], entry["actor"], entry["action"]) == ("order#order_1", "sam", "parcel.picked")


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


class TestAnOrderFromTwoPlaces:
    @pytest.fixture
    def shop(self) -> Shop:
        return Shop(order("confirmed", lines=from_two_places()))

    def test_each_picks_packs_and_hands_over_its_own_parcel_and_the_order_follows_the_last(self, shop: Shop) -> None:
        assert picked(shop, 2, location="main").status == "confirmed"
        assert packed(shop, 800, location="main").status == "confirmed"
        assert picked(shop, 1, "line_2", location="annex").status == "picked"
        assert handed_over(shop, location="main").status == "picked"
        assert packed(shop, 350, location="annex").status == "packed"
        assert shop.signals.told == []
        assert handed_over(shop, location="annex").status == "ready_to_ship"

        assert shop.signals.told == [("token-1", "go on")]
        assert {one.location: one.weight_grams for one in shop.order.shipments} == {"main": 800, "annex": 350}
        assert [(entry["action"], entry["after"]["location"]) for entry in shop.memory.entries] == [
            ("parcel.picked", "main"),
            ("parcel.packed", "main"),
            ("parcel.picked", "annex"),
            ("parcel.ready_to_ship", "main"),
            ("parcel.packed", "annex"),
            ("parcel.ready_to_ship", "annex"),
        ]

    def test_without_its_location_nobody_knows_which_parcel_is_meant(self, shop: Shop) -> None:
        with pytest.raises(Invalid, match="main, annex") as refused:
            picked(shop, 2)

        assert refused.value.path == "$.location"
        assert stages(shop) == {"main": "pending", "annex": "pending"}

    def test_a_location_that_gives_nothing_has_no_parcel(self, shop: Shop) -> None:
        with pytest.raises(Invalid, match="no parcel") as refused:
            picked(shop, 2, location="attic")

        assert refused.value.path == "$.location"

    def test_a_picker_counts_the_lines_of_the_own_parcel_only(self, shop: Shop) -> None:
        with pytest.raises(Invalid, match="no such line"):
            picked(shop, 1, "line_2", location="main")

    def test_a_step_that_comes_twice_is_one_step(self, shop: Shop) -> None:
        assert picked(shop, 2, location="main") == picked(shop, 2, location="main")
        assert len(shop.memory.entries) == 1

    def test_one_parcel_cannot_be_handed_over_before_it_is_packed_however_far_the_other_is(self, shop: Shop) -> None:
        picked(shop, 2, location="main")

        with pytest.raises(Conflict, match="its parcel at annex pending"):
            packed(shop, location="annex")

    def test_two_places_that_work_at_the_same_moment_both_succeed(self, shop: Shop) -> None:
        write = shop.memory.change

        def other_first(known: Order, **changes: object) -> Order:
            shop.memory.change = write
            picked(shop, 1, "line_2", location="annex")
            return write(known, **changes)

        shop.memory.change = other_first

        assert picked(shop, 2, location="main").status == "picked"
        assert stages(shop) == {"main": "picked", "annex": "picked"}

    def test_what_is_missing_in_one_place_cancels_the_order_and_leaves_only_that_places_stock(self, shop: Shop) -> None:
        picked(shop, 2, location="main")

        short = picked(shop, 0, "line_2", location="annex")

        assert (short.status, short.cancel_reason) == ("canceled", "short_pick")
        assert shop.warehouse.stock("MUG", "annex").on_hand == 0
        assert shop.warehouse.stock("SHIRT-BLUE-M", "main").available == 2
        assert shop.signals.told == [("token-1", "ShortPick")]

    def test_nothing_is_picked_for_an_order_that_was_canceled(self, shop: Shop) -> None:
        cancel_order(shop.stores, shop.signals, shop.order, reason="fraud", actor="sue", now=NOW)

        with pytest.raises(Conflict, match="canceled"):
            picked(shop, 2, location="main")

    def test_picking_one_parcel_does_not_confirm_an_order_that_nobody_has_paid(self) -> None:
        shop = Shop(order("pending_payment", lines=from_two_places()))

        with pytest.raises(Conflict, match="pending_payment"):
            picked(shop, 2, location="main")

        assert shop.order.status == "pending_payment"


def test_lines_of_one_sku_lack_their_units_together() -> None:
    both = (line("line_1", quantity=2), line("line_2", quantity=3))

    assert missing_stock(both, {"line_1": 1, "line_2": 3}) == {"SHIRT-BLUE-M": 4}


def test_lines_of_one_place_share_a_parcel_and_a_line_from_two_places_stands_in_both() -> None:
    places = (Allocation(location="main", quantity=2), Allocation(location="annex", quantity=3))
    split = (line("line_1", quantity=5, allocations=places), line("line_2", "MUG", 1))

    assert {
        one.location: [(part.line_id, part.quantity) for part in one.lines] for one in parcels("confirmed", *split)
    } == {"main": [("line_1", 2), ("line_2", 1)], "annex": [("line_1", 3)]}


def test_the_packed_parcel_keeps_its_weight() -> None:
    shop = Shop(order("picked"))

    assert packed(shop, 1200).status == "packed"
    assert shop.order.shipments[0].weight_grams == 1200


def test_a_parcel_that_is_weighed_again_with_another_result_was_packed_before() -> None:
    shop = Shop(order("picked"))
    packed(shop, 1200)

    assert packed(shop, 1200) == shop.order
    with pytest.raises(Conflict, match="packed"):
        packed(shop, 1300)


def test_handing_over_wakes_the_workflow() -> None:
    shop = Shop(order("packed"))

    assert handed_over(shop).status == "ready_to_ship"
    assert shop.signals.told == [("token-1", "go on")]


def test_handing_over_again_wakes_it_again_in_case_the_signal_was_lost() -> None:
    shop = Shop(order("ready_to_ship"))

    handed_over(shop)

    assert shop.signals.told == [("token-1", "go on")]
    assert shop.memory.entries == []


def test_an_order_that_was_canceled_meanwhile_is_not_handed_over_again() -> None:
    shop = Shop(order("ready_to_ship"))
    cancel_order(shop.stores, shop.signals, shop.order, reason="fraud", actor="sue", now=NOW)

    with pytest.raises(Conflict, match="canceled"):
        handed_over(shop)


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


@pytest.mark.parametrize(
    ("status", "location", "listed"),
    [
        ("confirmed", "main", {"untouched"}),
        ("picked", "main", {"half", "both"}),
        ("picked", "annex", {"both"}),
        ("confirmed", "annex", {"untouched", "half"}),
        ("confirmed", "attic", set()),
        ("picked", None, {"both"}),
    ],
)
def test_a_places_list_shows_what_is_to_be_done_there_however_far_the_other_parcels_are(
    status: Status, location: str | None, listed: set[str]
) -> None:
    lines = from_two_places()
    main, annex = parcels("confirmed", *lines)
    picked_at_main = main.model_copy(update={"status": "picked"})
    shop = Shop(order(lines=lines))
    shop.memory.orders = {
        known.id: known
        for known in (
            order("confirmed", id="untouched", lines=lines),
            order("confirmed", id="half", lines=lines, shipments=(picked_at_main, annex)),
            order("picked", id="both", lines=lines),
            order("canceled", id="gone", lines=lines, shipments=(picked_at_main, annex)),
        )
    }

    page, _ = worklist(shop.memory, status=status, after=None, limit=10, location=location)

    assert {one.id for one in page} == listed


def test_a_places_page_may_hold_less_but_the_next_page_goes_on() -> None:
    shop = Shop(order(placed_at="2026-11-22T08:00:00.000Z"))
    for number in range(2, 6):
        lines = from_two_places() if number == 5 else (line(),)
        shop.memory.orders[f"order_{number}"] = order(
            id=f"order_{number}", lines=lines, placed_at=f"2026-11-22T08:00:0{number}.000Z"
        )

    seen, after, pages = [], None, 0
    while pages == 0 or after:
        page, after = worklist(shop.memory, status="confirmed", after=after, limit=2, location="annex")
        seen += [one.id for one in page]
        pages += 1

    assert (seen, pages) == (["order_5"], 3)
