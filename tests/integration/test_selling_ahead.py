"""Backorders, preorders and purchase limits on a real engine: never above a cap or a limit, whoever races for them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from builders.checkout import NOW, buyer
from builders.faults import calls_of
from builders.orders import DECLINED, Shop, card, part
from builders.stock import CHRISTMAS, backorder, preorder
from commerce.adapters.dynamodb import transact
from commerce.checkout.model import Checkout
from commerce.errors import ConditionFailed, Conflict, StaleVersion
from commerce.fulfilment import warehouse
from commerce.fulfilment.model import PickedLine
from commerce.identity.model import GUEST, Caller
from commerce.inventory.selling import set_policy
from commerce.inventory.service import adjust_stock
from commerce.orders.model import Order
from commerce.orders.service import cancel_order, parts_of
from commerce.orders.view import Awaited, present
from commerce.supply import SellingPolicy, SellingTerms


def sold(shop: Shop, policy: SellingPolicy, units: int = 0, sku: str = "SHIRT-M") -> str:
    """A SKU with so many free units that is sold under the policy."""
    if units:
        shop.stocked(units, sku)
    shop.inventory.save_policy(sku, SellingPolicy(), policy)
    return sku


def codes(checkout: Checkout) -> list[str]:
    return [message.code for message in checkout.messages]


def agreed(shop: Shop, *lines: tuple[str, int], id: str = "chk_1", caller: Caller = GUEST) -> Checkout:
    """What a buyer gets who completes, is shown that units come later, and completes again."""
    checkout = shop.checkout(*lines, id=id, owner=caller.subject)
    shown = shop.complete(checkout, caller=caller)
    return shop.complete(checkout, caller=caller) if shown.status == "ready_for_complete" else shown


def cancel(shop: Shop, order_id: str | None) -> None:
    order = shop.orders.get(order_id or "")
    cancel_order(shop.stores, shop.workflow, order, reason="buyer_request", actor="buyer", now=NOW)


def adjusted(shop: Shop, quantity: int, adjustment_id: str = "adj_1") -> None:
    adjust_stock(
        shop.inventory,
        shop.audit,
        sku="SHIRT-M",
        quantity=quantity,
        reason="counted",
        actor="staff_1",
        adjustment_id=adjustment_id,
        now=NOW,
    )


def test_a_buyer_is_shown_that_units_come_later_before_that_counts_as_agreed(shop: Shop) -> None:
    sold(shop, backorder(expected_on=CHRISTMAS), units=1)
    checkout = shop.checkout(("SHIRT-M", 3))

    shown = shop.complete(checkout)
    assert (shown.status, codes(shown)) == ("ready_for_complete", ["backorder"])
    assert shop.all_orders() == []

    completed = shop.complete(checkout)
    assert (completed.status, codes(completed)) == ("completed", ["backorder"])
    [line] = shop.orders.get(completed.order_id or "").lines
    assert (line.quantity, line.backordered, line.expected_on) == (3, 2, CHRISTMAS)
    assert (shop.stock().on_hand, shop.stock().available) == (1, -2)
    assert shop.ledger_balances()


def test_a_preorder_of_what_never_lay_on_a_shelf_is_placed_and_paid(shop: Shop) -> None:
    sold(shop, preorder())

    completed = agreed(shop)

    assert (completed.status, codes(completed)) == ("completed", ["preorder"])
    assert len(shop.gateway.holding) == 1
    assert (shop.stock().on_hand, shop.stock().available) == (0, -1)
    assert shop.ledger_balances()


def test_what_the_buyer_has_agreed_to_holds_for_another_card(shop: Shop) -> None:
    sold(shop, preorder())
    checkout = shop.checkout()
    shop.complete(checkout)
    shop.complete(checkout, card(DECLINED))

    assert shop.complete(checkout).status == "completed"


def test_as_many_are_sold_ahead_as_the_cap_says_however_many_want_one(shop: Shop) -> None:
    sold(shop, backorder(7), units=3)

    def buy(number: int) -> str:
        checkout = agreed(shop, id=f"chk_{number}")
        return "sold" if checkout.status == "completed" else ",".join(codes(checkout))

    with ThreadPoolExecutor(20) as crowd:
        outcomes = Counter(crowd.map(buy, range(20)))

    assert outcomes == {"sold": 10, "out_of_stock": 10}
    assert (shop.stock().on_hand, shop.stock().available) == (3, -7)
    backordered = sum(shop.orders.get(order["id"]).lines[0].backordered for order in shop.all_orders())
    assert backordered == 7
    assert shop.ledger_balances()


def test_an_order_does_not_become_a_backorder_unseen(shop: Shop) -> None:
    sold(shop, backorder(), units=1)
    first, second = shop.checkout(id="chk_1"), shop.checkout(id="chk_2")

    with ThreadPoolExecutor(2) as buyers:
        answers = [answer.result() for answer in [buyers.submit(shop.complete, one) for one in (first, second)]]

    assert sorted((answer.status, *codes(answer)) for answer in answers) == [
        ("completed",),
        ("ready_for_complete", "backorder"),
    ]


def test_a_canceled_backorder_makes_room_under_the_cap(shop: Shop) -> None:
    sold(shop, backorder(1))
    first = agreed(shop)
    assert codes(agreed(shop, id="chk_2")) == ["out_of_stock"]

    cancel(shop, first.order_id)

    assert agreed(shop, id="chk_3").status == "completed"
    assert shop.stock().available == -1
    assert shop.ledger_balances()


def test_units_that_arrive_pay_what_is_owed_first(shop: Shop) -> None:
    sold(shop, backorder(5))
    agreed(shop, ("SHIRT-M", 4))

    adjusted(shop, 6)

    assert (shop.stock().on_hand, shop.stock().available) == (6, 2)
    assert shop.inventory.supply(["SHIRT-M"], NOW)["SHIRT-M"].left == 7


def test_other_terms_while_units_are_owed_strand_nothing(shop: Shop) -> None:
    policy = backorder(5)
    sold(shop, policy)
    order = agreed(shop, ("SHIRT-M", 4)).order_id
    lower = policy.model_copy(update={"cap": 2, "version": 2})
    shop.inventory.save_policy("SHIRT-M", policy, lower)
    assert codes(agreed(shop, id="chk_2")) == ["out_of_stock"]

    shop.inventory.save_policy("SHIRT-M", lower, backorder(9, version=3))
    assert agreed(shop, ("SHIRT-M", 5), id="chk_3").status == "completed"
    cancel(shop, order)

    assert shop.stock().available == -5
    assert shop.ledger_balances()


def decide(shop: Shop, expected: int, **terms: Any) -> SellingPolicy:
    """What staff make of the shirt's policy."""
    wanted = SellingTerms(**{"mode": "backorder", "cap": 5, **terms})
    return set_policy(
        shop.inventory, shop.audit, sku="SHIRT-M", terms=wanted, expected=expected, actor="staff_1", now=NOW
    )


def test_the_place_where_units_are_owed_is_not_left_before_they_arrive(dynamodb: Any, tables: dict[str, str]) -> None:
    shop = Shop(dynamodb, tables, locations=("main", "annex"))
    assert decide(shop, 0).location == "main"
    agreed(shop)

    with pytest.raises(Conflict) as refused:
        decide(shop, 1, location="annex")
    assert refused.value.path == "$.location"
    assert decide(shop, 1, mode="deny", cap=0).location == "main"

    adjusted(shop, 1)
    assert decide(shop, 2, location="annex").location == "annex"


def test_of_two_decisions_at_once_one_holds_and_the_other_is_told(shop: Shop) -> None:
    def cap(number: int) -> str:
        try:
            return str(decide(shop, 0, cap=number).cap)
        except StaleVersion:
            return "stale"

    with ThreadPoolExecutor(8) as staff:
        outcomes = list(staff.map(cap, range(1, 9)))

    [held] = [outcome for outcome in outcomes if outcome != "stale"]
    assert (shop.inventory.policy("SHIRT-M").cap, shop.inventory.policy("SHIRT-M").version) == (int(held), 1)


def test_a_cap_that_is_lowered_at_the_same_moment_holds(shop: Shop) -> None:
    policy = backorder(5)
    sold(shop, policy)
    supply = shop.inventory.supply(["SHIRT-M"], NOW)
    shop.inventory.save_policy("SHIRT-M", policy, backorder(1, version=2))

    ahead = part(2).model_copy(update={"backordered": 2})
    late = shop.inventory.reserve_actions("order_2", [ahead], deadline=NOW, now=NOW, supply=supply)
    with pytest.raises(ConditionFailed) as refused:
        transact(shop.client, late)

    the_policy = 3
    assert refused.value.failed == (the_policy,)


def test_what_is_lost_of_a_sku_that_is_sold_ahead_is_owed_within_the_cap(shop: Shop) -> None:
    sold(shop, backorder(2), units=4)
    agreed(shop, ("SHIRT-M", 3))

    adjusted(shop, -3)
    assert (shop.stock().on_hand, shop.stock().available) == (1, -2)

    with pytest.raises(Conflict):
        adjusted(shop, -1, "adj_2")
    assert shop.ledger_balances()


def test_a_buyer_gets_no_more_than_the_limit_over_all_orders_and_is_told(shop: Shop) -> None:
    sold(shop, SellingPolicy(purchase_limit=3, version=1), units=20)
    shop.stocked(1, "MUG")
    agreed(shop, ("SHIRT-M", 2))

    refused = agreed(shop, ("MUG", 1), ("SHIRT-M", 2), id="chk_2")

    [message] = refused.messages
    assert (refused.status, message.code) == ("incomplete", "purchase_limit")
    assert message.path == "$.line_items[1].quantity"
    assert "at most 3" in message.content
    assert agreed(shop, ("SHIRT-M", 1), id="chk_3").status == "completed"


def test_somebody_elses_purchases_do_not_count(shop: Shop) -> None:
    sold(shop, SellingPolicy(purchase_limit=1, version=1), units=20)
    agreed(shop)

    other = shop.checkout(id="chk_2", buyer=buyer(email="eve@example.com"))
    assert shop.complete(other).status == "completed"
    assert agreed(shop, id="chk_3", caller=Caller(subject="customer_1")).status == "completed"
    assert codes(agreed(shop, id="chk_4", caller=Caller(subject="customer_1"))) == ["purchase_limit"]


def test_a_limit_that_two_checkouts_of_one_buyer_race_for_is_never_exceeded(shop: Shop) -> None:
    sold(shop, SellingPolicy(purchase_limit=3, version=1), units=20)

    def buy(number: int) -> str:
        checkout = agreed(shop, id=f"chk_{number}")
        return "sold" if checkout.status == "completed" else ",".join(codes(checkout))

    with ThreadPoolExecutor(10) as tabs:
        outcomes = Counter(tabs.map(buy, range(10)))

    assert outcomes == {"sold": 3, "purchase_limit": 7}
    assert shop.stock().available == 17


def test_a_canceled_order_gives_the_limit_back_once(shop: Shop) -> None:
    sold(shop, SellingPolicy(purchase_limit=2, version=1), units=20)
    first = agreed(shop, ("SHIRT-M", 2))

    for _ in range(3):
        cancel(shop, first.order_id)

    [counter] = shop.all("INVENTORY_TABLE", "LIMIT#")
    assert counter["units"] == 0
    assert agreed(shop, ("SHIRT-M", 2), id="chk_2").status == "completed"
    assert codes(agreed(shop, id="chk_3")) == ["purchase_limit"]


def test_a_limit_that_was_lifted_is_given_back_as_it_was_taken(shop: Shop) -> None:
    policy = SellingPolicy(purchase_limit=2, version=1)
    sold(shop, policy, units=20)
    first = agreed(shop)
    shop.inventory.save_policy("SHIRT-M", policy, SellingPolicy(version=2))
    second = agreed(shop, id="chk_2")

    cancel(shop, first.order_id)
    cancel(shop, second.order_id)

    assert [counter["units"] for counter in shop.all("INVENTORY_TABLE", "LIMIT#")] == [0]


def test_the_table_tells_nobody_who_bought_what(shop: Shop) -> None:
    sold(shop, SellingPolicy(purchase_limit=2, version=1), units=20)
    agreed(shop)

    assert len(shop.all("INVENTORY_TABLE", "LIMIT#")) == 1
    kept = str(shop.all("INVENTORY_TABLE", "")).lower()
    assert [said for said in ("ada@example.com", "lovelace") if said in kept] == []


def test_policies_cost_an_order_no_call(shop: Shop) -> None:
    sold(shop, SellingPolicy(purchase_limit=2, version=1), units=20)
    checkout = shop.checkout()

    with calls_of(shop.client) as limited:
        shop.complete(checkout)
    shop.stocked(5, "MUG")
    other = shop.checkout(("MUG", 1), id="chk_2")
    with calls_of(shop.client) as plain:
        shop.complete(other)

    assert limited == plain


def pick(shop: Shop, order_id: str | None, found: int) -> Order:
    order = shop.orders.get(order_id or "")
    counted = (PickedLine(line_id=order.lines[0].id, quantity=found),)
    return warehouse.pick(
        shop.stores, shop.inventory, shop.workflow, order_id=order.id, picked=counted, actor="picker", now=NOW
    )


def test_a_backorder_is_picked_once_its_units_lie_on_the_shelf(shop: Shop) -> None:
    sold(shop, backorder(5), units=1)
    order = agreed(shop, ("SHIRT-M", 3)).order_id

    for found in (3, 1, 0):
        with pytest.raises(Conflict) as refused:
            pick(shop, order, found)
        assert "sold ahead" in refused.value.content
    assert shop.orders.get(order or "").status == "confirmed"

    adjusted(shop, 2)
    assert pick(shop, order, 3).status == "picked"
    assert (shop.stock().on_hand, shop.stock().available) == (3, 0)


def test_units_that_two_pickers_claim_leave_the_shop_once(shop: Shop) -> None:
    """The second one says what is not so: the shelf is empty, and so the books let nothing more go."""
    sold(shop, backorder(5))
    orders = [shop.orders.get(str(agreed(shop, ("SHIRT-M", 2), id=f"chk_{number}").order_id)) for number in (1, 2)]
    adjusted(shop, 2)
    assert [pick(shop, order.id, 2).status for order in orders] == ["picked", "picked"]

    first, second = (shop.inventory.ship_actions(order.id, parts_of(order), now=NOW) for order in orders)
    transact(shop.client, first)
    with pytest.raises(ConditionFailed):
        transact(shop.client, second)

    assert (shop.stock().on_hand, shop.stock().available) == (0, -2)
    adjusted(shop, 2, "adj_2")
    transact(shop.client, second)
    assert (shop.stock().on_hand, shop.stock().available) == (0, 0)


def test_a_unit_that_is_missing_though_all_have_arrived_is_a_short_pick(shop: Shop) -> None:
    sold(shop, backorder(5))
    order = agreed(shop, ("SHIRT-M", 2)).order_id
    adjusted(shop, 4)

    assert pick(shop, order, 1).cancel_reason == "short_pick"

    assert (shop.stock().on_hand, shop.stock().available) == (3, 3)
    assert shop.ledger_balances()


def test_an_order_from_the_shelf_is_not_canceled_for_units_that_a_backorder_waits_for(shop: Shop) -> None:
    sold(shop, backorder(5), units=1)
    from_the_shelf = agreed(shop)
    agreed(shop, ("SHIRT-M", 2), id="chk_2")

    with pytest.raises(Conflict):
        pick(shop, from_the_shelf.order_id, 0)

    assert pick(shop, from_the_shelf.order_id, 1).status == "picked"


def test_the_order_says_what_is_awaited_until_it_is_picked(shop: Shop) -> None:
    sold(shop, backorder(5, expected_on=CHRISTMAS), units=1)
    order_id = agreed(shop, ("SHIRT-M", 3)).order_id or ""

    shown = present(shop.orders.get(order_id), "https://shop.example")
    assert shown.line_items[0].awaited == Awaited(quantity=2, expected_on=CHRISTMAS)
    assert shown.fulfillment.expectations[0].fulfillable_on == "2026-12-24T00:00:00Z"

    adjusted(shop, 2)
    picked = present(pick(shop, order_id, 3), "https://shop.example")
    assert picked.line_items[0].awaited is None
    assert picked.fulfillment.expectations[0].fulfillable_on == "now"
