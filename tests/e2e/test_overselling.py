"""Two hundred buyers want fifty units. Fifty get one, and the others are told, with no error and no charge."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tools.demo.actors import Shopper, UnexpectedAnswer, card, key
from tools.demo.scenes import Cast
from tools.local.instance import Instance

BUYERS = 200
UNITS = 50
A_RUSH, RUSHED_UNITS = 60, 15
"""Of buyers who also fill their carts at once: the shop tells most of them there what is gone."""
AT_ONCE = 24


def outcome(checkout: dict[str, Any]) -> str:
    """What became of a buyer's attempt to pay."""
    if checkout["status"] == "completed":
        return "order"
    codes = {message["code"] for message in checkout["messages"] if message["type"] == "error"}
    return "sold out" if codes == {"out_of_stock"} else f"{checkout['status']} {sorted(codes)}"


def charges(instance: Instance) -> int:
    """How many payments the provider holds or has taken."""
    figures: dict[str, int] = httpx.get(f"{instance.stripe_url}/_double/summary", timeout=30).json()
    return figures["authorized"]


def test_a_rush_of_buyers_gets_exactly_what_is_in_stock(guest: Shopper, stocked: Any, instance: Instance) -> None:
    sku = stocked(RUSHED_UNITS)
    before = charges(instance)

    def buy(_: int) -> str:
        try:
            checkout = guest.checkout((sku, 1))
        except UnexpectedAnswer as refused:
            return f"HTTP {refused.response.status_code}"
        except (IndexError, KeyError):
            return "sold out"
        return outcome(guest.complete(checkout))

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        outcomes = Counter(crowd.map(buy, range(A_RUSH)))

    assert outcomes == {"order": RUSHED_UNITS, "sold out": A_RUSH - RUSHED_UNITS}
    assert charges(instance) - before == RUSHED_UNITS


def test_buyers_who_all_pay_in_the_same_moment_get_exactly_what_is_in_stock(
    guest: Shopper, stocked: Any, everyone: Cast, instance: Instance
) -> None:
    sku = stocked(UNITS)
    before = charges(instance)
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        checkouts = list(crowd.map(lambda _: guest.checkout((sku, 1)), range(BUYERS)))
        assert {checkout["status"] for checkout in checkouts} == {"ready_for_complete"}
        outcomes = Counter(outcome(completed) for completed in crowd.map(guest.complete, checkouts))

    assert outcomes == {"order": UNITS, "sold out": BUYERS - UNITS}
    assert charges(instance) - before == UNITS
    assert everyone.warehouse.stock(sku)["available"] == 0


@pytest.mark.parametrize("same_key", [True, False], ids=["with one idempotency key", "with a key each"])
def test_completing_a_checkout_twenty_times_at_once_makes_one_order(
    same_key: bool, guest: Shopper, stocked: Any, everyone: Cast, instance: Instance, shop: httpx.Client
) -> None:
    sku = stocked(5)
    before = charges(instance)
    checkout = guest.checkout((sku, 1))
    shared = key()

    def complete(_: int) -> tuple[int, bytes]:
        headers = shared if same_key else key()
        path = f"/checkout-sessions/{checkout['id']}/complete"
        response = shop.post(path, json=card("pm_card_visa"), headers=headers)
        return response.status_code, response.content

    with ThreadPoolExecutor(20) as crowd:
        answers = set(crowd.map(complete, range(20)))

    assert len(answers) == 1
    [(status, _)] = answers
    assert status == 200
    assert charges(instance) - before == 1
    assert everyone.warehouse.stock(sku)["available"] == 4
