"""A person's data, from the first cart to the last trace: handed out whole, and erased so that nothing finds it."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest

from builders.catalog import function
from builders.http import http_event
from builders.office import Answer, Office
from builders.orders import FakeGateway, Shop
from commerce.adapters import wiring
from commerce.contact import Buyer, address_key
from commerce.errors import NotFound, Unavailable
from commerce.identity.model import Caller
from commerce.orders.model import Order
from commerce.privacy.model import Account
from commerce.privacy.repository import RequestRepository

EMAIL = "grete.hermann@planted.example"
IN_A_CART = {"first_name": "Margarete", "last_name": "Hermann-Henry", "phone_number": "+15005550101"}
BUYER = {"first_name": "Grete", "last_name": "Hermann", "phone_number": "+15005550102"}
ADDRESS = {
    "first_name": "Emmy",
    "last_name": "Noether",
    "street_address": "17 Planted Row",
    "extended_address": "behind the blue gate",
    "address_locality": "Plantedville",
    "postal_code": "97299",
    "phone_number": "+15005550103",
}
OPEN_STILL = {
    "first_name": "Henriette",
    "last_name": "Herrmann",
    "street_address": "3 Abandoned Alley",
    "extended_address": "ring twice",
    "phone_number": "+15005550104",
}
NOTE = "her vase arrived in pieces"
PLANTED = (
    EMAIL,
    *IN_A_CART.values(),
    *BUYER.values(),
    *ADDRESS.values(),
    *OPEN_STILL.values(),
    NOTE,
)
PLACE = {"address_region": "OR", "address_country": "US"}
LINES = [{"item": {"id": "SHIRT-M"}, "quantity": 1}]


class Erasures:
    """The workflow, which a test runs by hand."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, request_id: str) -> None:
        self.started.append(request_id)


class Accounts:
    """A user pool with one customer."""

    def __init__(self) -> None:
        self.known: dict[str, Account] = {EMAIL: Account(subject="sub-1", attributes={"email": EMAIL, "sub": "sub-1"})}

    def find(self, email: str) -> Account | None:
        return self.known.get(email.lower())

    def delete(self, email: str) -> None:
        self.known.pop(email.lower(), None)


class Story:
    """Somebody who buys, and the shop that they buy from."""

    def __init__(self, shop: Shop, erasures: Erasures, accounts: Accounts) -> None:
        self.shop, self.erasures, self.accounts = shop, erasures, accounts
        self.office = Office.of("admin_privacy")
        self.exporting = Office.of("export_person")

    def asks(self, name: str, route: str, body: Any = None, **more: Any) -> Any:
        """What the storefront answers. Every POST has a key, so that its answer is kept."""
        headers = {"idempotency-key": str(uuid4())} if route.startswith("POST") else {}
        answer = function(name).handler(http_event(route, body, headers=headers, **more), None)
        assert answer["statusCode"] < 300, answer["body"]
        return json.loads(answer["body"])

    def buys(self) -> Order:
        """An order made of a cart, of which something was given back; and a checkout that was left."""
        self.shop.stocked(5)
        cart = self.asks("carts", "POST /carts", {"line_items": LINES, "buyer": {"email": EMAIL, **IN_A_CART}})
        checkout = self.asks("carts", "POST /checkout-sessions", {"cart_id": cart["id"]})
        self.asks("carts", "PUT /checkout-sessions/{id}", _whole(BUYER, ADDRESS), id=checkout["id"])
        self.asks("carts", "POST /checkout-sessions", _whole({}, OPEN_STILL))
        card = {"type": "token", "token": "pm_card_visa"}
        paid_by = {"id": "card_1", "handler_id": "stripe", "type": "card", "selected": True, "credential": card}
        payment = {"payment": {"instruments": [paid_by]}}
        route = "POST /checkout-sessions/{id}/complete"
        completed = self.asks("complete_checkout", route, payment, id=checkout["id"])
        order = self.shop.captured(self.shop.orders.get(completed["order"]["id"]))
        refunded = Office.of("admin_refunds").send(
            "POST /admin/orders/{id}/refunds", {"amount": 100, "reason": NOTE}, id=order.id, group="support"
        )
        assert refunded.status == 201, refunded.text
        return self.shop.orders.get(order.id)

    def comes_to_its_end(self, order: Order) -> Order:
        for status in ("picked", "packed", "ready_to_ship", "shipped", "delivered"):
            order = self.shop.orders.change(self.shop.orders.get(order.id), to=status)
        done = tuple(one.model_copy(update={"status": "completed"}) for one in order.adjustments)
        return self.shop.orders.change(order, fields={"settled": True, "adjustments": done})

    def wants(self, kind: str, key: str = "key-1", group: str = "admin") -> Answer:
        body = {"email": EMAIL.upper(), "kind": kind, "reference": "ticket 1"}
        return self.office.send("POST /admin/privacy/requests", body, group=group, key=key)

    def exports(self, request_id: str) -> Answer:
        route = "GET /admin/privacy/requests/{id}/export"
        return self.exporting.send(route, id=request_id, group="admin")

    def runs(self, request_id: str) -> str:
        """What the workflow's task answers."""
        told: str = function("erase_person").handler({"request_id": request_id}, None)["state"]
        return told

    def shown(self, request_id: str) -> Any:
        return self.office.send("GET /admin/privacy/requests/{id}", id=request_id, group="admin").body

    def everything(self) -> str:
        return repr([item for variable in self.shop.tables for item in self.shop.all(variable, "")])

    def left(self) -> list[str]:
        """What of `PLANTED` is still there, as words: ids and sealed bytes may spell anything."""
        kept = self.everything()
        return [said for said in PLANTED if re.search(rf"(?<!\w){re.escape(said)}(?!\w)", kept, re.IGNORECASE)]


def _whole(buyer: dict[str, str], address: dict[str, str]) -> dict[str, Any]:
    method = {
        "type": "shipping",
        "destinations": [{"id": "home", **address, **PLACE}],
        "groups": [{"selected_option_id": "standard"}],
    }
    return {"line_items": LINES, "buyer": {"email": EMAIL, **buyer}, "fulfillment": {"methods": [method]}}


def _raises(error: Exception) -> Any:
    def fails(*_: Any, **__: Any) -> None:
        raise error

    return fails


@pytest.fixture
def story(shop: Shop, function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> Story:
    erasures, accounts, gateway = Erasures(), Accounts(), FakeGateway()
    shop.gateway = gateway
    monkeypatch.setattr(wiring, "payment_gateway", lambda: gateway)
    monkeypatch.setattr(wiring, "workflow", lambda: shop.workflow)
    monkeypatch.setattr(wiring, "catalog", lambda: shop.catalog)
    monkeypatch.setattr(wiring, "erasures", lambda: erasures)
    monkeypatch.setattr(wiring, "accounts", lambda: accounts)
    return Story(shop, erasures, accounts)


def test_twenty_things_that_a_person_said_are_all_exported_and_none_is_found_after_their_erasure(story: Story) -> None:
    assert len(set(PLANTED)) == 20
    order = story.comes_to_its_end(story.buys())

    exported = story.exports(story.wants("export").body["id"])
    assert [said for said in PLANTED if said not in exported.text] == []
    assert exported.body["account"]["email"] == EMAIL

    request = story.wants("erase", "key-2").body
    assert story.erasures.started == [request["id"]]
    assert [story.runs(request["id"]) for _ in range(2)] == ["done", "done"]

    assert story.left() == []
    kept = story.shop.orders.get(order.id)
    assert (kept.total, kept.totals, kept.lines, kept.placed_at) == (
        order.total,
        order.totals,
        order.lines,
        order.placed_at,
    )
    assert (kept.country, kept.region, kept.erased_at is not None) == ("US", "OR", True)
    assert [one.amount for one in kept.adjustments] == [one.amount for one in order.adjustments]
    assert story.accounts.known == {}


def test_nobody_is_erased_while_an_order_of_theirs_is_on_its_way(story: Story) -> None:
    order = story.buys()
    request_id = story.wants("erase").body["id"]

    assert [story.runs(request_id) for _ in range(2)] == ["waiting", "waiting"]
    assert story.shown(request_id)["waits_for"] == [order.id]
    assert story.shop.orders.get(order.id).buyer.email == EMAIL

    story.comes_to_its_end(order)
    assert story.runs(request_id) == "done"
    assert story.shown(request_id)["state"] == "done"


def test_who_asked_and_what_was_done_is_on_record_without_a_name(story: Story) -> None:
    story.comes_to_its_end(story.buys())
    asked = story.wants("export").body["id"]
    story.exports(asked)
    story.runs(story.wants("erase", "key-2").body["id"])

    found = wiring.table("AUDIT_TABLE").query(f"person#{address_key(EMAIL)}", consistent=True)
    entries = sorted((entry["sk"], entry["actor"], entry["action"]) for entry in found)
    assert sorted(entry[1:] for entry in entries) == [
        ("admin-1", "data.exported"),
        ("admin-1", "erase.requested"),
        ("admin-1", "export.requested"),
        ("workflow", "data.erased"),
    ]


def test_an_erasure_that_died_half_way_is_finished_by_the_next_run(story: Story, monkeypatch: Any) -> None:
    story.comes_to_its_end(story.buys())
    request_id = story.wants("erase").body["id"]

    def dies(_holder: str) -> None:
        raise RuntimeError("out of time")

    with monkeypatch.context() as first:
        first.setattr(type(wiring.person_files().checkouts), "remove", lambda *_: dies(""))
        with pytest.raises(RuntimeError):
            story.runs(request_id)

    assert story.runs(request_id) == "done"
    assert story.left() == []


def test_no_erasure_is_written_down_that_nobody_begins(story: Story, monkeypatch: Any) -> None:
    with monkeypatch.context() as busy, pytest.raises(AssertionError, match='"status": 503'):
        busy.setattr(Erasures, "start", _raises(Unavailable("too many executions move at this moment")))
        story.wants("erase")

    assert story.office.send("GET /admin/privacy/requests", group="admin").body["requests"] == []
    assert story.wants("erase").status == 202
    assert story.runs(story.erasures.started[0]) == "done"


def test_an_erasure_that_was_begun_and_not_written_down_fails_until_it_is(story: Story, monkeypatch: Any) -> None:
    with monkeypatch.context() as busy, pytest.raises(AssertionError, match='"status": 503'):
        busy.setattr(RequestRepository, "add", _raises(Unavailable("the table is busy")))
        story.wants("erase")
    [begun] = story.erasures.started

    with pytest.raises(NotFound):
        story.runs(begun)

    assert story.wants("erase").body["id"] == begun
    assert story.runs(begun) == "done"


def test_the_same_request_again_is_the_same_request(story: Story) -> None:
    first, again = story.wants("erase"), story.wants("erase")

    assert (first.status, again.text) == (202, first.text)
    listed = story.office.send("GET /admin/privacy/requests", group="admin").body["requests"]
    assert [one["id"] for one in listed] == [first.body["id"]]
    assert EMAIL not in json.dumps(listed)


def test_what_was_asked_before_is_forgotten_with_the_person(story: Story) -> None:
    asked = story.wants("export").body["id"]
    assert story.exports(asked).status == 200

    story.runs(story.wants("erase", "key-2").body["id"])

    assert story.exports(asked).status == 409
    assert story.shown(asked)["digest"] == address_key(EMAIL)
    assert [key["pk"] for key in story.shop.all("PRIVACY_TABLE", "KEY")] == []


def test_what_an_account_bought_under_another_address_is_its_owners_too(story: Story) -> None:
    story.shop.stocked(1)
    checkout = story.shop.checkout(owner="sub-1", buyer=Buyer(email="second.address@planted.example"))
    order_id = story.shop.complete(checkout, caller=Caller(subject="sub-1")).order_id

    exported = story.exports(story.wants("export").body["id"])

    assert [one["id"] for one in exported.body["orders"]] == [order_id]
    assert "second.address@planted.example" in exported.text


def test_only_admins_ask_and_only_an_export_is_exported(story: Story) -> None:
    assert story.wants("export", group="support").status == 403
    erasure = story.wants("erase").body["id"]
    assert story.exports(erasure).status == 409
    assert story.exports("person_unknown").status == 404


def test_somebody_of_whom_nothing_is_known_is_told_so(story: Story) -> None:
    exported = story.exports(story.wants("export").body["id"]).body

    assert (exported["orders"], exported["carts"], exported["checkouts"]) == ([], [], [])
