"""The payment provider fails at the worst moment: nobody is charged without an order, and no order stands unpaid."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from builders.doubles import at_the_bank
from commerce.ids import order_id_for
from tools.demo.actors import CARD_WITH_3DS, Shopper, card, key
from tools.demo.scenes import Cast
from tools.demo.watch import until
from tools.local.instance import Instance

ALL_TRIES = 3
"""Requests that Stripe's client makes before it gives up."""


class Provider:
    """The double's control."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/_double", timeout=60)

    def fails(self, operation: str, fault: str, times: int = ALL_TRIES) -> None:
        """The next requests of the operation meet the fault."""
        self.ask("faults", operation=operation, fault=fault, times=times)

    def ask(self, what: str, **body: Any) -> None:
        """One of the double's controls."""
        self._http.post(f"/{what}", json=body).raise_for_status()

    def charges(self, order_id: str) -> list[tuple[int, int, int]]:
        """What was really held, captured and refunded for the order."""
        found = self._http.get("/charges", params={"order_id": order_id}).json()
        return [(one["held"], one["captured"], one["refunded"]) for one in found]


@pytest.fixture
def provider(instance: Instance) -> Iterator[Provider]:
    """Stripe's double, in good health after the test."""
    double = Provider(instance.stripe_url)
    yield double
    double.ask("webhooks/release")
    double.ask("reset")


@pytest.mark.parametrize("fault", ["error_after", "drop_after"])
def test_a_payment_whose_answer_is_lost_is_charged_once_and_has_its_order(
    fault: str, guest: Shopper, becomes: Callable[..., Any], provider: Provider
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    provider.fails("payment_intents.confirm", fault)

    guest.complete(checkout)

    order = becomes(checkout, "completed")
    [(held, captured, _)] = provider.charges(order["order"]["id"])
    assert (held > 0, captured) == (True, 0)
    guest.cancel(order)


@pytest.mark.parametrize("operation", ["payment_intents.create", "payment_intents.confirm"])
def test_a_provider_that_is_away_charges_nobody_and_the_buyer_pays_when_it_is_back(
    operation: str, guest: Shopper, shop: httpx.Client, provider: Provider
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    path = f"/checkout-sessions/{checkout['id']}/complete"
    provider.fails(operation, "drop_before")

    away = shop.post(path, json=card("pm_card_visa"), headers=key())
    back = guest.complete(checkout)

    assert away.status_code == 503 or away.json()["status"] == "complete_in_progress"
    assert back["status"] == "completed"
    assert [held > 0 for held, _, _ in provider.charges(back["order"]["id"])] == [True]
    guest.cancel(back)


def test_webhooks_that_come_late_backwards_and_three_times_tell_one_story(
    guest: Shopper, becomes: Callable[..., Any], everyone: Cast, provider: Provider
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    waiting = guest.complete(checkout, CARD_WITH_3DS)
    provider.ask("webhooks/hold")
    at_the_bank(waiting["continue_url"], "complete")

    provider.ask("webhooks/release", order="reversed", copies=3)

    order = becomes(checkout, "completed")
    types = [event["type"] for event in everyone.support.get(f"/orders/{order['order']['id']}")["payments"]]
    assert sorted(types) == ["action_required", "authorized"]
    guest.cancel(order)


def test_a_buyer_who_pays_at_the_bank_after_canceling_is_not_charged(
    guest: Shopper, everyone: Cast, provider: Provider
) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    waiting = guest.complete(checkout, CARD_WITH_3DS)
    order_id = order_id_for(checkout["id"], attempt=1)
    provider.fails("payment_intents.cancel", "drop_before")  # so that the bank still takes the buyer's answer
    everyone.support.post(f"/orders/{order_id}/cancel", {"reason": "buyer_request"})

    at_the_bank(waiting["continue_url"], "complete")

    assert len(provider.charges(order_id)) == 1
    until("an end of the execution", lambda: everyone.watcher.ended(order_id))
    until("nothing held", lambda: all(held == 0 for held, _, _ in provider.charges(order_id)))
    [(_, captured, refunded)] = provider.charges(order_id)
    assert captured - refunded == 0


@pytest.mark.parametrize(
    ("fault", "times"),
    [("drop_before", ALL_TRIES), ("drop_after", ALL_TRIES), ("rate_limit", 1)],
)
def test_a_refund_that_the_provider_did_not_answer_is_no_success_and_is_made_once(
    fault: str, times: int, shipped: Callable[[], str], everyone: Cast, shop: httpx.Client, provider: Provider
) -> None:
    order_id = shipped()
    path, headers = f"/admin/orders/{order_id}/refunds", {**everyone.support.headers, **key()}
    provider.fails("refunds.create", fault, times)

    first = shop.post(path, json={"amount": 100, "reason": "Ada Example says it is late"}, headers=headers)
    again = shop.post(path, json={"amount": 100, "reason": "Ada Example says it is late"}, headers=headers)

    assert first.status_code in (201, 503)
    assert (again.status_code, again.json()["status"]) == (201, "refunded")
    assert [refunded for _, _, refunded in provider.charges(order_id)] == [100]


def test_the_money_of_a_lost_parcel_comes_back_although_the_provider_was_away(
    shipped: Callable[[], str], everyone: Cast, provider: Provider
) -> None:
    order_id = shipped()
    parcel = everyone.support.get(f"/orders/{order_id}")["order"]["shipments"][0]["label"]["tracking_number"]
    provider.fails("refunds.create", "drop_before")

    everyone.carrier.report(parcel, "return_to_sender")

    assert everyone.watcher.ended(order_id)["status"] == "SUCCEEDED"
    [(_, captured, refunded)] = provider.charges(order_id)
    assert captured == refunded > 0
