"""The function for staff as API Gateway calls it, on a real data engine: from the list to the shelf and back again."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from builders.catalog import function
from builders.fulfilment import NOW, Bank, Boundaries, FakeCarrier, Signals, line, order
from builders.office import Answer, Office
from builders.pricing import settings
from commerce.adapters import wiring
from commerce.clock import iso
from commerce.errors import Contended
from commerce.fulfilment.settlement import settle
from commerce.fulfilment.shipping import ship
from commerce.inventory.service import set_stock
from commerce.orders.model import Allocation, Order
from commerce.orders.service import parts_of
from commerce.payments.model import payment_event
from commerce.settings import Location


@dataclass
class Warehouse(Office):
    """The function, and orders for it to work on."""

    signals: Signals = field(default_factory=Signals)

    def step(self, name: str, order_id: str, body: Any = None, **more: Any) -> Answer:
        return self.send(f"POST /admin/orders/{{id}}/{name}", body or {}, id=order_id, **more)

    def paid_order(self, *, on_hand: int = 5, age: timedelta = timedelta(), split: bool = False) -> Order:
        """An order for two units of a SKU of its own, of which `on_hand` units lay on the shelf.

        Where it is `split`, one of them lies in the annex.
        """
        order_id = f"order_{uuid4().hex}"
        sku = f"SKU-{order_id}"
        stock = {"audit": wiring.audit(), "reason": "counted", "actor": "test", "now": NOW}
        set_stock(wiring.inventory(), sku=sku, available=on_hand, **stock)
        ordered = line(sku=sku)
        if split:
            set_stock(wiring.inventory(), sku=sku, available=1, location="annex", **stock)
            places = tuple(Allocation(location=location, quantity=1) for location in ("main", "annex"))
            ordered = line(sku=sku, allocations=places)
        placed = order(
            "pending_payment",
            id=order_id,
            lines=(ordered,),
            placed_at=iso(NOW - age),
            task_token=None,
            task_state=None,
        )
        held = wiring.inventory().reserve_actions(order_id, parts_of(placed), deadline=NOW, now=NOW)
        wiring.orders(personal=True).place(placed, actions=held)
        payment = payment_event("authorized", "pi_1", placed.total, "USD", NOW)
        actions = wiring.payments().append_actions(order_id, [payment])
        confirmed = wiring.orders(personal=True).change(placed, to="confirmed", actions=actions)
        wiring.table("ORDERS_TABLE").update(f"ORDER#{order_id}", "ORDER", set={"task_token": f"token of {order_id}"})
        return confirmed

    def handed_over(self) -> Order:
        ordered = self.paid_order()
        self.step("pick", ordered.id, count(ordered, 2))
        self.step("pack", ordered.id, {"weight_grams": 900})
        self.step("ship", ordered.id)
        return wiring.orders(personal=True).get(ordered.id)

    def delivered(self) -> Order:
        shipped = ship_it(self.handed_over().id, FakeCarrier(Boundaries()), Bank(Boundaries()))
        return wiring.orders(personal=True).change(shipped, to="delivered")


def count(ordered: Order, quantity: int) -> dict[str, Any]:
    return {"lines": [{"line_id": ordered.lines[0].id, "quantity": quantity}]}


def stock_of(ordered: Order) -> tuple[int, int]:
    """(free, promised) units of the order's SKU."""
    stock = wiring.inventory().stock(ordered.lines[0].sku, "main")
    return stock.available, stock.reserved


def ship_it(order_id: str, carrier: FakeCarrier, bank: Bank) -> Order:
    return ship(wiring.personal_stores(), wiring.inventory(), carrier, bank, order_id=order_id, now=NOW)


def audited(ordered: Order) -> list[tuple[str, str]]:
    entries = wiring.table("AUDIT_TABLE").query(f"order#{ordered.id}", consistent=True)
    return [(entry["actor"], entry["action"]) for entry in entries]


@pytest.fixture
def office(function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    signals = Signals()
    places = tuple(Location(id=location) for location in ("main", "annex"))
    monkeypatch.setenv("SETTINGS", settings(locations=places).model_dump_json())
    monkeypatch.setattr(wiring, "workflow", lambda: signals)
    return Warehouse(function("admin_orders").handler, signals=signals)


def test_an_order_goes_through_the_warehouse_and_every_step_is_audited(office: Warehouse) -> None:
    ordered = office.paid_order()

    assert office.step("pick", ordered.id, count(ordered, 2)).body["status"] == "picked"
    assert office.step("pack", ordered.id, {"weight_grams": 900}).body["shipments"][0]["weight_grams"] == 900
    assert office.step("ship", ordered.id).body["status"] == "ready_to_ship"

    steps = [f"parcel.{step}" for step in ("packed", "picked", "ready_to_ship")]
    assert sorted(audited(ordered)) == [("warehouse-1", step) for step in steps]
    assert (f"token of {ordered.id}", "go on") in office.signals.told


def test_each_place_works_on_its_own_parcel_and_has_a_list_of_its_own(office: Warehouse) -> None:
    ordered = office.paid_order(split=True)
    main, annex = ({"location": location} for location in ("main", "annex"))

    refused = office.step("pick", ordered.id, count(ordered, 1))
    assert (refused.status, refused.faults) == (400, ["$.location"])

    picked = office.step("pick", ordered.id, {**count(ordered, 1), **annex}).body
    assert picked["status"] == "confirmed"
    assert [one["status"] for one in picked["shipments"]] == ["pending", "picked"]

    def to_pick(location: str) -> list[str]:
        listed = office.send("GET /admin/orders", query={"location": location}).body["orders"]
        return [one["id"] for one in listed]

    assert ordered.id in to_pick("main")
    assert ordered.id not in to_pick("annex")

    office.step("pack", ordered.id, {"weight_grams": 300, **annex})
    office.step("ship", ordered.id, annex)
    assert office.step("pick", ordered.id, {**count(ordered, 1), **main}).body["status"] == "picked"
    office.step("pack", ordered.id, {"weight_grams": 400, **main})
    assert office.step("ship", ordered.id, main).body["status"] == "ready_to_ship"

    ship_it(ordered.id, FakeCarrier(Boundaries()), Bank(Boundaries()))
    assert office.step("parcel", ordered.id, {"status": "lost", **annex}, group="support").body["status"] == "shipped"
    ended = office.step("parcel", ordered.id, {"status": "delivered", **main}, group="support")
    assert ended.body["status"] == "delivered"


def test_a_shipped_order_has_left_the_stock_and_its_story_tells_everything(office: Warehouse) -> None:
    ordered = office.handed_over()

    ship_it(ordered.id, FakeCarrier(Boundaries()), Bank(Boundaries()))

    assert stock_of(ordered) == (3, 0)
    told = office.send("GET /admin/orders/{id}", group="support", id=ordered.id)
    assert told.body["order"]["status"] == "shipped"
    assert [payment["type"] for payment in told.body["payments"]] == ["authorized", "captured"]
    assert told.body["balance"]["captured"] == ordered.total
    assert [reservation["status"] for reservation in told.body["reservations"]] == ["shipped"]
    assert told.headers["etag"] == f'"{told.body["order"]["version"]}"'
    assert "token of" not in told.text


def test_twenty_runs_of_the_shipping_task_at_once_ship_once(office: Warehouse) -> None:
    ordered = office.handed_over()
    carrier, bank = FakeCarrier(Boundaries()), Bank(Boundaries())

    def run(_: int) -> str:
        """Losing every race is an answer too: the workflow tries again."""
        try:
            return ship_it(ordered.id, carrier, bank).status
        except Contended:
            return "again"

    with ThreadPoolExecutor(20) as pool:
        outcomes = set(pool.map(run, range(20)))

    assert outcomes <= {"shipped", "again"}
    assert ship_it(ordered.id, carrier, bank).status == "shipped"
    assert bank.taken == {f"{ordered.id}:capture": ordered.total}
    assert stock_of(ordered) == (3, 0)
    assert [event.type for event in wiring.payments().of(ordered.id)] == ["authorized", "captured"]


def test_a_short_pick_cancels_and_the_missing_unit_is_no_longer_sold(office: Warehouse) -> None:
    ordered = office.paid_order()

    short = office.step("pick", ordered.id, count(ordered, 1))

    assert (short.body["status"], short.body["cancel_reason"]) == ("canceled", "short_pick")
    assert stock_of(ordered) == (4, 0)
    assert (f"token of {ordered.id}", "ShortPick") in office.signals.told


def test_money_that_cannot_be_taken_frees_the_stock(office: Warehouse) -> None:
    ordered = office.handed_over()
    carrier, bank = FakeCarrier(Boundaries()), Bank(Boundaries(), outcome="failed")

    assert ship_it(ordered.id, carrier, bank).cancel_reason == "capture_failed"
    assert ship_it(ordered.id, carrier, bank).cancel_reason == "capture_failed"

    assert stock_of(ordered) == (5, 0)
    assert carrier.given_back == {"shp_1"}


def test_support_cancels_and_the_warehouse_may_not(office: Warehouse) -> None:
    ordered = office.paid_order()

    assert office.step("cancel", ordered.id, {"reason": "fraud"}).status == 403
    canceled = office.step("cancel", ordered.id, {"reason": "fraud"}, group="support")

    assert (canceled.body["status"], canceled.body["cancel_reason"]) == ("canceled", "fraud")
    assert stock_of(ordered) == (5, 0)


def test_goods_that_come_back_are_on_the_shelf_and_never_more_than_were_sent(office: Warehouse) -> None:
    ordered = office.delivered()
    back = {"lines": [{"line_id": ordered.lines[0].id, "quantity": 2, "restock": True}]}

    assert office.step("returns", ordered.id, back).body["lines"][0]["returned"] == 2
    assert stock_of(ordered) == (5, 0)

    again = office.step("returns", ordered.id, back)
    assert (again.status, again.faults) == (400, ["$.lines[0].quantity"])
    assert stock_of(ordered) == (5, 0)
    assert ("warehouse-1", "goods.returned") in audited(ordered)


def test_support_ends_the_journey_of_a_parcel_that_the_carrier_is_silent_about(office: Warehouse) -> None:
    ordered = ship_it(office.handed_over().id, FakeCarrier(Boundaries()), Bank(Boundaries()))

    assert office.step("parcel", ordered.id, {"status": "lost"}).status == 403
    assert office.step("parcel", ordered.id, {"status": "shipped"}, group="support").faults == ["$.status"]
    assert office.step("parcel", ordered.id, {"status": "lost"}, group="support").body["status"] == "lost"

    assert ("support-1", "parcel.lost") in audited(ordered)
    assert office.signals.told[-1][1] == "ParcelLost"


def test_a_delivered_order_is_settled(office: Warehouse) -> None:
    ordered = office.delivered()

    assert settle(wiring.books(), wiring.payment_gateway, order_id=ordered.id, now=NOW).settled


def test_a_repeated_request_gets_the_same_bytes(office: Warehouse) -> None:
    ordered = office.paid_order()
    key = str(uuid4())

    first = office.step("pick", ordered.id, count(ordered, 2), key=key)
    second = office.step("pick", ordered.id, count(ordered, 2), key=key)

    assert (first.status, first.text) == (second.status, second.text)
    assert office.step("pick", ordered.id, count(ordered, 1), key=key).body["code"] == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"lines": [{"line_id": "line_1", "quantity": -1}]}, "$.lines[0].quantity"),
        ({"lines": [{"line_id": "line_1", "quantity": 1.5}]}, "$.lines[0].quantity"),
        ({"lines": [{"line_id": "line_1", "quantity": 3}]}, "$.lines[0].quantity"),
        ({"lines": [{"line_id": "line_9", "quantity": 1}]}, "$.lines[0].line_id"),
        ({"lines": []}, "$.lines"),
        ({}, "$.lines"),
    ],
)
def test_a_count_that_makes_no_sense_names_the_field_and_changes_nothing(
    office: Warehouse, body: dict[str, Any], path: str
) -> None:
    ordered = office.paid_order()

    refused = office.step("pick", ordered.id, body)

    assert (refused.status, refused.faults) == (400, [path])
    assert refused.headers["content-type"] == "application/problem+json"
    assert wiring.orders(personal=True).get(ordered.id).version == ordered.version


@pytest.mark.parametrize("weight", [0, -5, 70_001, "heavy", None])
def test_a_weight_that_no_parcel_has_is_refused(office: Warehouse, weight: object) -> None:
    ordered = office.paid_order()

    assert office.step("pack", ordered.id, {"weight_grams": weight}).faults == ["$.weight_grams"]


def test_a_step_out_of_turn_says_where_the_order_is(office: Warehouse) -> None:
    ordered = office.paid_order()

    refused = office.step("ship", ordered.id)

    assert refused.status == 409
    assert "confirmed" in refused.body["detail"]


def test_a_step_for_a_version_that_is_gone_is_refused(office: Warehouse) -> None:
    ordered = office.paid_order()
    counted = count(ordered, 2)

    assert office.step("pick", ordered.id, counted, match='"1"').status == 412
    assert office.step("pick", ordered.id, counted, match=f'"{ordered.version}"').status == 200


def test_every_step_wants_an_idempotency_key_a_known_order_and_the_right_group(office: Warehouse) -> None:
    ordered = office.paid_order()
    counted = count(ordered, 2)

    assert office.step("pick", ordered.id, counted, group=None).status == 401
    assert office.step("pick", ordered.id, counted, group="support").status == 403
    assert office.step("pick", ordered.id, counted, group="admin").status == 200
    assert office.step("pick", "order_unknown", counted).status == 404
    assert office.send("GET /admin/orders/{id}", group="catalogue", id=ordered.id).status == 403
    assert office.step("ship", ordered.id, key=None).status == 400


def test_the_list_pages_through_every_order_once_the_oldest_first(office: Warehouse) -> None:
    ages = (5, 4, 4, 3, 2)
    waiting = [office.paid_order(age=timedelta(hours=age)).id for age in ages]

    seen: list[dict[str, Any]] = []
    query = {"limit": "2", "status": "confirmed"}
    while True:
        page = office.send("GET /admin/orders", query=query).body
        seen += page["orders"]
        if "cursor" not in page:
            break
        query["cursor"] = page["cursor"]

    ids = [one["id"] for one in seen]
    assert (ids[0], set(ids[1:3]), ids[3:]) == (waiting[0], set(waiting[1:3]), waiting[3:])
    assert [one["placed_at"] for one in seen] == sorted(one["placed_at"] for one in seen)
    assert "ada@example.com" not in json.dumps(seen)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"status": "sold"}, "$.status"),
        ({"limit": "0"}, "$.limit"),
        ({"limit": "101"}, "$.limit"),
        ({"limit": "-1"}, "$.limit"),
        ({"limit": "ten"}, "$.limit"),
        ({"cursor": "made.up"}, "$.cursor"),
    ],
)
def test_a_question_that_makes_no_sense_names_the_parameter(
    office: Warehouse, query: dict[str, str], path: str
) -> None:
    refused = office.send("GET /admin/orders", query=query)

    assert (refused.status, refused.faults) == (400, [path])


def test_a_cursor_of_another_list_is_refused(office: Warehouse) -> None:
    for age in (1, 2):
        office.paid_order(age=timedelta(hours=age))
    cursor = office.send("GET /admin/orders", query={"limit": "1"}).body["cursor"]

    refused = office.send("GET /admin/orders", query={"limit": "1", "status": "picked", "cursor": cursor})

    assert refused.faults == ["$.cursor"]
