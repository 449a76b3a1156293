"""Completing with Stripe's own client: one charge however often, and no money held that no order knows of."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from builders.checkout import NOW
from builders.doubles import API_KEY, Receiver, at_the_bank, client, control, stripe_double
from builders.orders import VISA, Shop, card
from commerce.errors import Unavailable
from commerce.orders.endings import compensate
from commerce.orders.model import Order
from commerce.orders.payment import apply_notice, refund
from commerce.orders.service import cancel_order
from commerce.payments.gateway import StripeGateway
from commerce.payments.model import PaymentEvent, balance
from commerce.payments.service import NoticeKind, PaymentNotice
from tools.doubles.stripe.double import StripeDouble

SECRET = "whsec_of_these_tests"
NEEDS_THE_BANK = "pm_card_authenticationRequired"


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    with stripe_double() as running:
        yield running


@pytest.fixture
def stripe_shop(shop: Shop, double: StripeDouble) -> Shop:
    """The shop, with Stripe's client and the double in the place of the fake."""
    gateway = StripeGateway(API_KEY, SECRET, api_base=double.url)
    shop.till = replace(shop.till, gateway=gateway)
    shop.gateway = gateway  # type: ignore[assignment]
    return shop


def charges(double: StripeDouble) -> dict[str, int]:
    figures: dict[str, int] = control(double, "summary")
    return figures


def test_one_checkout_completed_twenty_times_at_once_is_charged_once(stripe_shop: Shop, double: StripeDouble) -> None:
    stripe_shop.stocked(3)
    checkout = stripe_shop.checkout()

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(stripe_shop.complete, [checkout] * 20))

    assert all(answer == answers[0] and answer.status == "completed" for answer in answers)
    assert charges(double)["authorized"] == 1
    assert stripe_shop.stock().available == 2


@pytest.mark.parametrize("operation", ["payment_intents.create", "payment_intents.confirm"])
def test_an_answer_of_stripes_that_got_lost_is_asked_for_again(
    stripe_shop: Shop, double: StripeDouble, operation: str
) -> None:
    stripe_shop.stocked(1)
    control(double, "faults", {"operation": operation, "fault": "drop_after", "times": 1})

    completed = stripe_shop.complete(stripe_shop.checkout())

    assert completed.status == "completed"
    assert charges(double)["authorized"] == 1


@pytest.mark.parametrize("fault", ["error_before", "error_after"])
def test_an_outage_that_stripe_remembers_keeps_nobody_from_paying(
    stripe_shop: Shop, double: StripeDouble, fault: str
) -> None:
    stripe_shop.stocked(1)
    control(double, "faults", {"operation": "payment_intents.create", "fault": fault, "times": 1})

    completed = stripe_shop.complete(stripe_shop.checkout())

    assert completed.status == "completed"
    assert charges(double)["authorized"] == 1


def test_twenty_completions_in_an_outage_that_stripe_remembers_confirm_one_intent(
    stripe_shop: Shop, double: StripeDouble
) -> None:
    stripe_shop.stocked(1)
    checkout = stripe_shop.checkout()
    control(double, "faults", {"operation": "payment_intents.create", "fault": "error_after", "times": 1})
    stripe_shop.waits_for_nobody()

    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(stripe_shop.complete, [checkout] * 20))

    assert stripe_shop.checkouts.get(checkout.id, NOW).status == "completed"
    assert charges(double)["authorized"] == 1


def test_a_declined_card_then_a_good_one_charges_the_good_one_alone(stripe_shop: Shop, double: StripeDouble) -> None:
    stripe_shop.stocked(1)
    checkout = stripe_shop.checkout()

    declined = stripe_shop.complete(checkout, card("pm_card_chargeDeclined"))
    completed = stripe_shop.complete(checkout, card(VISA))

    assert (declined.status, completed.status) == ("ready_for_complete", "completed")
    assert charges(double)["authorized"] == 1


def test_what_is_canceled_is_let_go_and_what_was_taken_goes_back(stripe_shop: Shop) -> None:
    shop = stripe_shop
    order = shop.bought()
    order = cancel_order(shop.stores, shop.workflow, order, reason="buyer_request", actor="buyer", now=NOW)

    for _ in range(2):
        compensate(shop.stores, shop.workflow, shop.gateway, order_id=order.id, error="OrderCanceled", now=NOW)

    assert shop.payment_types(order) == ["authorized", "voided"]
    assert shop.gateway.retrieve(str(order.payment_intent)).outcome == "voided"

    taken = shop.captured(shop.bought(id="chk_2"))
    give_back(shop, taken)
    assert balance(shop.payments.of(taken.id)).refunded == 1000


def give_back(shop: Shop, order: Order) -> PaymentEvent:
    """Support refunds 10.00."""
    return refund(
        shop.stores,
        shop.gateway,
        order_id=order.id,
        amount=1000,
        reason="support",
        refund_id="refund_1",
        actor="staff_1",
        now=NOW,
    )


@pytest.mark.parametrize("kind", ["disputed", "refunded"])
def test_news_that_do_not_name_the_order_are_sent_again_where_stripe_does_not_say_whose_they_are(
    stripe_shop: Shop, double: StripeDouble, kind: NoticeKind
) -> None:
    shop = impatient(stripe_shop, double)
    order = shop.captured(shop.bought())
    news = PaymentNotice(
        id="evt_1",
        kind=kind,
        type=kind,
        occurred_at="2026-11-22T08:16:00.000Z",
        intent_id=order.payment_intent,
        reference="of_stripes_1",
        amount=1000,
    )
    control(double, "faults", {"operation": "payment_intents.retrieve", "fault": "drop_before", "times": 1})

    with pytest.raises(Unavailable):
        apply_notice(shop.stores, shop.workflow, shop.gateway, news, now=NOW)
    assert kind not in shop.payment_types(order)

    apply_notice(shop.stores, shop.workflow, shop.gateway, news, now=NOW)
    assert shop.payment_types(order)[-1] == kind


UNANSWERED = ["drop_before", "drop_after", "error_before", "error_after", "rate_limit"]


@pytest.mark.parametrize("fault", UNANSWERED)
def test_a_refund_without_an_answer_is_not_taken_for_one_and_asking_again_makes_it_once(
    stripe_shop: Shop, double: StripeDouble, fault: str
) -> None:
    shop = impatient(stripe_shop, double)
    order = shop.captured(shop.bought())
    control(double, "faults", {"operation": "refunds.create", "fault": fault, "times": 1})

    with pytest.raises(Unavailable):
        give_back(shop, order)
    control(double, "forget", {})
    again = give_back(shop, order)

    assert (again.type, charges(double)["refunds"]) == ("refunded", 1)
    assert shop.payment_types(order) == ["authorized", "captured", "refund_requested", "refunded"]


@pytest.mark.parametrize("fault", UNANSWERED)
def test_the_compensation_does_not_end_before_a_refund_without_an_answer_is_made(
    stripe_shop: Shop, double: StripeDouble, fault: str
) -> None:
    shop = impatient(stripe_shop, double)
    order = shop.captured(shop.bought())
    order = cancel_order(shop.stores, shop.workflow, order, reason="merchant_request", actor="staff_1", now=NOW)
    control(double, "faults", {"operation": "refunds.create", "fault": fault, "times": 1})

    with pytest.raises(Unavailable):
        compensate(shop.stores, shop.workflow, shop.gateway, order_id=order.id, error="OrderCanceled", now=NOW)
    control(double, "forget", {})
    compensate(shop.stores, shop.workflow, shop.gateway, order_id=order.id, error="OrderCanceled", now=NOW)

    assert charges(double)["refunds"] == 1
    assert balance(shop.payments.of(order.id)).refunded == order.total


def impatient(shop: Shop, double: StripeDouble) -> Shop:
    """The shop with a client that asks Stripe once and not again by itself."""
    gateway = StripeGateway(API_KEY, SECRET, api_base=double.url, retries=0)
    shop.till = replace(shop.till, gateway=gateway)
    shop.gateway = gateway  # type: ignore[assignment]
    return shop


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_the_webhooks_alone_tell_the_shop_of_a_payments_whole_life(
    stripe_shop: Shop, double: StripeDouble, backwards: bool
) -> None:
    shop = stripe_shop
    shop.stocked(1)
    with Receiver() as receiver:
        endpoint = client(double).v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        waiting = shop.complete(shop.checkout(), card(NEEDS_THE_BANK))
        order = shop.orders.get(str(waiting.order_id))
        at_the_bank(str(waiting.escalation_url), "complete")
        shop.gateway.capture(str(order.payment_intent), order.total, "answer lost")
        shop.gateway.refund(str(order.payment_intent), 1000, "by hand")
        assert control(double, "idle")["idle"]
        told = sorted(receiver.received, key=lambda delivery: json.loads(delivery[0])["created"], reverse=backwards)

    reader = StripeGateway(API_KEY, str(endpoint.secret), api_base=double.url)
    for body, headers in [*told, *told]:
        notice = reader.construct_event(body, headers["stripe-signature"])
        apply_notice(shop.stores, shop.workflow, shop.gateway, notice, now=NOW)

    assert shop.orders.get(order.id).status == "confirmed"
    assert sorted(shop.payment_types(order)) == ["action_required", "authorized", "captured", "refunded"]
    sums = balance(shop.payments.of(order.id))
    assert (sums.captured, sums.refunded, sums.refundable) == (order.total, 1000, order.total - 1000)
    assert shop.events()["order.confirmed"] == shop.events()["payment.refunded"] == 1
