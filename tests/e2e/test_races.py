"""Things that change at the same moment: the buyer is told, and nothing is taken, placed or given twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tools.demo.actors import Shopper, Staff, access, card, key
from tools.demo.scenes import Cast
from tools.demo.watch import until
from tools.local.instance import Instance


class Listed:
    """A product of the demo catalogue in the hands of staff."""

    def __init__(self, shop: httpx.Client, staff: Staff, sku: str) -> None:
        self.shop, self.staff, self.sku, self.risen = shop, staff, sku, 0
        self.path = f"/admin/products/{staff.get('/products', sku=sku)['products'][0]['product_id']}"

    def dearer(self, by: int) -> None:
        """Raises every price of the product by so many minor units."""
        read = self.shop.get(self.path, headers=self.staff.headers)
        product = read.json()
        for variant in product["variants"]:
            variant["prices"] = {currency: amount + by for currency, amount in variant["prices"].items()}
        version = {"If-Match": read.headers["etag"]}
        self._done(self.shop.put(self.path, json=product, headers={**self.staff.headers, **version}))
        self.risen += by

    def be(self, state: str) -> None:
        """`archive` or `publish`."""
        self._done(self.shop.post(f"{self.path}/{state}", headers=self.staff.headers))

    def _done(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text


@pytest.fixture
def product(guest: Shopper, shop: httpx.Client, catalogue: Staff) -> Iterator[Listed]:
    """Something that can be bought, and after the test as before."""
    listed = Listed(shop, catalogue, guest.some_skus(1)[0])
    yield listed
    listed.be("publish")
    listed.dearer(-listed.risen)


def codes(checkout: dict[str, Any]) -> list[str]:
    """What the buyer is told."""
    return [message["code"] for message in checkout["messages"]]


def total(checkout: dict[str, Any]) -> int:
    """What the buyer would pay."""
    [amount] = [one["amount"] for one in checkout["totals"] if one["type"] == "total"]
    return int(amount)


def at_once(*calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers of all calls, made in one moment."""
    with ThreadPoolExecutor(len(calls)) as crowd:
        return [future.result() for future in [crowd.submit(call) for call in calls]]


def test_a_price_that_rose_since_the_buyer_saw_it_is_shown_and_nothing_is_placed(
    guest: Shopper, everyone: Cast, product: Listed
) -> None:
    checkout, before = guest.checkout((product.sku, 1)), everyone.warehouse.stock(product.sku)
    product.dearer(100)

    told = guest.complete(checkout)

    assert (told["status"], codes(told)) == ("ready_for_complete", ["price_changed"])
    assert total(told) > total(checkout)
    assert everyone.warehouse.stock(product.sku) == before
    completed = guest.complete(checkout)
    assert (completed["status"], total(completed)) == ("completed", total(told))
    guest.cancel(completed)


def test_what_was_taken_out_of_the_shop_meanwhile_is_not_sold(guest: Shopper, product: Listed) -> None:
    checkout = guest.checkout((product.sku, 1))
    product.be("archive")

    told = guest.complete(checkout)

    assert told["status"] == "incomplete"
    assert "not_found" in codes(told)


def test_what_was_sold_out_meanwhile_is_said_so(guest: Shopper, stocked: Any, everyone: Cast) -> None:
    sku = stocked(1)
    checkouts = [guest.checkout((sku, 1)) for _ in range(2)]
    completed = guest.complete(checkouts[0])

    told = guest.complete(checkouts[1])

    assert codes(told) == ["out_of_stock"]
    assert everyone.warehouse.stock(sku)["available"] == 0
    guest.cancel(completed)


def test_a_checkout_that_expired_is_not_completed(guest: Shopper, shop: httpx.Client, instance: Instance) -> None:
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    instance.client("dynamodb").update_item(
        TableName=instance.output("CartsTable"),
        Key={"pk": {"S": f"CHECKOUT#{checkout['id']}"}, "sk": {"S": "CHECKOUT"}},
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )

    answer = shop.post(f"/checkout-sessions/{checkout['id']}/complete", json=card("pm_card_visa"), headers=key())

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_checkout_is_completed_or_canceled_or_changed_and_never_two_of_them(
    guest: Shopper, shop: httpx.Client, everyone: Cast, stocked: Any
) -> None:
    sku = stocked(10)
    for _ in range(5):
        checkout = guest.checkout((sku, 1))
        path, fewer = f"/checkout-sessions/{checkout['id']}", {"line_items": [{"item": {"id": sku}, "quantity": 2}]}

        answers = at_once(
            lambda path=path: shop.post(f"{path}/complete", json=card("pm_card_visa"), headers=key()),  # type: ignore[misc]
            lambda path=path: shop.post(f"{path}/cancel", headers=key()),  # type: ignore[misc]
            lambda path=path, fewer=fewer: shop.put(path, json=fewer),  # type: ignore[misc]
        )

        assert {answer.status_code for answer in answers} <= {200, 409}
        ended = guest.get(path)
        assert everyone.warehouse.stock(sku)["available"] == (9 if ended["status"] == "completed" else 10)
        if ended["status"] == "completed":
            guest.cancel(ended)
            assert everyone.warehouse.stock(sku)["available"] == 10


def test_an_order_that_is_handed_over_while_it_is_canceled_is_either_shipped_and_paid_or_neither(
    guest: Shopper, shop: httpx.Client, everyone: Cast
) -> None:
    completed = guest.complete(guest.checkout((guest.some_skus(1)[0], 1)))
    path = f"/orders/{completed['order']['id']}"
    order = everyone.warehouse.get(path)["order"]
    picked = [{"line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
    everyone.warehouse.post(f"{path}/pick", {"lines": picked})
    everyone.warehouse.post(f"{path}/pack", {"weight_grams": 500})

    answers = at_once(
        lambda: shop.post(f"/admin{path}/ship", headers={**everyone.warehouse.headers, **key()}),
        lambda: shop.post(f"{path}/cancel", params=access(completed), headers=key()),
        lambda: shop.post(
            f"/admin{path}/cancel",
            json={"reason": "merchant_request"},
            headers={**everyone.support.headers, **key()},
        ),
    )

    assert {answer.status_code for answer in answers} <= {200, 409}

    def consistent() -> bool:
        story = everyone.support.get(path)
        status, money = story["order"]["status"], story["balance"]
        if status == "shipped":
            return bool(money["captured"] == money["authorized"])
        given_back = money["refunded"] == money["captured"] if money["captured"] else money["voided"]
        return status == "canceled" and bool(given_back)

    until("an order that is shipped and paid, or canceled and unpaid", consistent)


def test_of_twelve_refunds_and_returns_at_once_no_more_comes_back_than_went_out(
    shipped: Callable[[], str], shop: httpx.Client, everyone: Cast
) -> None:
    path = f"/orders/{shipped()}"
    story = everyone.support.get(path)
    third = story["balance"]["captured"] // 3 + 1
    line = {"line_id": story["order"]["lines"][0]["id"], "quantity": 1}

    def ask(what: str, body: dict[str, Any], staff: Staff) -> Callable[[], httpx.Response]:
        return lambda: shop.post(f"/admin{path}/{what}", json=body, headers={**staff.headers, **key()})

    refunds = at_once(*[ask("refunds", {"amount": third, "reason": "late"}, everyone.support)] * 12)
    returns = at_once(*[ask("returns", {"lines": [line]}, everyone.warehouse)] * 12)

    assert Counter(answer.status_code for answer in refunds) == {201: 2, 409: 10}
    assert Counter(answer.status_code for answer in returns) == {200: 1, 400: 11}
    assert everyone.support.get(path)["balance"]["refunded"] == 2 * third
