"""What the bench plays in memory is a visit that ends with an order. Counted are calls, never a time."""

from tools.bench import warm

CALLS = {
    "product page": 2,
    "list of 20": 1,
    "search": 3,
    "first line into a cart": 5,
    "second line": 4,
    "checkout of the cart": 7,
    "buyer and address": 6,
    "shipping option": 5,
    "complete": 15,
    "the order": 2,
}
"""To AWS and Stripe, at most: each one keeps a buyer waiting and a CPU busy."""


def test_a_visit_asks_for_no_more_than_it_did_when_it_was_measured() -> None:
    figures = warm.measure(runs=1)

    calls = {name: figures[name]["calls"] for name in CALLS}
    assert {name: most for name, most in CALLS.items() if calls[name] > most} == {}


def test_the_measured_requests_with_an_aim_are_played() -> None:
    figures = warm.measure(runs=1)

    assert set(warm.AIMS) | set(warm.CHECKOUT) <= set(figures)
    assert all(figure["milliseconds"] > 0 and figure["where"] for figure in figures.values())
