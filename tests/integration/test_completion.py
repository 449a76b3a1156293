"""Completing a checkout on a real engine: what is taken, placed, paid and answered, and what is left alone."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, local

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, transactions_in_conflict
from builders.orders import ANSWER_LOST, BANK, DECLINED, RISKY, WITH_3DS, Credential, Shop, an_order, card
from commerce.checkout.model import Checkout
from commerce.errors import ConditionFailed, NotFound
from commerce.identity.model import Caller
from commerce.ids import order_id_for
from commerce.orders.model import Order
from commerce.orders.repository import OrderRepository
from commerce.orders.service import FIRST_PART, cancel_order, place_order
from commerce.pricing.model import Offer


def codes(checkout: Checkout) -> list[str]:
    return [message.code for message in checkout.messages]


def test_a_completed_checkout_has_a_paid_order_and_its_stock(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout(("SHIRT-M", 2))

    completed = shop.complete(checkout)

    assert completed.status == "completed"
    order = shop.orders.get(str(completed.order_id))
    assert (order.status, order.total) == ("confirmed", 5500)
    assert shop.payment_types(order) == ["authorized"]
    assert (shop.stock().available, shop.stock().reserved) == (3, 2)
    [reservation] = shop.inventory.reservations(order.id)
    assert (reservation.quantity, reservation.status, reservation.deadline) == (2, "reserved", None)
    assert shop.events()["order.placed"] == shop.events()["order.confirmed"] == 1
    assert shop.workflow.started == [order.id]
    assert shop.ledger_balances()


def test_completing_again_answers_the_same_and_changes_nothing(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout()

    first = shop.complete(checkout)
    again = shop.complete(checkout)

    assert again == first
    assert shop.stock().reserved == 1
    assert shop.gateway.calls["confirm"] == 1


def test_two_hundred_buyers_who_all_saw_fifty_units_and_pay_in_the_same_moment_get_fifty_or_a_clean_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stocked(50)
    checkouts = [shop.checkout(id=f"chk_{number}") for number in range(200)]
    everyone, offers, seen = Barrier(200, timeout=60), shop.catalog.offers, local()

    def offers_once_everyone_has_seen_the_stock(skus: Iterable[str]) -> dict[str, Offer]:
        if not getattr(seen, "before", False):
            seen.before = True
            everyone.wait()
        return offers(skus)

    monkeypatch.setattr(shop.catalog, "offers", offers_once_everyone_has_seen_the_stock)
    with ThreadPoolExecutor(200) as crowd:
        answers = list(crowd.map(shop.complete, checkouts))

    outcomes = Counter("order" if answer.status == "completed" else str(codes(answer)) for answer in answers)
    assert outcomes == {"order": 50, "['out_of_stock']": 150}
    assert {answer.messages[0].path for answer in answers if answer.messages} == {"$.line_items[0].quantity"}
    assert len(shop.all_orders()) == len(shop.gateway.holding) == shop.gateway.calls["confirm"] == 50
    assert (shop.stock().available, shop.stock().reserved) == (0, 50)
    assert shop.ledger_balances()


def test_one_checkout_completed_twenty_times_at_once_makes_one_order_one_charge_and_equal_answers(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout()

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(shop.complete, [checkout] * 20))

    assert {answer.status for answer in answers} == {"completed"}
    assert all(answer == answers[0] for answer in answers)
    assert len(shop.all_orders()) == 1
    assert shop.gateway.calls["confirm"] == len(shop.gateway.holding) == 1
    assert (shop.stock().available, shop.stock().reserved) == (4, 1)
    assert shop.events()["order.placed"] == shop.events()["order.confirmed"] == 1


def test_twenty_completions_at_once_with_the_last_unit_are_all_told_that_the_order_stands(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(shop.complete, [checkout] * 20))

    assert {answer.status for answer in answers} == {"completed"}
    assert shop.stock().available == 0


def test_a_declined_card_gives_the_stock_back_and_opens_the_checkout_for_another_card(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()

    declined = shop.complete(checkout, card(DECLINED))

    assert (declined.status, declined.attempt, codes(declined)) == ("ready_for_complete", 2, ["payment_declined"])
    assert (shop.stock().available, shop.stock().reserved) == (1, 0)
    first = shop.orders.get(order_id_for(checkout.id, 1))
    assert (first.status, first.cancel_reason) == ("canceled", "payment_declined")
    assert shop.payment_types(first) == ["declined"]

    completed = shop.complete(checkout)

    assert (completed.status, completed.order_id) == ("completed", order_id_for(checkout.id, 2))
    assert (shop.stock().available, shop.stock().reserved) == (0, 1)
    assert shop.ledger_balances()


def test_twenty_completions_at_once_with_a_declined_card_leave_neither_stock_nor_money_behind(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: shop.complete(checkout, card(DECLINED)), range(20)))

    assert {answer.status for answer in answers} <= {"ready_for_complete", "complete_in_progress"}
    assert "payment_declined" in codes(shop.checkouts.get(checkout.id, NOW))
    assert len(shop.all_orders()) == shop.gateway.calls["confirm"]
    assert (shop.stock().available, shop.stock().reserved) == (1, 0)
    assert shop.gateway.holding == []


class DecidedAtThisMoment:
    """The orders, of which one is decided by someone else just before it is read."""

    def __init__(self, orders: OrderRepository, decide: Callable[[], object]) -> None:
        self._orders, self._decide = orders, decide

    def find(self, order_id: str) -> Order | None:
        self._decide()
        return self._orders.find(order_id)


def test_a_completion_that_waited_in_vain_is_told_what_became_of_the_order_at_this_moment(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()
    pending = shop.complete(checkout, card(ANSWER_LOST))
    order = shop.orders.get(str(pending.order_id))

    def decline() -> None:
        cancel_order(shop.stores, shop.workflow, order, reason="payment_declined", actor="payment", now=NOW)

    shop.waits_for_nobody()
    orders = DecidedAtThisMoment(shop.orders, decline)
    shop.till = replace(shop.till, stores=replace(shop.stores, orders=orders))  # type: ignore[arg-type]
    told = shop.complete(checkout)

    assert (told.status, told.attempt, codes(told)) == ("ready_for_complete", 2, ["payment_declined"])


def test_a_bank_that_wants_a_confirmation_leads_the_buyer_there_once(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()

    waiting = shop.complete(checkout, card(WITH_3DS))
    again = shop.complete(checkout, card(WITH_3DS))

    assert (waiting.status, waiting.escalation_url) == ("requires_escalation", BANK)
    assert [message.severity for message in waiting.messages] == ["requires_buyer_input"]
    assert again == waiting
    assert shop.events()["payment.action_required"] == 1


def test_completing_after_the_bank_said_yes_finishes_the_order(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()
    waiting = shop.complete(checkout, card(WITH_3DS))
    [intent] = shop.gateway.intents.values()
    intent.outcome = "authorized"

    completed = shop.complete(checkout, card(WITH_3DS))

    assert (completed.status, completed.order_id) == ("completed", waiting.order_id)
    assert shop.gateway.calls["confirm"] == 1


def test_a_lost_answer_of_the_provider_leaves_the_order_pending_until_the_next_completion_asks(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()

    pending = shop.complete(checkout, card(ANSWER_LOST))

    assert pending.status == "complete_in_progress"
    assert shop.orders.get(str(pending.order_id)).status == "pending_payment"

    shop.waits_for_nobody()
    assert shop.complete(checkout).status == "completed"
    assert shop.gateway.calls["confirm"] == 1


def test_what_the_provider_takes_for_fraud_is_not_sent_and_not_paid(shop: Shop) -> None:
    shop.stocked(1)

    refused = shop.complete(shop.checkout(), card(RISKY))

    assert refused.status == "canceled"
    [order] = shop.all_orders()
    assert (order["status"], order["cancel_reason"]) == ("canceled", "fraud")
    assert shop.gateway.holding == []
    assert shop.stock().available == 1


def test_a_price_that_changed_since_the_buyer_saw_it_is_shown_first(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()
    shop.catalog.prices["SHIRT-M"] = 9900

    shown = shop.complete(checkout)

    assert (shown.status, codes(shown)) == ("ready_for_complete", ["price_changed"])
    assert shop.all_orders() == []

    completed = shop.complete(checkout)

    assert completed.status == "completed"
    assert shop.orders.get(str(completed.order_id)).total == 10_400


def test_of_completions_at_once_none_takes_anothers_look_at_the_new_price_for_agreement(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stocked(5)
    checkout = shop.checkout()
    shop.catalog.prices["SHIRT-M"] = 9900
    read = shop.catalog.offers

    def offers_after_another_completion(skus: Iterable[str]) -> dict[str, Offer]:
        monkeypatch.setattr(shop.catalog, "offers", read)
        shop.complete(checkout)
        shop.catalog.prices["SHIRT-M"] = 9800
        return read(skus)

    monkeypatch.setattr(shop.catalog, "offers", offers_after_another_completion)
    late = shop.complete(checkout)

    assert codes(late) == ["price_changed"]
    assert shop.all_orders() == []


def test_an_attempt_at_a_checkout_has_one_order_even_where_stock_and_checkout_would_allow_two(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout()
    order = an_order(id=order_id_for(checkout.id, 1), checkout_id=checkout.id)
    place_order(shop.stores, order, checkout, {}, [], now=NOW)

    with pytest.raises(ConditionFailed) as refused:
        place_order(shop.stores, order, checkout, {}, [], now=NOW + timedelta(days=1))

    the_order, the_checkout, the_reservation = 0, 1, FIRST_PART + 1
    assert refused.value.failed == (the_order, the_checkout, the_reservation)


def test_lines_of_the_same_sku_cannot_both_take_the_last_unit(shop: Shop) -> None:
    shop.stocked(3)

    refused = shop.complete(shop.checkout(("SHIRT-M", 2), ("SHIRT-M", 2)))

    assert codes(refused) == ["out_of_stock"]
    assert (shop.stock().available, shop.all_orders()) == (3, [])


def test_lines_of_the_same_sku_are_reserved_together(shop: Shop) -> None:
    shop.stocked(4)

    completed = shop.complete(shop.checkout(("SHIRT-M", 2), ("SHIRT-M", 2)))

    [reservation] = shop.inventory.reservations(str(completed.order_id))
    assert reservation.quantity == 4
    assert shop.ledger_balances()


def test_an_order_of_as_many_different_items_as_a_cart_may_hold_fits_one_transaction(shop: Shop) -> None:
    lines = [(f"SKU-{number}", 1) for number in range(shop.till.settings.max_lines)]
    for sku, _ in lines:
        shop.stocked(1, sku)

    completed = shop.complete(shop.checkout(*lines))

    assert completed.status == "completed"
    assert all(shop.stock(sku).available == 0 for sku, _ in lines)


def test_an_order_is_filled_from_several_locations_where_none_has_enough(dynamodb, tables) -> None:
    shop = Shop(dynamodb, tables, locations=("north", "south"))
    shop.stocked(2, location="north")
    shop.stocked(2, location="south")

    completed = shop.complete(shop.checkout(("SHIRT-M", 3)))

    assert completed.status == "completed"
    assert (shop.stock(location="north").available, shop.stock(location="south").available) == (0, 1)
    assert shop.ledger_balances()


def test_a_card_number_is_refused_not_answered_and_takes_nothing(shop: Shop) -> None:
    shop.stocked(1)
    raw = Credential(type="card", number="4242424242424242")

    refused = shop.complete(shop.checkout(), card(credential=raw))

    assert codes(refused) == ["payment_failed"]
    assert "4242" not in refused.model_dump_json() + repr(raw)
    assert shop.all_orders() == []


@pytest.mark.parametrize(
    "payment",
    [card("4242424242424242"), card(handler_id="someone-else"), card(type="voucher"), card(credential=None)],
    ids=["a number for a token", "unknown handler", "no card", "no credential"],
)
def test_a_payment_that_cannot_work_is_refused_before_anything_is_taken(shop: Shop, payment) -> None:
    shop.stocked(1)

    refused = shop.complete(shop.checkout(), payment)

    assert codes(refused) == ["payment_failed"]
    assert (shop.stock().available, shop.all_orders()) == (1, [])


def test_a_customers_checkout_is_nobody_elses(shop: Shop) -> None:
    checkout = shop.checkout(owner="customer_1")

    with pytest.raises(NotFound):
        shop.complete(checkout, caller=Caller(subject="customer_2"))


def test_an_expired_checkout_cannot_be_completed(shop: Shop) -> None:
    checkout = shop.checkout()

    with pytest.raises(NotFound):
        shop.complete(checkout, now=NOW + timedelta(days=1))


def test_no_payment_token_is_ever_stored(shop: Shop) -> None:
    shop.stocked(1)
    shop.complete(shop.checkout(), card("pm_very_secret"))

    everything = [item for variable in shop.tables for item in shop.all(variable, "")]
    assert "pm_very_secret" not in repr(everything)


def test_a_lost_answer_to_the_note_of_who_holds_the_money_asks_for_it_once(shop: Shop) -> None:
    shop.stocked(1)

    with answers_lost_after_the_write(shop.client, times=1, operation="UpdateItem") as lost:
        completed = shop.complete(shop.checkout())

    assert (lost, completed.status) == ([200], "completed")
    assert shop.gateway.calls["confirm"] == len(shop.gateway.holding) == 1
    assert shop.orders.get(str(completed.order_id)).payment_intent is not None


def test_answers_lost_after_the_write_take_the_stock_once(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout(("SHIRT-M", 2))

    with answers_lost_after_the_write(shop.client, times=3) as lost:
        completed = shop.complete(checkout)

    assert lost == [200, 200, 200]
    assert completed.status == "completed"
    assert (shop.stock().available, shop.stock().reserved) == (3, 2)
    assert shop.events()["order.placed"] == 1
    assert shop.ledger_balances()


def test_a_rush_in_which_most_transactions_collide_still_sells_every_unit_and_no_more(shop: Shop) -> None:
    shop.stocked(10)
    checkouts = [shop.checkout(id=f"chk_{number}") for number in range(30)]

    with transactions_in_conflict(shop.client, share=0.6) as collided, ThreadPoolExecutor(30) as crowd:
        answers = list(crowd.map(shop.complete, checkouts))

    assert len(collided) > 30
    assert Counter(answer.status for answer in answers) == {"completed": 10, "incomplete": 20}
    assert (shop.stock().available, shop.stock().reserved) == (0, 10)
