"""Suppliers and purchase orders as API Gateway calls the function, on a real data engine."""

from typing import Any

import pytest

from builders.office import Answer, Office
from builders.orders import FakeCatalog
from commerce.adapters import wiring

SUPPLIERS, ORDERS = "POST /admin/suppliers", "POST /admin/purchase-orders"
DELIVERIES = "POST /admin/purchase-orders/{id}/deliveries"


@pytest.fixture
def office(function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The function, for a shop whose catalogue has every SKU."""
    catalog = FakeCatalog()
    monkeypatch.setattr(wiring, "catalog", lambda: catalog)
    return Office.of("admin_purchasing", group="catalogue")


def a_supplier(office: Office, **changes: Any) -> Answer:
    return office.send(SUPPLIERS, {"name": "Slow Pottery", "currency": "EUR", **changes})


def content(supplier_id: str, **changes: Any) -> dict[str, Any]:
    lines = [{"sku": "MUG", "quantity": 10, "unit_cost": 700}]
    return {
        "supplier_id": supplier_id,
        "location": "main",
        "expected_on": "2026-12-24",
        "lines": lines,
        **changes,
    }


def drafted(office: Office) -> str:
    answer = office.send(ORDERS, content(a_supplier(office).body["id"]))
    assert answer.status == 201, answer.text
    return str(answer.body["id"])


def step(office: Office, name: str, order_id: str, body: Any = None, **more: Any) -> Answer:
    return office.send(f"POST /admin/purchase-orders/{{id}}/{name}", body or {}, id=order_id, **more)


def box(quantity: int, sku: str = "MUG") -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": quantity}], "note": "a box"}


def test_an_order_is_sent_and_received_in_two_boxes(office: Office) -> None:
    order_id = drafted(office)
    sent = step(office, "send", order_id, match='"1"')
    assert (sent.status, sent.body["status"], sent.body["label"][:3]) == (200, "sent", "PO-")
    inventory = Office.of("admin_inventory")
    incoming = {"location": "main", "quantity": 10, "expected_on": "2026-12-24"}
    assert inventory.send("GET /admin/stock/{sku}", sku="MUG").body["incoming"] == [incoming]

    first = office.send(DELIVERIES, box(6), group="warehouse", id=order_id)
    [line] = first.body["lines"]
    assert (first.status, first.body["status"], line["outstanding"]) == (201, "partly_received", 4)
    last = office.send(DELIVERIES, box(4), group="warehouse", id=order_id)

    assert (last.body["status"], len(last.body["deliveries"])) == ("received", 2)
    shown = inventory.send("GET /admin/stock/{sku}", sku="MUG").body
    assert (shown["incoming"], shown["locations"][0]["on_hand"]) == ([], 10)
    ledger = inventory.send("GET /admin/stock/{sku}/movements", sku="MUG").body["movements"]
    assert {(one["kind"], one["reference"], one["actor"]) for one in ledger} == {("received", order_id, "warehouse-1")}


def test_a_delivery_sent_again_with_its_key_comes_once(office: Office) -> None:
    order_id = drafted(office)
    step(office, "send", order_id)

    answers = {office.send(DELIVERIES, box(6), key="box-1", id=order_id).text for _ in range(3)}

    assert len(answers) == 1
    assert wiring.inventory().stock("MUG", "main").on_hand == 6


def test_more_than_was_ordered_is_refused_with_what_is_still_to_come(office: Office) -> None:
    order_id = drafted(office)
    step(office, "send", order_id)

    refused = office.send(DELIVERIES, box(11), id=order_id)

    assert (refused.status, refused.faults) == (409, ["$.lines[0].quantity"])
    assert "10 units of MUG are still to come" in refused.body["detail"]


def test_a_draft_and_a_supplier_are_replaced_under_their_version(office: Office) -> None:
    supplier, order_id = a_supplier(office), drafted(office)
    changed = {"name": "Slow Pottery Ltd", "currency": "EUR"}
    replace = "PUT /admin/suppliers/{id}"

    assert office.send(replace, changed, id=supplier.body["id"]).status == 428
    assert office.send(replace, changed, match='"2"', id=supplier.body["id"]).status == 412
    assert office.send(replace, changed, match=supplier.etag, id=supplier.body["id"]).etag == '"2"'
    again = office.send(
        "PUT /admin/purchase-orders/{id}",
        content(supplier.body["id"], expected_on="2027-01-10"),
        match='"1"',
        id=order_id,
    )
    assert (again.etag, again.body["expected_on"]) == ('"2"', "2027-01-10")
    assert office.send("GET /admin/purchase-orders/{id}", id=order_id).text == again.text


def test_a_draft_that_was_read_is_changed_and_sent_back_whole(office: Office) -> None:
    order_id = drafted(office)
    read = office.send("GET /admin/purchase-orders/{id}", id=order_id)
    line = {**read.body["lines"][0], "quantity": 7}

    changed = office.send(
        "PUT /admin/purchase-orders/{id}", {**read.body, "lines": [line]}, match=read.etag, id=order_id
    )

    assert (changed.status, changed.body["lines"]) == (200, [{**line, "outstanding": 7}])


def test_the_day_moves_and_the_rest_is_closed(office: Office) -> None:
    order_id = drafted(office)
    step(office, "send", order_id)
    moved = step(office, "expected", order_id, {"expected_on": "2027-01-10"}, group="warehouse")
    assert moved.body["expected_on"] == "2027-01-10"
    office.send(DELIVERIES, box(6), id=order_id)

    assert step(office, "cancel", order_id).status == 409
    assert step(office, "close", order_id).body["status"] == "closed"


def test_lists_are_by_status_and_in_pages(office: Office) -> None:
    kept, sent = drafted(office), drafted(office)
    step(office, "send", sent)

    for status, found in (("draft", kept), ("sent", sent)):
        listed = office.send("GET /admin/purchase-orders", query={"status": status}).body["purchase_orders"]
        assert [order["id"] for order in listed] == [found]
    first = office.send("GET /admin/suppliers", query={"limit": "1"}).body
    rest = office.send("GET /admin/suppliers", query={"limit": "1", "cursor": first["cursor"]}).body
    assert len({one["id"] for one in (*first["suppliers"], *rest["suppliers"])}) == 2
    assert office.send("GET /admin/suppliers", query={"status": "archived"}).body["suppliers"] == []


def test_an_archived_supplier_gets_no_orders(office: Office) -> None:
    supplier_id = a_supplier(office).body["id"]
    archived = office.send("POST /admin/suppliers/{id}/archive", {}, id=supplier_id)

    refused = office.send(ORDERS, content(supplier_id))

    assert archived.body["status"] == "archived"
    assert (refused.status, refused.faults) == (409, ["$.supplier_id"])


LINE = {"sku": "MUG", "quantity": 10, "unit_cost": 700}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"location": "the moon"}, "$.location"),
        ({"expected_on": "24.12.2026"}, "$.expected_on"),
        ({"expected_on": "2026-02-30"}, "$.expected_on"),
        ({"lines": []}, "$.lines"),
        ({"lines": [LINE, LINE]}, "$.lines[1].sku"),
        ({"lines": [LINE] * 91}, "$.lines"),
        ({"lines": [{**LINE, "quantity": 0}]}, "$.lines[0].quantity"),
        ({"lines": [{**LINE, "unit_cost": 7.5}]}, "$.lines[0].unit_cost"),
        ({"lines": [{**LINE, "unit_cost": -1}]}, "$.lines[0].unit_cost"),
    ],
)
def test_an_order_that_cannot_be_names_its_field(office: Office, changes: dict[str, Any], path: str) -> None:
    refused = office.send(ORDERS, content(a_supplier(office).body["id"], **changes))

    assert (refused.status, refused.faults) == (400, [path])


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"name": ""}, "$.name"), ({"currency": "euro"}, "$.currency"), ({"email": "nowhere"}, "$.email")],
)
def test_a_supplier_that_cannot_be_names_its_field(office: Office, changes: dict[str, Any], path: str) -> None:
    refused = a_supplier(office, **changes)

    assert (refused.status, refused.faults) == (400, [path])


def test_the_warehouse_takes_in_and_does_not_buy(office: Office) -> None:
    order_id = drafted(office)

    assert step(office, "send", order_id, group="warehouse").status == 403
    assert office.send(SUPPLIERS, {"name": "X", "currency": "EUR"}, group="warehouse").status == 403
    assert office.send("GET /admin/purchase-orders/{id}", group="support", id=order_id).status == 403
