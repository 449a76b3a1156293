"""Every operation's body, path and query with what no client should send: refused in words, and never a 5xx."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools.api_examples import BODIES
from tools.demo.actors import BUYER, Shopper, key
from tools.local.instance import Instance
from tools.local.staff import token

CONTRACT = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())
OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=f"{method.upper()} {path}")
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
]
WITH_BODY = [one for one in OPERATIONS if one.values[2]["operationId"] in BODIES]  # type: ignore[index]
WITH_PATH = [one for one in OPERATIONS if "{" in str(one.values[1])]


def in_query(operation: dict[str, Any]) -> list[str]:
    """The names of the operation's query parameters."""
    return [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]


WITH_QUERY = [one for one in OPERATIONS if one.values[0] == "GET" and in_query(one.values[2])]  # type: ignore[arg-type]

STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    10**400,
    "",
    "x" * 5000,
    "\x00",
    "\ud800",
    "\u202e\r\nBcc: eve@example.com",
    [],
    {},
    [[[[[]]]]],
)
NAMES = (
    "%00", "%23", "%2F", "%25", "%", "%zz", "%ff", "%2e%2e", "+", "%0d%0a", "x" * 299,
    "x" * 5000, "%F0%9F%92%A5" * 99,
)
QUERIES = ("", "\x00", "x" * 3000, "-1", "0", "1e9", "9" * 30, "NaN", "a.b", "[]", "٣", "2026-13", "0000-01")


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value, itself first."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from places(inner, (*path, name))


def with_at(value: Any, path: tuple[str | int, ...], strange: Any) -> Any:
    """The JSON value with something else at one place."""
    if not path:
        return strange
    changed = copy.deepcopy(value)
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = strange
    return changed


@pytest.fixture(scope="module")
def admin(instance: Instance) -> dict[str, str]:
    """Headers of someone who may do everything."""
    return {"Authorization": f"Bearer {token(instance, 'admin')}", "If-Match": '"1"'}


@pytest.fixture(scope="module")
def somewhere(guest: Shopper) -> dict[str, str]:
    """Ids that the storefront's paths can have; staff's paths lead to nothing."""
    skus = guest.some_skus(1)
    return {"carts": guest.cart((skus[0], 1))["id"], "checkout-sessions": guest.checkout((skus[0], 1))["id"]}


def filled(path: str, somewhere: dict[str, str]) -> str:
    """The path with ids in it."""
    path = path.replace("{id}", somewhere.get(path.split("/")[1], "nothing"))
    for name in ("handle", "slug", "sku"):
        path = path.replace(f"{{{name}}}", "No-Such-Thing")
    return path


def sound(answer: httpx.Response) -> bool:
    """No 5xx, no trace of the inside, and a refusal says why."""
    if answer.status_code >= 500 or "Traceback" in answer.text:
        return False
    return answer.status_code < 400 or bool({"content", "detail", "message"} & answer.json().keys())


@pytest.mark.parametrize(("method", "path", "operation"), WITH_BODY)
def test_a_body_with_something_strange_at_any_place_is_answered_soundly(
    method: str,
    path: str,
    operation: dict[str, Any],
    shop: httpx.Client,
    admin: dict[str, str],
    somewhere: dict[str, str],
) -> None:
    proper = BODIES[operation["operationId"]]
    headers = {"content-type": "application/json", **(admin if path.startswith("/admin/") else {})}
    unsound = []
    for place in places(proper):
        for strange in STRANGE:
            content = json.dumps(with_at(proper, place, strange))
            answer = shop.request(method, filled(path, somewhere), content=content, headers={**headers, **key()})
            if not sound(answer):
                unsound.append((place, strange, answer.status_code, answer.text[:200]))

    assert unsound == []


@pytest.mark.parametrize(("method", "path", "operation"), WITH_PATH)
def test_a_path_with_a_strange_name_in_it_leads_nowhere(
    method: str, path: str, operation: dict[str, Any], shop: httpx.Client, admin: dict[str, str]
) -> None:
    body = BODIES.get(operation["operationId"]) if method != "GET" else None
    headers = admin if path.startswith("/admin/") else {}
    before, _, rest = path.partition("{")
    after = rest.partition("}")[2]

    answers = {
        name: shop.request(method, f"{before}{name}{after}", json=body, headers={**headers, **key()}) for name in NAMES
    }

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code not in (400, 404)} == {}


@pytest.mark.parametrize(("method", "path", "operation"), WITH_QUERY)
def test_a_query_with_something_strange_is_answered_soundly(
    method: str, path: str, operation: dict[str, Any], shop: httpx.Client, admin: dict[str, str]
) -> None:
    headers = admin if path.startswith(("/admin/", "/me/")) else {}

    answers = [
        (name, strange, shop.get(filled(path, {}), params={name: strange}, headers=headers))
        for name in in_query(operation)
        for strange in QUERIES
    ]

    assert [(name, strange) for name, strange, answer in answers if not sound(answer)] == []


@pytest.mark.parametrize("path", ["/products", "/admin/orders", "/admin/products", "/me/orders"])
def test_a_cursor_of_another_list_or_of_nobodys_making_is_refused(
    path: str, shop: httpx.Client, admin: dict[str, str]
) -> None:
    listed = shop.get("/products", params={"limit": 1, "sort": "price"}).json()
    other = listed["pagination"]["cursor"]
    content, _, signature = other.partition(".")

    for forged in (other, f"{content}x.{signature}", f"{content}.", "e30.e30", "%00", "."):
        assert shop.get(path, params={"cursor": forged, "sort": "newest"}, headers=admin).status_code == 400


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"line_items": []} and more', "application/json", 400),
        (b"bGluZV9pdGVtcw==", "application/octet-stream", 400),
        (b"line_items=1", "application/x-www-form-urlencoded", 400),
        (b'{"line_items": []}', "text/plain", 400),
        (b'{"line_items": ' + b'{"a":' * 50_000, "application/json", 400),
    ],
    ids=["empty", "null", "trailing garbage", "base64", "a form", "plain text", "deep"],
)
def test_a_body_that_is_no_cart_makes_none(shop: httpx.Client, content: bytes, kind: str, status: int) -> None:
    answer = shop.post("/carts", content=content, headers={"content-type": kind})

    assert (answer.status_code, "id" in answer.json()) == (status, False)


def test_of_a_name_that_is_there_twice_only_one_counts(shop: httpx.Client, guest: Shopper) -> None:
    [sku] = guest.some_skus(1)
    one, two = (json.dumps([{"item": {"id": sku}, "quantity": quantity}]) for quantity in (1, 2))

    answer = shop.post(
        "/carts",
        content=f'{{"line_items": {one}, "line_items": {two}}}',
        headers={"content-type": "application/json"},
    )

    assert [line["quantity"] for line in answer.json()["line_items"]] == [2]


def test_a_price_that_the_client_names_counts_for_nothing(shop: httpx.Client, guest: Shopper) -> None:
    [sku] = guest.some_skus(1)
    proper = guest.cart((sku, 1))
    lines = [
        {"item": {"id": sku, "price": 1, "title": "free"}, "quantity": 1, "totals": [{"type": "total", "amount": 1}]}
    ]

    cheap = shop.post("/carts", json={"line_items": lines, "totals": [], "currency": "JPY", "buyer": BUYER}).json()

    assert (cheap["totals"], cheap["currency"]) == (proper["totals"], proper["currency"])


@pytest.mark.parametrize("path", ["/webhooks/stripe", "/webhooks/carrier"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": "t=1,v1=00", "x-hmac-signature": "hmac-sha256-hex=00"},
        {"stripe-signature": "t=9999999999,v1=", "x-hmac-signature": ""},
        {"stripe-signature": ",,==", "x-hmac-signature": "hmac-sha256-hex="},
    ],
    ids=["none", "wrong", "empty", "garbled"],
)
def test_a_webhook_that_nobody_signed_is_refused(path: str, headers: dict[str, str], shop: httpx.Client) -> None:
    forged = {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}

    assert shop.post(path, json=forged, headers=headers).status_code in (400, 401)
    assert shop.post(path, content=b"\xff\x00", headers=headers).status_code in (400, 401)
