"""Balances are what the events sum to, in whatever order the news came."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from builders.checkout import NOW
from commerce.payments.model import PaymentEvent, PaymentEventType, balance, payment_event


def event(kind: PaymentEventType, amount: int, subject: str = "pi_1") -> PaymentEvent:
    return payment_event(kind, subject, amount, "USD", NOW)


def test_what_is_authorised_is_held_until_it_is_taken_or_let_go() -> None:
    held = event("authorized", 3000)

    assert balance([held]).held == 3000
    assert balance([held, event("captured", 3000)]).held == 0
    assert balance([held, event("voided", 3000)]).held == 0


def test_a_refund_that_was_asked_for_counts_before_it_is_made() -> None:
    asked = [event("captured", 3000), event("refund_requested", 1000, "refund_1")]

    assert (balance(asked).refund_pending, balance(asked).refundable) == (1000, 2000)
    made = balance([*asked, event("refunded", 1000, "refund_1")])
    assert (made.refund_pending, made.refunded, made.refundable) == (0, 1000, 2000)


def test_a_refund_that_fails_even_after_it_was_made_gave_nothing_back() -> None:
    news = [
        event("captured", 3000),
        event("refund_requested", 1000, "refund_1"),
        event("refunded", 1000, "refund_1"),
        event("refund_failed", 1000, "refund_1"),
    ]

    assert (balance(news).refunded, balance(news).refundable) == (0, 3000)


def test_the_same_news_has_the_same_key_and_other_news_another() -> None:
    keys = {event("refunded", 1, "refund_1").key, event("refunded", 2, "refund_1").key, event("voided", 1).key}

    assert len(keys) == 2


@given(
    refunds=st.lists(
        st.tuples(st.integers(1, 900), st.sampled_from(["refunded", "refund_failed", "refund_requested"])), max_size=5
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_news_does_not_matter_and_every_unit_is_somewhere(
    refunds: list[tuple[int, PaymentEventType]], order: Random
) -> None:
    news = [event("authorized", 5000), event("captured", 5000)]
    for number, (amount, stands) in enumerate(refunds):
        news += [event(kind, amount, f"refund_{number}") for kind in dict.fromkeys(("refund_requested", stands))]
    told = list(news)
    order.shuffle(told)

    sums = balance(told)

    assert sums == balance(news)
    assert sums.refundable + sums.refund_pending + sums.refunded == sums.captured
