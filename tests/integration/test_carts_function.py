"""The carts function as API Gateway calls it, on a real data engine: every answer, and what it cost."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ucp_sdk.models.schemas.shopping.cart import Cart as ProtocolCart
from ucp_sdk.models.schemas.shopping.fulfillment import Checkout as ProtocolCheckout

from builders.carts import fulfillment, lines
from builders.catalog import draft, function, product, variant
from builders.checkout import buyer
from builders.faults import calls_of
from builders.http import http_event
from builders.office import Answer, Office
from builders.rights import Handler
from commerce import clock
from commerce.adapters import aws, wiring
from commerce.adapters.secrets import key_ring
from commerce.catalog.model import Product
from commerce.errors import Unauthenticated
from commerce.identity.model import Caller
from commerce.identity.service import verify_access_token
from commerce.inventory.service import set_stock

WHOLE = {"buyer": buyer().model_dump(exclude_none=True), "fulfillment": fulfillment()}

UNREADABLE = {
    "cut off": "{",
    "nothing": "",
    "a list": "[]",
    "null": "null",
    "text": '"text"',
    "deep": '{"line_items": ' + "[" * 5000,
    "half a character": '{"line_items": [{"item": {"id": "\\ud800"}, "quantity": 1}]}',
    "no SKU": '{"line_items": [{"item": {"id": ""}, "quantity": 1}]}',
    "a long SKU": f'{{"line_items": [{{"item": {{"id": "{"A" * 101}"}}, "quantity": 1}}]}}',
    "no currency": '{"line_items": [], "context": {"currency": "usd"}}',
    "no e-mail address": '{"line_items": [], "buyer": {"email": 7}}',
}


class Storefront:
    """Sends a guest's requests to the function, and counts what each of them asks the tables."""

    def __init__(self, handler: Handler, calls: list[str]) -> None:
        self._function = Office(handler, group=None)
        self._calls = calls

    @property
    def calls(self) -> Counter[str]:
        """What the last request asked the tables."""
        return Counter(self._calls)

    def send(self, route: str, body: Any = None, **more: Any) -> Answer:
        self._calls.clear()
        return self._function.send(route, body, key=None, **more)

    def cart(self, *wanted: tuple[str, int], **more: Any) -> Answer:
        return self.send("POST /carts", {"line_items": lines(*wanted)}, **more)

    def checkout(self, *wanted: tuple[str, int]) -> Answer:
        return self.send("POST /checkout-sessions", {"line_items": lines(*wanted), **WHOLE})

    def stored(self) -> dict[str, Any]:
        """Everything in the table of carts."""
        table = wiring.table("CARTS_TABLE")
        found = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
        return {f"{item['pk']['S']} {item['sk']['S']}": item for item in found}


@pytest.fixture
def deployed(function_of_the_shop: None) -> Any:
    """The function's module, wired as its stack wires it, in a shop with a mug (USD, EUR) and a bowl (USD)."""
    _stock(product("prod_mug", draft=draft("Mug", variants=(variant("MUG", price=1900, eur=1800),))), MUG=5)
    _stock(product("prod_bowl", draft=draft("Bowl", handle="bowl", variants=(variant("BOWL", price=900),))), BOWL=9)
    return function("carts")


def _stock(offered: Product, **units: int) -> None:
    wiring.catalog().save(None, offered, actor="test", action="created", now=clock.now())
    for sku, available in units.items():
        set_stock(
            wiring.inventory(),
            wiring.audit(),
            sku=sku,
            available=available,
            reason="counted",
            actor="test",
            now=clock.now(),
        )


@pytest.fixture
def shop(deployed: Any) -> Iterator[Storefront]:
    with calls_of(aws.client("dynamodb")) as calls:
        yield Storefront(deployed.handler, calls)


def test_a_cart_becomes_a_checkout_that_is_ready_and_every_answer_is_the_protocols(shop: Storefront) -> None:
    cart = shop.cart(("MUG", 2), ("BOWL", 1))
    assert cart.status == 201
    assert shop.send("GET /carts/{id}", id=cart.id).body == cart.body
    ProtocolCart.model_validate_json(cart.text)

    begun = shop.send("POST /checkout-sessions", {"cart_id": cart.id, "line_items": []})
    assert (begun.status, begun.body["status"], begun.body["cart_id"]) == (201, "incomplete", cart.id)
    ProtocolCheckout.model_validate_json(begun.text)

    ready = shop.send(
        "PUT /checkout-sessions/{id}", {"line_items": lines(("MUG", 2), ("BOWL", 1)), **WHOLE}, id=begun.id
    )
    assert (ready.status, ready.body["status"], ready.body["messages"]) == (200, "ready_for_complete", [])
    assert ready.body["totals"][-1]["amount"] == 2 * 1900 + 900 + 500
    ProtocolCheckout.model_validate_json(ready.text)

    first, second = (shop.send("GET /checkout-sessions/{id}", id=begun.id).text for _ in range(2))
    assert first == second == ready.text

    canceled = shop.send("POST /checkout-sessions/{id}/cancel", id=begun.id)
    assert canceled.body["status"] == "canceled"
    assert shop.send("POST /carts/{id}/cancel", id=cart.id).status == 200
    assert shop.send("GET /carts/{id}", id=cart.id).status == 404


@pytest.mark.parametrize(
    "quantity",
    ["0", "-10", "1.5", "1.0", '"2"', "true", "null", str(10**30), "1e2", "[]"],
)
@pytest.mark.parametrize("route", ["POST /carts", "POST /checkout-sessions"])
def test_a_quantity_that_is_none_is_named_and_changes_nothing(shop: Storefront, route: str, quantity: str) -> None:
    before = shop.stored()

    answer = shop.send(route, f'{{"line_items": [{{"item": {{"id": "MUG"}}, "quantity": {quantity}}}]}}')

    assert (answer.status, answer.body["code"]) == (400, "invalid")
    assert answer.body["path"] == "$.line_items[0].quantity"
    assert shop.stored() == before


def with_what_is_the_shops(value: Any) -> Any:
    """The JSON value with fields in every object that a client has no say in."""
    if isinstance(value, list):
        return [with_what_is_the_shops(one) for one in value]
    if not isinstance(value, dict):
        return value
    theirs = {
        "price": 1, "unit_price": 1, "totals": [{"type": "total", "amount": 1}],
        "discounts": {"applied": [{"code": "FREE", "title": "Free", "amount": 5000}]},
        "status": "completed", "order": {"id": "order_1"}, "order_id": "order_1", "owner": "eve", "subject": "eve",
        "available": 99, "version": 99, "expires_at": "2099-01-01T00:00:00Z", "_owner": "eve",
        "__class__": "Admin", "pk": "cart#1", "continue_url": "https://attacker.example", "paid": True,
    }  # fmt: skip
    return {**theirs, **{name: with_what_is_the_shops(inner) for name, inner in value.items()}}


def test_what_only_the_shop_decides_changes_nothing_when_a_client_sends_it(
    shop: Storefront, deployed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr(deployed, "now", lambda: moment)
    wanted = {"line_items": lines(("MUG", 2)), **WHOLE}
    cart, checkout = shop.cart(("MUG", 2)), shop.send("POST /checkout-sessions", wanted)

    for route, thing in (("PUT /carts/{id}", cart), ("PUT /checkout-sessions/{id}", checkout)):
        plain = shop.send(route, wanted, id=thing.id)
        assert shop.send(route, with_what_is_the_shops(wanted), id=thing.id).body == plain.body


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_and_changes_nothing(shop: Storefront, body: Any) -> None:
    before = shop.stored()

    answer = shop.send("POST /carts", body)

    assert (answer.status, answer.body["code"]) == (400, "invalid")
    assert shop.stored() == before


def test_a_body_that_is_too_large_is_refused(shop: Storefront) -> None:
    answer = shop.send("POST /carts", " " * 300_000)

    assert (answer.status, answer.body["code"]) == (413, "too_large")


def test_a_body_in_base64_is_read_like_any_other(shop: Storefront) -> None:
    sent = http_event("POST /carts", {"line_items": lines(("MUG", 1))}, encoded=True)
    assert json.loads(base64.b64decode(sent["body"]))

    assert shop.send("POST /carts", {"line_items": lines(("MUG", 1))}, encoded=True).status == 201


def test_a_body_that_is_no_text_is_refused(shop: Storefront) -> None:
    assert shop.send("POST /carts", b"\xff\xfe{}", encoded=True).status == 400


@pytest.mark.parametrize("identifier", ["x", "x" * 299, "x" * 8000, "🛒" * 300, "../carts", "CART#1"], ids=len)
def test_what_was_never_handed_out_is_not_found(shop: Storefront, identifier: str) -> None:
    assert shop.send("GET /carts/{id}", id=identifier).status == 404
    assert shop.send("GET /checkout-sessions/{id}", id=identifier).status == 404


def test_wishes_that_cannot_be_met_are_messages_on_their_fields(shop: Storefront) -> None:
    half = fulfillment(postal_code=None)
    wrong = {
        "line_items": lines(("MUG", 6), ("NOWHERE", 1)),
        "buyer": {"email": "nobody"},
        "fulfillment": half,
    }

    answer = shop.send("POST /checkout-sessions", wrong)

    assert (answer.status, answer.body["status"]) == (201, "incomplete")
    assert set(answer.paths) == {
        "$.line_items[0].quantity",
        "$.line_items[1].item.id",
        "$.buyer.email",
        "$.fulfillment.methods[0].destinations[0].postal_code",
        "$.fulfillment.methods[0].destinations[0].last_name",
    }
    ProtocolCheckout.model_validate_json(answer.text)


def test_a_checkout_of_nothing_that_can_be_bought_is_an_answer_without_one(shop: Storefront) -> None:
    before = shop.stored()

    answer = shop.checkout(("NOWHERE", 1))

    assert (answer.status, answer.body["ucp"]["status"]) == (200, "error")
    assert "id" not in answer.body
    assert answer.paths == ["$.line_items[0].item.id"]
    assert shop.stored() == before


def test_a_hundred_thousand_pieces_are_refused_by_a_message_and_change_nothing(shop: Storefront) -> None:
    cart = shop.cart(("MUG", 1))
    before = shop.stored()

    answer = shop.send("PUT /carts/{id}", {"line_items": lines(("MUG", 100_000))}, id=cart.id)

    assert (answer.status, answer.paths) == (200, ["$.line_items[0].quantity"])
    assert answer.body["line_items"] == cart.body["line_items"]
    assert shop.stored() == before


def test_an_idempotency_key_repeats_its_answer_and_refuses_another_body(shop: Storefront) -> None:
    key = {"idempotency-key": "3f1c9a"}
    first = shop.cart(("MUG", 1), headers=key)
    kept = shop.stored()

    assert shop.cart(("MUG", 1), headers=key).text == first.text
    other = shop.cart(("MUG", 2), headers=key)

    assert (other.status, other.body["code"]) == (409, "idempotency_mismatch")
    assert shop.stored() == kept


def test_a_key_that_two_customers_send_or_one_sends_to_two_routes_is_a_key_for_each(
    shop: Storefront, deployed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployed.api, "_verify", lambda token: Caller(subject=token))
    ada, eve = ({"authorization": f"Bearer {name}", "idempotency-key": "3f1c9a"} for name in ("ada", "eve"))
    body = {"line_items": lines(("MUG", 1))}

    hers, eves = (shop.send("POST /carts", body, headers=headers) for headers in (ada, eve))
    checkout = shop.send("POST /checkout-sessions", body, headers=ada)

    assert [answer.status for answer in (hers, eves, checkout)] == [201, 201, 201]
    assert len({hers.id, eves.id, checkout.id}) == 3
    assert shop.send("GET /carts/{id}", id=eves.id, headers=eve).status == 200
    assert shop.send("GET /checkout-sessions/{id}", id=checkout.id, headers=ada).status == 200
    assert shop.send("POST /carts", body, headers=ada).text == hers.text


def test_a_customers_things_do_not_exist_for_anybody_else(
    shop: Storefront, deployed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(token: str) -> Caller:
        if token == "forged":
            raise Unauthenticated("the token is not valid")
        return Caller(subject=token)

    monkeypatch.setattr(deployed.api, "_verify", verify)
    ada, eve = ({"authorization": f"Bearer {name}"} for name in ("ada", "eve"))
    cart = shop.cart(("MUG", 1), headers=ada)
    checkout = shop.send("POST /checkout-sessions", {"cart_id": cart.id}, headers=ada)
    before = shop.stored()

    for stranger in (eve, {}):
        for thing in (
            ("GET /carts/{id}", None, cart.id),
            ("PUT /carts/{id}", {"line_items": []}, cart.id),
            ("POST /carts/{id}/cancel", None, cart.id),
            ("GET /checkout-sessions/{id}", None, checkout.id),
            ("PUT /checkout-sessions/{id}", {"line_items": []}, checkout.id),
            ("POST /checkout-sessions/{id}/cancel", None, checkout.id),
        ):
            answer = shop.send(thing[0], thing[1], headers=stranger, id=thing[2])
            assert (answer.status, answer.body["code"]) == (404, "not_found")
        assert shop.send("POST /checkout-sessions", {"cart_id": cart.id}, headers=stranger).status == 404
    assert shop.send("GET /carts/{id}", id=cart.id, headers={"authorization": "Bearer forged"}).status == 401
    assert shop.stored() == before
    assert shop.send("GET /checkout-sessions/{id}", id=checkout.id, headers=ada).status == 200


def test_an_expired_checkout_is_gone_and_cannot_be_changed(
    shop: Storefront, deployed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = shop.checkout(("MUG", 1))
    before = shop.stored()
    monkeypatch.setattr(deployed, "now", lambda: clock.now() + timedelta(hours=6, seconds=1))

    for answer in (
        shop.send("GET /checkout-sessions/{id}", id=checkout.id),
        shop.send("PUT /checkout-sessions/{id}", {"line_items": lines(("MUG", 2))}, id=checkout.id),
        shop.send("POST /checkout-sessions/{id}/cancel", id=checkout.id),
    ):
        assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert shop.stored() == before


def test_a_completed_checkout_names_its_order_and_stays_as_it_is(shop: Storefront) -> None:
    ready = shop.checkout(("MUG", 1))
    checkouts = wiring.personal_checkouts()
    stored = checkouts.get(ready.id, clock.now())
    checkouts.save(stored, stored.model_copy(update={"status": "completed", "order_id": "order_1"}))

    seen = shop.send("GET /checkout-sessions/{id}", id=ready.id)
    assert set(shop.calls) == {"GetItem"}
    assert seen.body["order"]["id"] == "order_1"
    link = urlsplit(seen.body["order"]["permalink_url"])
    assert f"{link.scheme}://{link.netloc}{link.path}" == "https://shop.example/orders/order_1"
    assert verify_access_token(key_ring(), "order_1", parse_qs(link.query)["access_token"][0])

    before = shop.stored()
    changed = shop.send("PUT /checkout-sessions/{id}", {"line_items": lines(("MUG", 2)), **WHOLE}, id=ready.id)
    canceled = shop.send("POST /checkout-sessions/{id}/cancel", id=ready.id)
    assert changed.paths == canceled.paths == ["$.status"]
    assert changed.body["line_items"] == ready.body["line_items"]
    assert shop.stored() == before


def test_no_request_asks_the_tables_more_often_than_it_must(shop: Storefront) -> None:
    """Without an idempotency key; a key adds two writes."""
    cart = shop.cart(("MUG", 1), ("BOWL", 1))
    assert shop.calls == {"BatchGetItem": 2, "PutItem": 1}

    shop.send("GET /carts/{id}", id=cart.id)
    assert shop.calls == {"GetItem": 1, "BatchGetItem": 2}

    shop.send("PUT /carts/{id}", {"line_items": lines(("BOWL", 2))}, id=cart.id)
    assert shop.calls == {"GetItem": 1, "BatchGetItem": 2, "PutItem": 1}

    checkout = shop.send("POST /checkout-sessions", {"cart_id": cart.id})
    assert shop.calls == {"GetItem": 2, "BatchGetItem": 2, "TransactWriteItems": 1}

    shop.send("POST /checkout-sessions", {"cart_id": cart.id})
    assert shop.calls == {"GetItem": 3, "BatchGetItem": 2}

    shop.send("PUT /checkout-sessions/{id}", {"line_items": lines(("BOWL", 2)), **WHOLE}, id=checkout.id)
    assert shop.calls == {"GetItem": 2, "BatchGetItem": 2, "PutItem": 2}, "the buyer's data key is made"

    wiring.seals().last.clear()
    shop.send("GET /checkout-sessions/{id}", id=checkout.id)
    assert shop.calls == {"GetItem": 2, "BatchGetItem": 2}, "another process reads it with what it opens"

    wiring.seals().last.clear()
    shop.send("POST /checkout-sessions/{id}/cancel", id=checkout.id)
    assert shop.calls == {"GetItem": 2, "PutItem": 1}, "and remembers it for the rest of the request"

    shop.cart(("MUG", 1), headers={"idempotency-key": "the-first-one"})
    assert shop.calls == {"BatchGetItem": 2, "PutItem": 3}


def test_a_cart_converted_by_many_at_once_is_one_checkout(shop: Storefront) -> None:
    cart = shop.cart(("BOWL", 1))

    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: shop.send("POST /checkout-sessions", {"cart_id": cart.id}), range(16)))

    assert {answer.status for answer in answers} == {201}
    assert len({answer.id for answer in answers}) == 1
    assert sum(f'"cart_id": {{"S": "{cart.id}"}}' in json.dumps(item) for item in shop.stored().values()) == 1
