"""Every route of the contract, asked by everybody: its door lets in whom it is for, and strangers learn nothing."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from builders.doors import DOORS, Door
from builders.forging import Issuer, confusions, forgeries
from tools.api_examples import BODIES
from tools.demo.actors import Shopper, key
from tools.local.instance import Instance
from tools.local.staff import GROUPS, PASSWORD, SHOPPER, address, token

CONTRACT = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())
ROUTES = [f"{method.upper()} {path}" for path, item in CONTRACT["paths"].items() for method in item]
OWNED = [route for route in ROUTES if route.split(" /")[1].startswith(("carts/", "checkout-sessions/", "orders/"))]
STRANGER = "eve"
VOLATILE = frozenset({"apigw-requestid", "connection", "date", "x-correlation-id", "x-request-id"})
"""Headers that differ from answer to answer."""


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
def issuer(instance: Instance, tokens: dict[str, str]) -> Issuer:
    """The user pool, with its own key: what it signs is wrong in one thing only."""
    real = tokens["warehouse"]
    key_file = f"{instance.output('UserPoolId')}-access.pem"
    signing = load_pem_private_key((instance.state / "aws/cognito-pool-keys" / key_file).read_bytes(), password=None)
    assert isinstance(signing, RSAPrivateKey)
    claims = jwt.decode(real, options={"verify_signature": False})
    return Issuer(signing, jwt.get_unverified_header(real)["kid"], claims)


@pytest.fixture(scope="module")
def callers(tokens: dict[str, str], issuer: Issuer) -> dict[str, str | None]:
    """Everybody who knocks at every door: nobody in particular, forgers, customers, and each group of staff."""
    return {"nobody": None, **forgeries(issuer), **tokens}


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


def asked(shop: httpx.Client, route: str, bearer: str | None = None, **options: Any) -> httpx.Response:
    """The answer to a body that makes nothing, for nothing that is there."""
    method, path = route.split(" ")
    headers = {"content-type": "application/json", **key()}
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    return shop.request(method, of_nothing(path), headers=headers, **options)


def of_nothing(path: str) -> str:
    """The path with ids that nothing has."""
    for name in ("id", "handle", "slug", "sku"):
        path = path.replace(f"{{{name}}}", "no-such-thing")
    return path


def outcome(answer: httpx.Response) -> str:
    """How far somebody got."""
    refusals = {401: "unknown", 403: "known, and refused"}
    return refusals.get(answer.status_code, "through" if answer.status_code < 500 else "broken")


def expected(door: Door, caller: str) -> str:
    """How far somebody gets at this door. Who is no forger, nobody and no group is a customer."""
    forger = caller not in ("nobody", *GROUPS, SHOPPER, STRANGER)
    if door == "open" or (door == "guest" and not forger):
        return "through"
    if forger or caller == "nobody":
        return "unknown"
    return "through" if door == "customer" or caller in (*door, "admin") else "known, and refused"


@pytest.mark.parametrize("route", ROUTES)
def test_each_door_lets_in_whom_it_is_for(route: str, shop: httpx.Client, callers: Mapping[str, str | None]) -> None:
    door = DOORS[route]

    answers = {caller: asked(shop, route, bearer) for caller, bearer in callers.items()}

    from_functions = [answer for answer in answers.values() if "x-request-id" in answer.headers]
    assert {answer.headers["x-content-type-options"] for answer in from_functions} <= {"nosniff"}
    if door == "signature":
        assert {answer.status_code for answer in answers.values()} <= {400, 401}
    else:
        assert {caller: outcome(answer) for caller, answer in answers.items()} == {
            caller: expected(door, caller) for caller in callers
        }


@pytest.mark.parametrize("route", ["GET /admin/orders", "GET /me/orders", "GET /carts/{id}"])
def test_no_forged_token_opens_a_door(route: str, shop: httpx.Client, issuer: Issuer) -> None:
    answers = {name: asked(shop, route, forged) for name, forged in confusions(issuer).items()}

    assert outcome(asked(shop, route, issuer.token())) != "unknown"
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)


def learned(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Everything that an answer tells: status, body, and the headers that say something."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, answer.text, headers


@pytest.mark.parametrize("route", OWNED)
def test_what_belongs_to_another_looks_like_what_is_not_there(
    route: str, shop: httpx.Client, tokens: dict[str, str], shoppers: dict[str, str]
) -> None:
    method, path = route.split(" ")
    kind = path.split("/")[1]
    body = BODIES.get(CONTRACT["paths"][path][method.lower()]["operationId"]) if method != "GET" else None
    theirs, none = (f"{method} {path.replace('{id}', one)}" for one in (shoppers[kind], f"{shoppers[kind]}x"))

    for bearer in (None, tokens[STRANGER], tokens["admin"]):
        answer = asked(shop, theirs, bearer, json=body)
        assert answer.status_code == 404
        assert learned(answer) == learned(asked(shop, none, bearer, json=body))


def test_another_orders_link_shows_no_more_than_no_link(
    shop: httpx.Client, shoppers: dict[str, str], guest: Shopper
) -> None:
    [sku] = guest.some_skus(1)
    link = httpx.URL(guest.complete(guest.checkout((sku, 1)))["order"]["permalink_url"])
    own = dict(link.params)

    assert asked(shop, f"GET {link.path}", params=own).status_code == 200
    for route in ("GET /orders/{id}", "POST /orders/{id}/cancel"):
        theirs, none = (route.replace("{id}", one) for one in (shoppers["orders"], "no-such-order"))
        assert learned(asked(shop, theirs, params=own)) == learned(asked(shop, none, params=own))
        assert asked(shop, theirs, params=own).status_code == 404


@pytest.mark.parametrize("route", [one for one in ROUTES if one.split(" ")[1].startswith("/admin/orders/{id}")])
def test_staff_of_another_group_do_not_learn_whether_there_is_such_an_order(
    route: str, shop: httpx.Client, tokens: dict[str, str], shoppers: dict[str, str]
) -> None:
    theirs = route.replace("{id}", shoppers["orders"])

    assert learned(asked(shop, theirs, tokens["catalogue"])) == learned(asked(shop, route, tokens["catalogue"]))


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
