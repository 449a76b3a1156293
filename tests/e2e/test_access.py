"""Every operation of the contract, asked by everyone who may not: nobody gets through, and nothing breaks."""

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools.api_examples import BODIES
from tools.demo.actors import Shopper, key
from tools.local.instance import Instance
from tools.local.staff import GROUPS, PASSWORD, SHOPPER, address, token

CONTRACT = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())
OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=f"{method.upper()} {path}")
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
]
STRANGER = "eve"


@pytest.fixture(scope="module")
def tokens(instance: Instance) -> dict[str, str]:
    """A bearer token of each group, of the shopper, and of another customer."""
    pool = instance.client("cognito-idp")
    who = {"UserPoolId": instance.output("UserPoolId"), "Username": address(STRANGER)}
    with contextlib.suppress(pool.exceptions.UsernameExistsException):
        pool.admin_create_user(
            **who, MessageAction="SUPPRESS", UserAttributes=[{"Name": "email", "Value": address(STRANGER)}]
        )
    pool.admin_set_user_password(**who, Password=PASSWORD, Permanent=True)
    return {name: token(instance, name) for name in (*GROUPS, SHOPPER, STRANGER)}


@pytest.fixture(scope="module")
def shoppers(shop: httpx.Client, tokens: dict[str, str], guest: Shopper) -> dict[str, str]:
    """Ids of things that belong to the shopper, by the word that stands before them in a path."""
    shopper = Shopper(shop, tokens[SHOPPER])
    [sku] = guest.some_skus(1)
    completed = shopper.complete(shopper.checkout((sku, 1)))
    return {
        "carts": shopper.cart((sku, 1))["id"],
        "checkout-sessions": shopper.checkout((sku, 1))["id"],
        "orders": completed["order"]["id"],
    }


def forgeries(real: str) -> dict[str, str]:
    """Tokens that were `real`: one that was given more time, one without a signature, one that is none."""
    header, payload, signature = real.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    longer = _segment({**claims, "exp": claims["exp"] + 3600})
    return {
        "given more time": f"{header}.{longer}.{signature}",
        "unsigned": f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "no token": "x.y.z",
    }


def _segment(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def status(shop: httpx.Client, method: str, path: str, operation: dict[str, Any], bearer: str | None = None) -> int:
    """What the operation answers with its example body."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    body = BODIES.get(operation["operationId"]) if method != "GET" else None
    return shop.request(method, path, json=body, headers={**headers, **key()}).status_code


def of_nothing(path: str) -> str:
    """The path with ids that nothing has."""
    for name in ("id", "handle", "slug", "sku"):
        path = path.replace(f"{{{name}}}", "no-such-thing")
    return path


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_nobody_gets_where_the_contract_does_not_let_them(
    method: str, path: str, operation: dict[str, Any], shop: httpx.Client, tokens: dict[str, str]
) -> None:
    somewhere, auth = of_nothing(path), operation["x-auth"]
    asked = {"nobody": status(shop, method, somewhere, operation)} if auth != "public" else {}
    takes_tokens = auth in ("staff", "customer") or {"customer": []} in operation["security"]
    if takes_tokens:
        asked |= {
            name: status(shop, method, somewhere, operation, forged)
            for name, forged in forgeries(tokens["admin"]).items()
        }
    if auth == "signature":
        assert asked == {"nobody": 401 if path == "/webhooks/carrier" else 400}
        return
    assert asked == dict.fromkeys(asked, 401)
    if auth == "staff":
        outside = [name for name in tokens if name not in operation["x-groups"]]
        refused = {name: status(shop, method, somewhere, operation, tokens[name]) for name in outside}
        assert refused == dict.fromkeys(outside, 403)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [one for one in OPERATIONS if str(one.values[1]).startswith(("/carts/", "/checkout-sessions/", "/orders/"))],
)
def test_what_belongs_to_a_customer_is_there_for_nobody_else(
    method: str,
    path: str,
    operation: dict[str, Any],
    shop: httpx.Client,
    tokens: dict[str, str],
    shoppers: dict[str, str],
) -> None:
    theirs = path.replace("{id}", shoppers[path.split("/")[1]])

    strangers = (None, tokens[STRANGER], tokens["admin"])

    assert [status(shop, method, theirs, operation, bearer) for bearer in strangers] == [404, 404, 404]


def test_a_customers_cart_is_turned_into_a_checkout_by_nobody_else(
    shop: httpx.Client, tokens: dict[str, str], shoppers: dict[str, str]
) -> None:
    for bearer in (None, tokens[STRANGER]):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = shop.post("/checkout-sessions", json={"cart_id": shoppers["carts"]}, headers={**headers, **key()})
        assert answer.status_code == 404


def test_a_customer_sees_their_own_orders_alone(
    shop: httpx.Client, tokens: dict[str, str], shoppers: dict[str, str]
) -> None:
    def orders(name: str) -> set[str]:
        return {order["id"] for order in Shopper(shop, tokens[name]).get("/me/orders", limit=50)["orders"]}

    assert shoppers["orders"] in orders(SHOPPER)
    assert shoppers["orders"] not in orders(STRANGER)
