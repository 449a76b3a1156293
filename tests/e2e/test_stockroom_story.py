"""Goods from the supplier's order to the right shelf, at the deployed shop, as staff see it."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tools.demo.actors import Staff, answer, key
from tools.local.instance import Instance
from tools.local.staff import token


@pytest.fixture
def staff(instance: Instance, shop: httpx.Client) -> Staff:
    """Somebody who may do everything."""
    return Staff(shop, token(instance, "admin"))


@pytest.fixture
def sku(staff: Staff) -> str:
    """A SKU of which the shop has nothing yet."""
    made = f"STORY-{uuid4().hex[:8].upper()}"
    variant = {"sku": made, "options": {"Size": "M"}, "prices": {"USD": 1900, "EUR": 1700}}
    options = [{"name": "Size", "values": ["M"]}]
    staff.post("/products", {"title": made, "status": "active", "options": options, "variants": [variant]})
    return made


def levels(staff: Staff, sku: str) -> dict[str, int]:
    """Units on hand by location, where there are any."""
    places = staff.get(f"/stock/{sku}")["locations"]
    return {place["location"]: place["on_hand"] for place in places if place["on_hand"]}


def approve(staff: Staff, count_id: str) -> Any:
    path = f"/admin/stock-counts/{count_id}"
    seen = staff.shop.get(path, headers=staff.headers)
    return answer(
        staff.shop.post(f"{path}/approve", headers={**staff.headers, **key(), "If-Match": seen.headers["etag"]})
    )


def test_goods_are_ordered_received_counted_and_moved(staff: Staff, sku: str) -> None:
    supplier = staff.post("/suppliers", {"name": f"Supplier of {sku}", "currency": "EUR"})
    content = {"supplier_id": supplier["id"], "location": "main", "expected_on": "2026-12-24"}
    ordered = staff.post(
        "/purchase-orders", {**content, "lines": [{"sku": sku, "quantity": 10, "unit_cost": 700}]}
    )
    path = f"/purchase-orders/{ordered['id']}"
    staff.post(f"{path}/send")
    assert staff.get(f"/stock/{sku}")["incoming"] == [
        {"location": "main", "quantity": 10, "expected_on": "2026-12-24"}
    ]

    staff.post(f"{path}/deliveries", {"lines": [{"sku": sku, "quantity": 6}], "note": "first box"})
    received = staff.post(f"{path}/deliveries", {"lines": [{"sku": sku, "quantity": 4}], "note": "second box"})
    assert (received["status"], levels(staff, sku)) == ("received", {"main": 10})
    assert staff.get(f"/stock/{sku}")["incoming"] == []

    count = staff.post("/stock-counts", {"location": "main", "skus": [sku]})["count"]
    staff.post(f"/stock-counts/{count['id']}/entries", {"entries": [{"sku": sku, "counted": 9}]})
    approve(staff, count["id"])
    assert staff.post(f"/stock-counts/{count['id']}/post")["count"]["status"] == "posted"
    assert levels(staff, sku) == {"main": 9}

    moved = {"quantity": 4, "origin": "main", "destination": "annex", "reason": "for the shop window"}
    staff.post(f"/stock/{sku}/transfers", moved)
    assert levels(staff, sku) == {"main": 5, "annex": 4}

    ledger = staff.get(f"/stock/{sku}/movements")["movements"]
    kinds = [(one["kind"], one["on_hand"]) for one in reversed(ledger)]
    assert kinds[:3] == [("received", 6), ("received", 4), ("adjusted", -1)]
    assert sorted(kinds[3:]) == [("transferred", -4), ("transferred", 4)]
    assert all(one["actor"] for one in ledger)
