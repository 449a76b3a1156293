"""Whether to write to the buyer: only what is still true, and never what was on the screen already."""

import pytest

from builders.fulfilment import order
from builders.letters import HEARD_OF, happened
from commerce.events import (
    OrderCanceled,
    OrderConfirmed,
    OrderDelivered,
    OrderLost,
    OrderPlaced,
    OrderSettled,
    PaymentActionRequired,
    PaymentRefunded,
)
from commerce.notifications.model import KINDS, due


def test_buyers_hear_of_exactly_these_events():
    assert set(KINDS) == set(HEARD_OF)


@pytest.mark.parametrize("status", ["confirmed", "picked", "shipped", "delivered"])
def test_a_confirmation_is_due_however_late_it_comes(status):
    assert due(happened(OrderConfirmed), order(status), written_before=False)


def test_no_confirmation_after_a_cancellation():
    assert not due(happened(OrderConfirmed), order("canceled"), written_before=False)


def test_the_bank_is_asked_for_only_while_the_payment_is_missing():
    assert due(happened(PaymentActionRequired), order("pending_payment"), written_before=False)
    assert not due(happened(PaymentActionRequired), order("confirmed"), written_before=False)
    assert not due(happened(PaymentActionRequired), order("canceled"), written_before=False)


@pytest.mark.parametrize("reason", ["payment_declined", "buyer_request", "merchant_request", "short_pick", "fraud"])
def test_whoever_was_told_that_the_order_stands_is_told_that_it_does_not(reason):
    canceled = happened(OrderCanceled, reason=reason, confirmed=True)

    assert due(canceled, order("canceled"), written_before=False)


@pytest.mark.parametrize("reason", ["payment_declined", "buyer_request"])
def test_what_the_buyer_saw_on_the_screen_is_not_written_too(reason):
    canceled = happened(OrderCanceled, reason=reason, confirmed=False)

    assert not due(canceled, order("canceled"), written_before=False)


def test_whoever_was_asked_for_the_banks_confirmation_hears_how_it_ended():
    declined = happened(OrderCanceled, reason="payment_declined", confirmed=False)

    assert due(declined, order("canceled"), written_before=True)


@pytest.mark.parametrize("reason", ["payment_timeout", "merchant_request", "fraud"])
def test_an_order_that_ended_behind_the_buyers_back_is_told_of(reason):
    canceled = happened(OrderCanceled, reason=reason, confirmed=False)

    assert due(canceled, order("canceled"), written_before=False)


@pytest.mark.parametrize("event", [OrderDelivered, OrderLost, PaymentRefunded])
def test_news_of_parcels_and_money_is_always_due(event):
    assert due(happened(event), order("delivered"), written_before=True)


def test_the_shops_inner_life_is_none_of_the_buyers_business():
    placed = happened(OrderPlaced, lines=(), country="US", customer=False)
    settled = happened(OrderSettled, captured=3998, refunded=0)

    assert not due(placed, order("pending_payment"), written_before=False)
    assert not due(settled, order("delivered"), written_before=True)
