"""What buyers read: complete, in HTML and in text, and safe whatever somebody typed into a form."""

import re
from datetime import date
from html import unescape
from html.parser import HTMLParser

import pytest

from builders.fulfilment import from_two_places, line, order, shipped_order
from builders.letters import EMAILS, HEARD_OF, happened, templates
from commerce.contact import Buyer, PostalAddress
from commerce.events import (
    CancelReason,
    OrderCanceled,
    OrderConfirmed,
    OrderDelivered,
    OrderShipped,
    PaymentActionRequired,
    PaymentRefunded,
)
from commerce.notifications.model import KINDS
from commerce.orders.model import Allocation
from commerce.pricing.model import Total


def read(event, of=None, **settings):
    return templates(**settings)(KINDS[type(event)], event, of or shipped_order(), "ada@example.com")


class Links(HTMLParser):
    """The targets of links, and whether every tag that was opened was closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, html):
        super().__init__()
        self.targets = []
        self.open = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "a":
            self.targets.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", HEARD_OF, ids=lambda kind: kind.type)
def test_every_kind_is_whole_in_html_and_in_text(kind):
    email = read(happened(kind))

    assert "TP-1" in email.subject
    for body in (email.html, email.text):
        assert "Linen Shirt - Blue / M" in body
        assert "39.98 USD" in body
        assert "Tradepost" in body
        assert "None" not in body
    page = Links(email.html)
    assert page.open == []
    assert all(target.startswith("https://") for target in page.targets)
    assert not re.search(r"\n{4}", email.text)


def test_every_template_belongs_to_a_kind():
    names = {path.stem for path in EMAILS.glob("*.*")}

    assert names == {*KINDS.values(), "base"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("order_confirmed", "confirmed"),
        ("order_shipped", "on its way"),
        ("order_delivered", "delivered"),
        ("order_canceled", "canceled"),
        ("order_lost", "lost"),
        ("payment_refunded", "Refund of 12.50 USD"),
        ("payment_action_required", "confirm the payment"),
    ],
)
def test_the_subject_says_what_it_is_about(kind, words):
    [event] = [event for event, name in KINDS.items() if name == kind]

    assert words in read(happened(event)).subject


def test_a_confirmation_opens_the_order_for_a_guest():
    email = read(happened(OrderConfirmed))

    permalink = "https://shop.example/orders/order_1?access_token=t"
    assert permalink in Links(email.html).targets
    assert permalink in email.text


def test_the_shipping_option_stands_under_shipping():
    sums = (Total(type="fulfillment", amount=590, display_text="Express"), Total(type="total", amount=590))

    email = read(happened(OrderConfirmed), of=order(totals=sums))

    assert "Shipping (Express): 5.90 USD" in email.text
    assert "Shipping (Express)</td>" in email.html


def test_a_shipped_parcel_can_be_followed():
    email = read(happened(OrderShipped))

    assert "https://carrier.example/1Z-TEST-1" in Links(email.html).targets
    assert "https://carrier.example/1Z-TEST-1" in email.text
    assert "1Z-TEST-1" in email.html


def test_every_parcel_can_be_followed_and_says_what_is_in_it():
    email = read(happened(OrderShipped), of=shipped_order(lines=from_two_places()))

    for number in (1, 2):
        assert f"https://carrier.example/1Z-TEST-{number}" in Links(email.html).targets
        assert f"https://carrier.example/1Z-TEST-{number}" in email.text
    assert "2 parcels" in email.text
    assert "1Z-TEST-2 (1 x Linen Shirt - Blue / M)" in email.text
    assert "https://shop.example/orders/order_1?access_token=t" in Links(email.html).targets


def test_a_delivery_of_which_a_parcel_was_lost_says_which_and_that_its_money_comes_back():
    sent = shipped_order("delivered", lines=from_two_places())
    shirts, mug = sent.shipments
    told = sent.model_copy(update={"shipments": (shirts, mug.model_copy(update={"status": "lost"}))})

    email = read(happened(OrderDelivered), of=told)

    for body in (email.html, email.text):
        assert "1Z-TEST-2" in body
        assert "1Z-TEST-1" not in body
        assert "money" in body
    assert "money" not in read(happened(OrderDelivered), of=sent).text


def test_a_payment_is_confirmed_at_the_bank():
    email = read(happened(PaymentActionRequired), of=order("pending_payment", escalation_url="https://bank.example/3"))

    assert "https://bank.example/3" in Links(email.html).targets
    assert "https://bank.example/3" in email.text
    assert "08:15 UTC" in email.text


def test_a_picture_is_shown_unless_mail_programs_cannot_draw_it():
    drawn = line(id="line_2", image_url="https://shop.example/media/tee.SVG?width=200")

    email = read(happened(OrderConfirmed), of=order(lines=(line(image_url="https://shop.example/media/a.png"), drawn)))

    assert "https://shop.example/media/a.png" in email.html
    assert "tee.SVG" not in email.html


@pytest.mark.parametrize("reason", CancelReason.__args__)
def test_every_cancellation_has_its_reason_in_words(reason):
    email = read(happened(OrderCanceled, reason=reason), of=order("canceled"))

    assert reason not in email.text
    assert "will not be delivered. " in email.text


def test_a_canceled_line_is_still_known_by_what_was_ordered():
    gone = line(quantity=0, original=3, totals=(Total(type="total", amount=5997),))

    assert "3 x Linen Shirt" in read(happened(OrderCanceled), of=order("canceled", lines=(gone,))).text


def test_what_came_back_is_told_and_not_what_was_paid():
    assert "12.50 USD" in read(happened(PaymentRefunded)).html


def test_a_name_cannot_bring_markup_into_the_mail():
    nasty = '<img src=x onerror="alert(1)">'
    told = shipped_order(buyer=Buyer(first_name=nasty, email="ada@example.com"), lines=(line(title=nasty),))

    email = read(happened(OrderConfirmed), of=told)

    assert nasty not in email.html
    assert "&lt;img src=x" in email.html


@pytest.mark.parametrize("nasty", ["{{ 7 * 7 }}", "{% for x in () %}", "{{ ''.__class__.__mro__ }}", "${7*7}", "{#"])
def test_a_name_is_no_template(nasty):
    told = shipped_order(buyer=Buyer(first_name=nasty, email="ada@example.com"), lines=(line(title=nasty),))

    email = read(happened(OrderConfirmed), of=told)

    assert nasty in email.text
    assert nasty in unescape(email.html)


def test_a_name_cannot_bring_a_line_into_the_subject():
    told = shipped_order(id="order_1\nBcc: everybody@example.com")

    assert "\n" not in read(happened(OrderConfirmed), of=told).subject


def test_text_is_text_and_not_escaped():
    told = shipped_order(lines=(line(title="Salt & Pepper"),))

    email = read(happened(OrderConfirmed), of=told)

    assert "Salt & Pepper" in email.text
    assert "Salt &amp; Pepper" in email.html


def test_pictures_are_shown_where_there_are_any():
    pictured = line(image_url="https://shop.example/media/shirt.png")

    with_one = read(happened(OrderConfirmed), of=order(lines=(pictured,)))
    without = read(happened(OrderConfirmed), of=order())

    assert 'src="https://shop.example/media/shirt.png"' in with_one.html
    assert "<img" not in without.html


def test_the_parcels_label_stands_in_the_mail():
    to = PostalAddress(
        first_name="Ada",
        last_name="Lovelace",
        street_address="20 W 34th St",
        address_locality="New York",
        address_region="NY",
        postal_code="10001",
        address_country="US",
    )

    email = read(happened(OrderConfirmed), of=order(shipping_address=to))

    assert "  Ada Lovelace\n  20 W 34th St\n  10001 New York NY\n  US" in email.text
    assert "Hello Ada," in email.text


@pytest.mark.parametrize(
    ("backordered", "expected_on", "words"),
    [
        (2, date(2026, 12, 24), "Not in stock yet, expected on 24 December 2026"),
        (1, date(2026, 12, 24), "1 of them not in stock yet, expected on 24 December 2026"),
        (2, None, "Not in stock yet"),
    ],
)
def test_a_confirmation_says_what_comes_later_and_promises_no_day_for_the_whole(backordered, expected_on, words):
    place = Allocation(location="main", quantity=2, backordered=backordered)
    ahead = line(quantity=2, allocations=(place,), expected_on=expected_on)
    email = read(happened(OrderConfirmed), order(lines=(ahead,)))

    for body in (email.html, email.text):
        assert words in body
        assert "as soon as it is here" in body
        assert "We expect it to be with you" not in body


def test_a_confirmation_of_what_lies_on_the_shelf_says_when_it_comes():
    email = read(happened(OrderConfirmed))

    for body in (email.html, email.text):
        assert "We expect it to be with you" in body
        assert "in stock" not in body
