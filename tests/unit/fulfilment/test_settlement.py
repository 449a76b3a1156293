"""A delivered order is closed once its books balance, and the buyer has the money for what was lost."""

from typing import Any

import pytest

from builders.fulfilment import NOW, Crash, Shop, from_two_places, line, shipped_order
from commerce.errors import Conflict, Unavailable
from commerce.fulfilment.model import share_of
from commerce.fulfilment.settlement import settle
from commerce.orders.model import Adjustment, Allocation, Order
from commerce.orders.payment import conclude_refund, refund
from commerce.payments.model import payment_event
from commerce.pricing.model import Total


def settle_it(shop: Shop) -> Order:
    return settle(shop.stores, lambda: shop.bank, order_id="order_1", now=NOW)


def delivered_and_captured(**changes: Any) -> Shop:
    shop = Shop(shipped_order(status="delivered", **changes))
    shop.memory.payments.append(payment_event("captured", "pi_1", shop.order.total, "USD", NOW))
    return shop


def with_one_lost() -> Shop:
    """The shirts (39.98) arrived and the mug (19.99) is lost; the buyer paid 5.90 for shipping."""
    sent = shipped_order("delivered", lines=from_two_places(fulfilled=1))
    shirts, mug = sent.shipments
    totals = (
        Total(type="subtotal", amount=5997),
        Total(type="fulfillment", amount=590),
        Total(type="total", amount=6587),
    )
    return delivered_and_captured(
        lines=sent.lines, shipments=(shirts, mug.model_copy(update={"status": "lost"})), totals=totals
    )


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


class TestOneParcelOfTwoIsLost:
    def test_the_buyer_gets_its_share_back_and_the_rest_stands(self) -> None:
        shop = with_one_lost()

        settle_it(shop)
        settle_it(shop)

        assert list(shop.bank.returned.values()) == [2196]
        assert shop.money == ["authorized", "captured", "refund_requested", "refunded"]
        assert shop.published == ["payment.refunded", "order.settled"]
        [refunded, settled] = shop.memory.events
        assert refunded.reason == "parcel_lost"
        assert (settled.captured, settled.refunded) == (6587, 2196)
        assert shop.order.status == "delivered"

    @pytest.mark.parametrize("effect", [1, 2, 3, 4])
    def test_a_crash_after_any_effect_is_mended_by_running_again(self, effect: int) -> None:
        """The effects: refund requested, refunded, refund recorded, settled."""
        shop = with_one_lost()
        shop.boundaries.crash_after = effect

        with pytest.raises(Crash):
            settle_it(shop)

        assert settle_it(shop).settled
        assert list(shop.bank.returned.values()) == [2196]
        assert shop.published == ["payment.refunded", "order.settled"]

    def test_settling_it_has_four_effects_so_that_the_crashes_above_meet_them_all(self) -> None:
        shop = with_one_lost()

        settle_it(shop)

        assert shop.boundaries.passed == 4

    def test_without_an_answer_nothing_is_closed_and_the_next_run_asks_again(self) -> None:
        shop = with_one_lost()
        shop.bank.refunds = "unknown"
        with pytest.raises(Unavailable):
            settle_it(shop)
        assert not shop.order.settled

        shop.bank.refunds = "refunded"
        assert settle_it(shop).settled
        assert list(shop.bank.returned.values()) == [2196]

    def test_money_that_is_on_its_way_back_does_not_keep_the_books_open(self) -> None:
        shop = with_one_lost()
        shop.bank.refunds = "pending"

        assert settle_it(shop).settled
        assert shop.money[-1] == "refund_requested"

    def test_a_refund_that_the_provider_refuses_needs_a_person_and_what_they_do_by_hand_counts(self) -> None:
        shop = with_one_lost()
        shop.bank.refunds = "failed"
        with pytest.raises(Conflict, match="refuses to give 2196"):
            settle_it(shop)

        conclude_refund(
            shop.stores, "order_1", failed=False, provider_refund="re_hand", amount=2196, reason=None, now=NOW
        )

        assert settle_it(shop).settled

    def test_never_more_goes_back_than_was_paid(self) -> None:
        """Support was quicker, and gave nearly everything back."""
        shop = with_one_lost()
        by_support = {"reason": "support", "refund_id": "re_1", "actor": "sue", "now": NOW}
        refund(shop.stores, shop.bank, order_id="order_1", amount=6000, **by_support)

        assert settle_it(shop).settled
        assert sorted(shop.bank.returned.values()) == [587, 6000]


@pytest.mark.parametrize("total", [1, 2, 3, 100, 5997, 6587])
def test_the_parcels_shares_sum_to_what_was_paid(total: int) -> None:
    places = (Allocation(location="main", quantity=1), Allocation(location="attic", quantity=2))
    lines = (*from_two_places(), line("line_3", "LAMP", 3, allocations=places))
    split = shipped_order(lines=lines, totals=(Total(type="total", amount=total),))

    shares = {one.location: share_of(split, one) for one in split.shipments}

    assert sum(shares.values()) == total
    assert shares["attic"] >= shares["annex"]


def test_the_only_parcel_is_all_that_was_paid() -> None:
    single = shipped_order(totals=(Total(type="total", amount=4711),))

    assert share_of(single, single.shipments[0]) == 4711


def test_shipping_of_goods_that_cost_nothing_is_shared_by_their_units() -> None:
    free = (Total(type="subtotal", amount=0), Total(type="total", amount=0))
    lines = tuple(line.model_copy(update={"totals": free}) for line in from_two_places(fulfilled=1))
    sent = shipped_order("delivered", lines=lines, totals=(Total(type="total", amount=590),))
    shares = [share_of(sent, one) for one in sent.shipments]
    assert sum(shares) == 590
    assert min(shares) > 0
