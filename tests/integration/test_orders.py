"""What becomes of an order on a real engine: canceled, paid late, refunded, disputed, swept, each of it once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import calls_of
from builders.orders import BANK, DECLINED, WITH_3DS, Shop, card
from commerce.errors import Conflict
from commerce.ids import order_id_for
from commerce.orders.endings import compensate
from commerce.orders.model import Order
from commerce.orders.payment import apply_notice, conclude_refund, refund
from commerce.orders.service import cancel_order, confirm_order
from commerce.payments.model import PaymentEvent, balance, payment_event
from commerce.payments.service import PaymentNotice


def waiting(shop: Shop) -> Order:
    """An order whose buyer has not answered the bank yet."""
    shop.stocked(1)
    answer = shop.complete(shop.checkout(), card(WITH_3DS))
    return shop.orders.get(str(answer.order_id))


def cancel(shop: Shop, order: Order, **changes: Any) -> Order:
    fields = {"reason": "buyer_request", "actor": "buyer", "now": NOW, **changes}
    return cancel_order(shop.stores, shop.workflow, order, **fields)


def confirm(shop: Shop, order: Order) -> Order:
    held = payment_event("authorized", str(order.payment_intent), order.total, order.currency, NOW)
    return confirm_order(shop.stores, shop.workflow, order, held, now=NOW)


def notice(order: Order, kind: str, **changes: Any) -> PaymentNotice:
    fields = {
        "id": "evt_1",
        "kind": kind,
        "type": kind,
        "occurred_at": "2026-11-22T08:16:00.000Z",
        "intent_id": order.payment_intent,
        "order_id": order.id,
    }
    return PaymentNotice.model_validate({**fields, **changes})


def tell(shop: Shop, news: PaymentNotice) -> None:
    """As the webhook does, which is not told who buys."""
    apply_notice(shop.without_buyers(), shop.workflow, shop.gateway, news, now=NOW)


def give_back(shop: Shop, order: Order, amount: int, refund_id: str = "refund_1") -> str:
    event = refund(
        shop.stores,
        shop.gateway,
        order_id=order.id,
        amount=amount,
        reason="support",
        note="the mug of Ada Lovelace arrived broken",
        refund_id=refund_id,
        actor="staff_1",
        now=NOW,
    )
    return event.type


def undo(shop: Shop, order: Order, error: str = "States.Timeout") -> str:
    return compensate(shop.stores, shop.workflow, shop.gateway, order_id=order.id, error=error, now=NOW)


def test_canceling_twice_gives_the_stock_back_once(shop: Shop) -> None:
    order = shop.bought(units=3)

    first, again = cancel(shop, order), cancel(shop, order)

    assert first.status == again.status == "canceled"
    assert (shop.stock().available, shop.stock().reserved) == (3, 0)
    assert shop.events()["order.canceled"] == 1
    assert len(shop.all("AUDIT_TABLE", "")) == 1 + len(["the delivery of the stock"])
    assert shop.ledger_balances()


def test_twenty_cancellations_at_once_give_the_stock_back_once(shop: Shop) -> None:
    order = shop.bought(units=3)

    with ThreadPoolExecutor(20) as crowd:
        assert {one.status for one in crowd.map(lambda _: cancel(shop, order), range(20))} == {"canceled"}

    assert (shop.stock().available, shop.stock().reserved) == (3, 0)
    assert shop.ledger_balances()


@pytest.mark.parametrize("round_", range(8))
def test_of_a_cancellation_and_a_confirmation_at_once_the_order_is_one_thing(shop: Shop, round_: int) -> None:
    order = waiting(shop)

    with ThreadPoolExecutor(2) as crowd:
        ends = [
            crowd.submit(cancel, shop, order, reason="payment_timeout", actor="workflow"),
            crowd.submit(confirm, shop, order),
        ]
    answers = {end.result().status for end in ends}

    stored = shop.orders.get(order.id)
    assert answers == {stored.status}
    checkout = shop.checkouts.get(order.checkout_id, NOW)
    expected = {"confirmed": ("completed", (0, 1)), "canceled": ("ready_for_complete", (1, 0))}
    assert (checkout.status, (shop.stock().available, shop.stock().reserved)) == expected[stored.status]
    assert shop.ledger_balances()


def test_a_payment_that_came_is_not_undone_by_the_news_that_it_did_not(shop: Shop) -> None:
    order = waiting(shop)
    confirm(shop, order)

    assert cancel(shop, order, reason="payment_declined").status == "confirmed"


def test_an_order_that_has_left_cannot_be_canceled(shop: Shop) -> None:
    order = shop.bought()
    for status in ("picked", "packed", "ready_to_ship", "shipped"):
        order = shop.orders.change(order, to=status, now=NOW)

    with pytest.raises(Conflict):
        cancel(shop, order)


def test_confirming_wakes_the_state_that_waits_for_the_payment_and_no_other(shop: Shop) -> None:
    order = waiting(shop)
    shop.orders.table.update(f"ORDER#{order.id}", "ORDER", set={"task_token": "t1", "task_state": "AwaitPayment"})
    confirm(shop, order)
    shop.orders.table.update(f"ORDER#{order.id}", "ORDER", set={"task_token": "t2", "task_state": "AwaitWarehouse"})
    confirm(shop, order)

    assert shop.workflow.succeeded == ["t1"]


@pytest.mark.parametrize(
    ("reason", "name"), [("payment_declined", "PaymentDeclined"), ("buyer_request", "OrderCanceled")]
)
def test_canceling_tells_the_workflow_why(shop: Shop, reason: str, name: str) -> None:
    order = waiting(shop)
    shop.orders.table.update(f"ORDER#{order.id}", "ORDER", set={"task_token": "t1", "task_state": "AwaitPayment"})

    cancel(shop, order, reason=reason)

    assert shop.workflow.failed == [("t1", name)]


@pytest.mark.parametrize("end", [confirm, cancel])
def test_an_order_leads_to_the_bank_while_the_bank_waits_and_no_longer(
    shop: Shop, end: Callable[[Shop, Order], Order]
) -> None:
    order = waiting(shop)
    assert order.escalation_url == BANK

    end(shop, order)

    assert shop.orders.get(order.id).escalation_url is None


def test_the_notice_of_the_payment_confirms_the_order_once(shop: Shop) -> None:
    order = waiting(shop)
    [intent] = shop.gateway.intents.values()
    intent.outcome = "authorized"

    for _ in range(3):
        tell(shop, notice(order, "authorized"))

    assert shop.orders.get(order.id).status == "confirmed"
    assert shop.payment_types(order) == ["action_required", "authorized"]
    assert shop.checkouts.get(order.checkout_id, NOW).status == "completed"
    assert shop.events()["order.confirmed"] == 1


def test_a_notice_of_what_the_shop_itself_did_costs_one_look_and_no_question(
    shop: Shop, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.bought()
    monkeypatch.delattr(type(shop.gateway), "retrieve")

    with calls_of(dynamodb) as calls:
        tell(shop, notice(order, "authorized"))

    assert calls == ["GetItem"]


def test_a_capture_on_the_ledger_is_not_asked_about_again(
    shop: Shop, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.captured(shop.bought())
    monkeypatch.delattr(type(shop.gateway), "retrieve")

    with calls_of(dynamodb) as calls:
        tell(shop, notice(order, "captured", amount=order.total))

    assert calls == ["GetItem", "GetItem"]


def test_a_capture_that_nobody_recorded_is_recorded_by_its_notice(shop: Shop) -> None:
    order = shop.bought()
    assert order.payment_intent
    shop.gateway.capture(order.payment_intent, order.total, key="an answer that got lost")

    tell(shop, notice(order, "captured", amount=order.total))

    assert shop.payment_types(order) == ["authorized", "captured"]


def test_a_notice_wakes_the_workflow_whose_signal_got_lost(shop: Shop) -> None:
    order = shop.bought()
    waits = {"task_token": "token_1", "task_state": "AwaitPayment"}
    shop.orders.table.update(f"ORDER#{order.id}", "ORDER", set=waits)

    tell(shop, notice(order, "authorized"))

    assert shop.workflow.succeeded == ["token_1"]


def test_an_old_notice_of_a_decline_does_not_cancel_what_was_paid_since(shop: Shop) -> None:
    order = shop.bought()

    tell(shop, notice(order, "declined"))

    assert shop.orders.get(order.id).status == "confirmed"


def test_a_payment_that_comes_after_the_cancellation_is_let_go_at_once(shop: Shop) -> None:
    order = waiting(shop)
    cancel(shop, order, reason="payment_timeout")
    [intent] = shop.gateway.intents.values()
    intent.outcome = "authorized"

    tell(shop, notice(order, "authorized"))

    assert shop.gateway.holding == []
    assert shop.payment_types(order)[-2:] == ["authorized", "voided"]


def test_notices_about_nothing_of_this_shop_are_left_alone(shop: Shop) -> None:
    order = waiting(shop)
    [intent] = shop.gateway.intents.values()
    intent.outcome = "authorized"  # so that a notice which is taken in confirms the order

    def known() -> tuple[Order, list[PaymentEvent], Counter[str]]:
        return shop.orders.get(order.id), list(shop.payments.of(order.id)), shop.events()

    before = known()

    tell(shop, notice(order, "other"))
    tell(shop, notice(order, "authorized", order_id="order_of_another_shop"))
    tell(shop, notice(order, "authorized", intent_id="pi_of_another_shop"))

    assert known() == before


def test_a_dispute_is_on_record_once(shop: Shop) -> None:
    order = shop.captured(shop.bought())

    for _ in range(2):
        tell(shop, notice(order, "disputed", reference="dp_1", amount=3000, reason="fraudulent"))

    assert balance(shop.payments.of(order.id)).disputed == 3000
    assert shop.events()["payment.disputed"] == 1


def test_a_refund_gives_the_money_back_once_however_often_it_is_asked_for(shop: Shop) -> None:
    order = shop.captured(shop.bought())

    assert [give_back(shop, order, 1000) for _ in range(3)] == ["refunded"] * 3

    assert shop.gateway.calls["refund"] == 1
    assert balance(shop.payments.of(order.id)).refundable == order.total - 1000
    [adjustment] = shop.orders.get(order.id).adjustments
    assert (adjustment.type, adjustment.amount, adjustment.status) == ("refund", -1000, "completed")
    assert shop.events()["payment.refunded"] == 1


def test_of_refunds_at_once_never_more_goes_back_than_was_taken(shop: Shop) -> None:
    order = shop.captured(shop.bought())
    assert order.total == 3000

    def try_it(number: int) -> str:
        try:
            return give_back(shop, order, 1000, f"refund_{number}")
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(10) as crowd:
        outcomes = list(crowd.map(try_it, range(10)))

    assert sorted(outcomes) == ["refunded"] * 3 + ["refused"] * 7
    assert shop.gateway.calls["refund"] == 3
    sums = balance(shop.payments.of(order.id))
    assert (sums.refunded, sums.refund_pending, sums.refundable) == (3000, 0, 0)


def test_nothing_is_refunded_of_what_was_never_taken(shop: Shop) -> None:
    with pytest.raises(Conflict):
        give_back(shop, shop.bought(), 1)


def test_a_notice_that_overtakes_the_refunds_own_answer_counts_it_once(shop: Shop) -> None:
    order = shop.captured(shop.bought())
    known = shop.gateway.refund

    def overtaken(intent_id: str, amount: int, key: str) -> Any:
        answer = known(intent_id, amount, key)
        tell(shop, notice(order, "refunded", reference=answer.refund_id, amount=amount))
        return answer

    shop.gateway.refund = overtaken  # type: ignore[method-assign]

    assert give_back(shop, order, 1000) == "refunded"
    assert balance(shop.payments.of(order.id)).refunded == 1000
    assert shop.events()["payment.refunded"] == 1


def test_a_refund_made_by_hand_at_the_provider_is_counted(shop: Shop) -> None:
    order = shop.captured(shop.bought())

    for _ in range(2):
        tell(shop, notice(order, "refunded", reference="re_by_hand", amount=500))

    sums = balance(shop.payments.of(order.id))
    assert (sums.refunded, sums.refundable) == (500, 2500)


def test_a_refund_that_fails_in_the_end_can_be_given_again(shop: Shop) -> None:
    order = shop.captured(shop.bought())
    give_back(shop, order, 3000)

    conclude_refund(
        shop.stores, order.id, failed=True, provider_refund="re_1", amount=3000, reason="account closed", now=NOW
    )

    assert balance(shop.payments.of(order.id)).refundable == 3000
    [adjustment] = shop.orders.get(order.id).adjustments
    assert adjustment.status == "failed"
    [told] = [event for event in shop.published() if event["type"] == "payment.refund_failed"]
    assert (told["subject"], told["amount"], told["reason"]) == (order.id, 3000, "support")


def test_the_compensation_of_a_canceled_order_lets_the_money_go(shop: Shop) -> None:
    order = shop.bought()
    cancel(shop, order)

    assert [undo(shop, order, "OrderCanceled") for _ in range(2)] == ["compensated"] * 2

    assert shop.gateway.holding == []
    assert shop.payment_types(order) == ["authorized", "voided"]


def test_the_compensation_gives_back_what_was_taken_at_the_moment_of_the_cancellation(shop: Shop) -> None:
    order = shop.captured(shop.bought())
    cancel(shop, order, reason="merchant_request")

    assert [undo(shop, order) for _ in range(2)] == ["compensated"] * 2

    assert balance(shop.payments.of(order.id)).refunded == order.total
    assert shop.gateway.calls["refund"] == 1


def test_money_that_the_provider_refuses_to_give_back_is_a_persons_business(shop: Shop) -> None:
    order = shop.captured(shop.bought())
    cancel(shop, order, reason="merchant_request")
    [intent] = shop.gateway.intents.values()
    intent.refunded = order.total

    for _ in range(2):
        with pytest.raises(Conflict):
            undo(shop, order)

    tell(shop, notice(order, "refunded", reference="re_by_hand", amount=order.total))
    assert undo(shop, order) == "compensated"


def test_a_payment_that_never_came_frees_the_stock_and_opens_the_checkout_again(shop: Shop) -> None:
    order = waiting(shop)

    assert undo(shop, order) == "compensated"

    assert shop.orders.get(order.id).cancel_reason == "payment_timeout"
    assert shop.stock().available == 1
    checkout = shop.checkouts.get(order.checkout_id, NOW)
    assert (checkout.status, checkout.attempt) == ("ready_for_complete", 2)
    assert {intent.outcome for intent in shop.gateway.intents.values()} == {"voided"}


def test_a_payment_that_came_in_the_second_of_the_timeout_carries_the_order_on(shop: Shop) -> None:
    order = waiting(shop)
    [intent] = shop.gateway.intents.values()
    intent.outcome = "authorized"

    assert undo(shop, order) == "carry_on"
    assert shop.orders.get(order.id).status == "confirmed"


def test_a_living_order_is_left_alone_by_the_compensation(shop: Shop) -> None:
    order = shop.bought()

    assert undo(shop, order) == "carry_on"
    assert shop.orders.get(order.id) == order


def test_the_money_of_a_lost_parcel_goes_back(shop: Shop) -> None:
    order = shop.captured(shop.bought())
    for status in ("picked", "packed", "ready_to_ship", "shipped"):
        order = shop.orders.change(order, to=status, now=NOW)

    assert [undo(shop, order, "ParcelLost") for _ in range(2)] == ["compensated"] * 2

    assert shop.orders.get(order.id).status == "lost"
    assert balance(shop.payments.of(order.id)).refunded == order.total
    assert shop.events()["order.lost"] == shop.events()["payment.refunded"] == 1


def test_a_declined_attempt_leaves_nothing_that_could_still_be_authorised(shop: Shop) -> None:
    shop.stocked(1)
    checkout = shop.checkout()
    shop.complete(checkout, card(DECLINED))
    order = shop.orders.get(order_id_for(checkout.id, 1))

    assert undo(shop, order, "PaymentDeclined") == "compensated"
    assert {intent.outcome for intent in shop.gateway.intents.values()} == {"voided"}
    assert shop.payment_types(order) == ["declined"]


def test_a_customers_orders_come_newest_first_in_pages(shop: Shop) -> None:
    shop.stocked(5)
    placed = [
        shop.complete(shop.checkout(id=f"chk_{number}"), now=NOW + timedelta(minutes=number)) for number in range(3)
    ]
    for answer in placed:
        order = shop.orders.get(str(answer.order_id))
        shop.orders.change(order, fields={"customer": "customer_1"})

    first = list(shop.orders.of_customer("customer_1", limit=2))
    rest = list(shop.orders.of_customer("customer_1", before=first[-1].placed_at, limit=2))

    assert [order.id for order in (*first, *rest)] == [answer.order_id for answer in reversed(placed)]
