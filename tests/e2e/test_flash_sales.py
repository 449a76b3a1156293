"""A hot SKU on the deployed shop: its stock is spread while it sells, and brought together again."""

from typing import Any

import httpx

from tools.demo.actors import Shopper, answer
from tools.demo.scenes import Cast


def test_a_hot_sku_is_pooled_bought_canceled_and_brought_together(
    shop: httpx.Client, guest: Shopper, everyone: Cast, stocked: Any
) -> None:
    sku, staff = stocked(6), everyone.warehouse
    pool, before = f"/admin/stock/{sku}/pool", staff.stock(sku)

    for _ in range(2):
        on = answer(shop.put(pool, json={"shards": 4}, headers=staff.headers))
    bought = [guest.complete(guest.checkout((sku, 1))) for _ in range(3)]
    guest.cancel(bought[0])
    off = answer(shop.delete(pool, headers=staff.headers))
    bought.append(guest.complete(guest.checkout((sku, 1))))

    assert max(place["shards"] for place in on["locations"]) == 4
    assert [checkout["status"] for checkout in bought] == ["completed"] * 4
    assert sum(place["available"] for place in off["locations"]) == before["available"] - 2
    assert staff.stock(sku) == {"available": before["available"] - 3, "reserved": before["reserved"] + 3}
