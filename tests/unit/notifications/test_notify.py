"""Telling the buyer: once per event, whatever is repeated, refused or lost on the way."""

from datetime import UTC, datetime

import pytest

from builders.fulfilment import order, shipped_order
from builders.letters import Post, happened, templates
from commerce.contact import Buyer
from commerce.events import OrderCanceled, OrderConfirmed, OrderShipped, ProductChanged
from commerce.notifications.service import FateUnknown, Refused, notify

NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


class Claims:
    """The claims in memory; None is one without a message id."""

    def __init__(self):
        self.taken = {}

    def take(self, order_id, kind, event_id, now):
        if (order_id, kind, event_id) in self.taken:
            return False
        self.taken[order_id, kind, event_id] = None
        return True

    def keep(self, order_id, kind, event_id, *, message_id, now):
        self.taken[order_id, kind, event_id] = message_id

    def release(self, order_id, kind, event_id):
        del self.taken[order_id, kind, event_id]

    def any(self, order_id):
        return any(one == order_id for one, _, _ in self.taken)


class Shop:
    """One order, its claims and its post."""

    def __init__(self, of=None, post=None):
        self.order = of or shipped_order()
        self.claims = Claims()
        self.post = post or Post()

    def get(self, order_id):
        assert order_id == self.order.id
        return self.order

    def hears(self, event):
        return notify(event, orders=self, claims=self.claims, render=templates(), mailer=self.post, now=NOW)


def test_the_buyer_is_written_to():
    shop = Shop()

    assert shop.hears(happened(OrderShipped)) == "sent"

    [email] = shop.post.sent
    assert email.recipient == "ada@example.com"
    assert "on its way" in email.subject


def test_an_event_that_comes_twice_is_told_once():
    shop = Shop()
    event = happened(OrderShipped)

    assert [shop.hears(event), shop.hears(event)] == ["sent", "sent_before"]
    assert len(shop.post.sent) == 1


def test_two_events_of_one_kind_are_two_emails():
    shop = Shop()

    assert [shop.hears(happened(OrderShipped)), shop.hears(happened(OrderShipped))] == ["sent", "sent"]


def test_a_refused_email_is_tried_again():
    shop = Shop(post=Post(Refused("TooManyRequestsException"), None))
    event = happened(OrderShipped)

    with pytest.raises(Refused):
        shop.hears(event)

    assert shop.hears(event) == "sent"
    assert len(shop.post.sent) == 1


def test_an_email_whose_answer_got_lost_is_not_sent_again():
    shop = Shop(post=Post(FateUnknown("ReadTimeoutError")))
    event = happened(OrderShipped)

    assert shop.hears(event) == "fate_unknown"
    assert shop.hears(event) == "sent_before"
    assert shop.post.sent == []


def test_a_function_that_died_while_sending_does_not_send_again():
    shop = Shop()
    event = happened(OrderShipped)
    shop.claims.take("order_1", "order_shipped", event.id, NOW)

    assert shop.hears(event) == "sent_before"
    assert shop.post.sent == []


def test_an_email_that_cannot_be_written_keeps_nobody_from_writing_it_later():
    shop = Shop(of=order("shipped"))

    with pytest.raises(Exception, match=r"no element 0"):
        shop.hears(happened(OrderShipped))

    assert shop.claims.taken == {}


def test_a_decline_is_told_only_to_those_who_had_mail_before():
    silent = Shop(of=order("canceled"))
    declined = happened(OrderCanceled, reason="payment_declined", confirmed=False)
    assert silent.hears(declined) == "not_due"

    told = Shop(of=order("canceled"))
    told.claims.take("order_1", "payment_action_required", "evt_1", NOW)
    assert told.hears(declined) == "sent"


def test_an_order_without_an_address_for_mail_is_left_alone():
    shop = Shop(of=shipped_order(buyer=Buyer()))

    assert shop.hears(happened(OrderConfirmed)) == "no_recipient"
    assert shop.claims.taken == {}


def test_events_that_are_not_about_orders_are_left_alone():
    moment = "2026-11-22T08:15:30.250Z"
    changed = ProductChanged(occurred_at=moment, subject="product_1", product_version=1, status="active")

    assert Shop().hears(changed) == "not_due"
