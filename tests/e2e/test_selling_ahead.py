"""A SKU that is sold ahead of its stock, on the deployed shop: from staff's decision to the parcel."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from commerce.adapters.dynamodb import from_item
from tools.demo.actors import Shopper, UnexpectedAnswer, key
from tools.demo.scenes import Cast
from tools.demo.watch import until
from tools.local.instance import Instance
from tools.local.staff import token


class Decision:
    """The selling policy of a SKU, as staff of the catalogue make it."""

    def __init__(self, instance: Instance, shop: httpx.Client, sku: str) -> None:
        self._headers = {"Authorization": f"Bearer {token(instance, 'catalogue')}"}
        self._shop, self._path = shop, f"/admin/stock/{sku}/policy"

    def make(self, **terms: Any) -> None:
        """Sells the SKU under these terms from now on."""
        shown = self._shop.get(self._path, headers=self._headers)
        headers = {**self._headers, "If-Match": shown.headers["etag"]}
        self._shop.put(self._path, json=terms, headers=headers).raise_for_status()


@pytest.fixture
def backordered(instance: Instance, shop: httpx.Client, stocked: Any) -> Iterator[str]:
    """A SKU of which the last unit is there, and a hundred more may be sold."""
    sku = stocked(1)
    decision = Decision(instance, shop, sku)
    decision.make(mode="backorder", cap=100, expected_on="2099-12-24", low_stock=0)
    yield sku
    decision.make(mode="deny")


def told(instance: Instance, sku: str) -> list[str]:
    """The notices about the SKU's stock, each as often as it was told."""
    pages = instance.client("dynamodb").get_paginator("scan").paginate(TableName=instance.output("OutboxTable"))
    events = (from_item(item) for page in pages for item in page["Items"])
    return sorted(
        event["detail_type"]
        for event in events
        if event["detail_type"] in ("stock.out", "stock.back") and f'"subject":"{sku}"' in event["detail"]
    )


def test_a_backorder_is_bought_waits_for_its_goods_and_is_picked_when_they_arrive(
    guest: Shopper, everyone: Cast, shop: httpx.Client, instance: Instance, backordered: str
) -> None:
    before = told(instance, backordered)
    wanted = everyone.warehouse.stock(backordered)["reserved"] + 3  # more than lies there for anybody
    checkout = guest.checkout((backordered, wanted))
    [message] = checkout["messages"]
    assert (checkout["status"], message["type"], message["code"]) == ("ready_for_complete", "warning", "backorder")
    assert "24 December 2099" in message["content"]

    completed = guest.complete(checkout)
    assert completed["status"] == "completed"
    [line] = guest.order(completed)["line_items"]
    assert line["awaited"] == {"quantity": wanted - 1, "expected_on": "2099-12-24"}
    found = shop.post("/catalog/lookup", json={"ids": [backordered]}).json()
    assert found["products"][0]["variants"][0]["availability"]["status"] == "backorder"

    order = f"/orders/{completed['order']['id']}"
    [bought] = everyone.warehouse.get(order)["order"]["lines"]
    counted = {"lines": [{"line_id": bought["id"], "quantity": wanted}]}
    with pytest.raises(UnexpectedAnswer) as refused:
        everyone.warehouse.post(f"{order}/pick", counted)
    assert refused.value.response.status_code == 409
    assert "sold ahead" in refused.value.response.text

    received = {"quantity": wanted, "reason": f"delivery {key()}", "location": "main"}
    everyone.warehouse.post(f"/stock/{backordered}/adjustments", received)
    assert everyone.warehouse.post(f"{order}/pick", counted)["status"] == "picked"
    until("the notices", lambda: told(instance, backordered) == sorted([*before, "stock.back", "stock.out"]))
