"""Whatever a client sends, the answer names what is wrong, changes nothing, and is never a 500."""

from typing import Any

import httpx
import pytest

from tools.demo.actors import BUYER, Shopper, Staff, card, key
from tools.local.instance import Instance
from tools.local.staff import token


def line(sku: str, quantity: Any) -> dict[str, Any]:
    """One line of a cart, as a client may send it."""
    return {"line_items": [{"item": {"id": sku}, "quantity": quantity}]}


@pytest.fixture(scope="module")
def sku(guest: Shopper) -> str:
    """Something that can be bought."""
    return guest.some_skus(1)[0]


@pytest.mark.parametrize("quantity", [0, -10, 1.5, "2", None, True, 10**30], ids=str)
def test_a_quantity_that_is_no_quantity_is_refused_by_name(shop: httpx.Client, sku: str, quantity: Any) -> None:
    response = shop.post("/carts", json=line(sku, quantity))

    assert response.status_code == 400
    assert "$.line_items[0].quantity" in response.text


def test_a_quantity_above_the_limit_is_refused_by_name(shop: httpx.Client, sku: str) -> None:
    response = shop.post("/carts", json=line(sku, 1_000_000))

    assert (response.status_code, response.json()["ucp"]["status"]) == (200, "error")
    assert [message["path"] for message in response.json()["messages"]] == ["$.line_items[0].quantity"]


def test_an_unknown_item_is_a_message_on_its_line(shop: httpx.Client, sku: str) -> None:
    lines = [*line(sku, 1)["line_items"], *line("NO-SUCH-SKU", 1)["line_items"]]

    response = shop.post("/checkout-sessions", json={"line_items": lines})

    assert response.status_code == 201
    [message] = [one for one in response.json()["messages"] if "line_items[1]" in (one.get("path") or "")]
    assert message["type"] == "error"


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 400), (b"\xff\xfe", 400), (b'{"line_items": ' + b"[" * 10_000, 400), (b" " * 300_000, 413)],
    ids=["cut off", "a list", "no text", "deep", "oversized"],
)
def test_a_body_that_cannot_be_read_is_refused(shop: httpx.Client, content: bytes, status: int) -> None:
    response = shop.post("/carts", content=content, headers={"content-type": "application/json"})

    assert response.status_code == status
    assert response.json()["content"]


def test_an_idempotency_key_used_with_another_body_is_a_conflict(shop: httpx.Client, sku: str) -> None:
    used = key()
    first = shop.post("/carts", json=line(sku, 1), headers=used)

    again = shop.post("/carts", json=line(sku, 1), headers=used)
    other = shop.post("/carts", json=line(sku, 2), headers=used)

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert other.status_code == 409


def test_half_an_address_names_each_field_that_is_missing(guest: Shopper, sku: str, shop: httpx.Client) -> None:
    checkout = guest.post("/checkout-sessions", line(sku, 1))
    half = {"id": "home", "street_address": "1 Sample Street", "address_country": "US"}
    body = {
        **line(sku, 1),
        "buyer": BUYER,
        "fulfillment": {
            "methods": [{"type": "shipping", "destinations": [half], "selected_destination_id": "home"}]
        },
    }

    answered = shop.put(f"/checkout-sessions/{checkout['id']}", json=body).json()

    assert answered["status"] == "incomplete"
    paths = {message.get("path", "") for message in answered["messages"]}
    for field in ("postal_code", "address_locality"):
        assert any(path.endswith(field) for path in paths), f"{field} is not named in {paths}"


def test_an_incomplete_checkout_cannot_be_completed(guest: Shopper, sku: str) -> None:
    checkout = guest.post("/checkout-sessions", line(sku, 1))

    answered = guest.post(f"/checkout-sessions/{checkout['id']}/complete", card("pm_card_visa"))

    assert answered["status"] == "incomplete"
    assert answered["messages"]
    assert "order" not in answered


def test_a_raw_card_number_is_refused_and_not_repeated(guest: Shopper, sku: str, shop: httpx.Client) -> None:
    checkout = guest.checkout((sku, 1))
    body = card("unused")
    body["payment"]["instruments"][0]["credential"] = {
        "type": "card",
        "card_number_type": "fpan",
        "number": "4242424242424242",
    }

    response = shop.post(f"/checkout-sessions/{checkout['id']}/complete", json=body, headers=key())

    assert response.status_code < 500
    assert "4242424242424242" not in response.text
    assert response.json().get("status") != "completed"


def test_staff_routes_want_a_token_of_the_right_group(shop: httpx.Client, everyone: Any, sku: str) -> None:
    adjustment = {"quantity": 1, "reason": "found", "location": "main"}
    path = f"/admin/stock/{sku}/adjustments"

    assert shop.post(path, json=adjustment, headers=key()).status_code == 401
    wrong = shop.post(path, json=adjustment, headers={**everyone.support.headers, **key()})
    assert wrong.status_code == 403
    assert wrong.headers["content-type"] == "application/problem+json"


def test_a_stale_etag_is_refused(shop: httpx.Client, instance: Instance) -> None:
    catalogue = Staff(shop, token(instance, "catalogue"))
    listed = catalogue.get("/products", limit=1)["products"][0]
    current = shop.get(f"/admin/products/{listed['product_id']}", headers=catalogue.headers)
    body = current.json()

    path = f"/admin/products/{listed['product_id']}"
    without = shop.put(path, json=body, headers=catalogue.headers)
    stale = shop.put(path, json=body, headers={**catalogue.headers, "If-Match": '"999999"'})

    assert without.status_code == 428
    assert stale.status_code == 412
