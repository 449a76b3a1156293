"""What the release before wrote, this one reads and brings to its end: orders on their way and their executions, what
staff have in hand, stock, events.

`releases/<day>/` holds what the release of that day left, in the middle of what made-up people do (decision 73). What
this release leaves at the same place is kept as build/release: the next folder, once this release has gone out (`make
release-data`).
"""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.back_office import ORDERS, POLICY, POOL, PRODUCTS, SUPPLIERS, TABLE, TRANSFERS, content, purchase
from builders.catalog import function
from builders.checkout import NOW
from builders.executions import BUS
from builders.letters import HEARD_OF, Post, templates
from builders.pricing import settings
from builders.releases import PLACES, Release, Stage, in_the_middle
from builders.rights import Handler, role_of
from commerce import clock
from commerce.adapters import wiring
from commerce.adapters.relay import Leftovers
from commerce.analytics.model import COLUMNS
from commerce.events import DeliveryOverdue, parse
from commerce.orders.service import cancel_order
from commerce.settings import Location

RELEASES = Path(__file__).parent / "releases"
BUILD = Path(__file__).parents[2] / "build" / "release"
KEPT = sorted(folder.name for folder in RELEASES.iterdir())
on_what_was_kept = pytest.mark.parametrize("stage", KEPT, indirect=True)
on_what_others_wrote = pytest.mark.parametrize("stage", [*KEPT, "the release after"], indirect=True)

WAITS = {"AwaitPayment", "AwaitWarehouse", "AwaitDelivery"}


@pytest.fixture
def an_empty_stage(
    function_of_the_shop: None, dynamodb: Any, tables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Stage]:
    """Makes stages on this test's tables. The workflow's tasks are today's handlers, in their roles."""
    two = settings(locations=tuple(Location(id=place) for place in PLACES))
    monkeypatch.setenv("SETTINGS", two.model_dump_json())
    monkeypatch.setattr(clock, "now", lambda: NOW)

    @functools.cache
    def load(name: str) -> Handler:
        handler: Handler = function(name).handler
        return handler

    def make() -> Stage:
        stage = Stage(dynamodb, tables, load)
        monkeypatch.setattr(wiring, "payment_gateway", lambda: stage.shop.gateway)
        monkeypatch.setattr(wiring, "carrier", lambda: stage.carrier)
        return stage

    return make


@pytest.fixture
def this_release(an_empty_stage: Callable[[], Stage], made: list[Release]) -> Release:
    """What this one leaves; played once for all tests."""
    if not made:
        stage = an_empty_stage()
        in_the_middle(stage)
        made.append(stage.left())
    return made[0]


@pytest.fixture(scope="module")
def made() -> list[Release]:
    """What was played before."""
    return []


@pytest.fixture(params=["this release", *KEPT, "the release after"])
def stage(request: pytest.FixtureRequest, an_empty_stage: Callable[[], Stage]) -> Stage:
    """The shop, on what a release left."""
    if request.param == "this release":
        release = request.getfixturevalue("this_release")
    elif request.param == "the release after":
        release = Release.read(RELEASES / KEPT[-1]).with_a_field_more()
    else:
        release = Release.read(RELEASES / request.param)
    stage = an_empty_stage()
    stage.load(release)
    return stage


def test_every_order_on_its_way_is_brought_to_its_end_and_the_books_agree(stage: Stage) -> None:
    shop, running = stage.shop, stage.workflows.executions
    orders = [order.id for order in stage.orders()]
    assert {running[order].visited[0] for order in orders} == {*WAITS, "ShipOrder"}

    ended = [stage.brings_to_its_end(order_id) for order_id in orders]

    assert [(order.status, order.settled) for order in ended] == [("delivered", True)] * len(orders)
    assert {execution.status for execution in running.values()} == {"SUCCEEDED"}
    assert all(shop.payment_types(order)[-2:] == ["authorized", "captured"] for order in ended)
    assert {held.status for order in orders for held in shop.inventory.reservations(order)} == {"shipped"}
    assert shop.ledger_balances("SHIRT-M") and shop.ledger_balances("MUG")
    assert all(shop.orders.get(order).buyer.email == "ada@example.com" for order in orders)


def test_a_checkout_is_completed(stage: Stage) -> None:
    completed = stage.shop.complete(stage.shop.checkouts.get("chk_open", NOW))

    assert completed.status == "completed" and completed.order_id
    assert stage.brings_to_its_end(completed.order_id).settled


@on_what_was_kept
def test_an_execution_is_not_started_anew(stage: Stage) -> None:
    """The buyer's client sends the completion again, and the order that it made is found."""
    before = dict(stage.workflows.executions)

    for order in stage.orders():
        stage.workflow.start(order.id)

    assert stage.workflows.executions == before


@on_what_was_kept
@pytest.mark.parametrize("name", ["pending", "confirmed"])
def test_an_order_that_the_buyer_cancels_is_compensated(stage: Stage, name: str) -> None:
    order = stage.order(name)

    with role_of("orders"):
        cancel_order(stage.shop.stores, stage.workflow, order, reason="buyer_request", actor="buyer", now=NOW)

    compensated(stage, order.id)


@on_what_was_kept
def test_a_payment_that_is_declined_is_compensated(stage: Stage) -> None:
    order = stage.order("pending")

    stage.is_declined(order)

    compensated(stage, order.id)


@on_what_was_kept
def test_a_payment_that_does_not_come_is_compensated(stage: Stage) -> None:
    order = stage.order("pending")

    stage.workflows.times_out(order.id)

    compensated(stage, order.id)


@on_what_was_kept
def test_a_payment_that_nobody_told_of_counts_when_the_hold_ends(stage: Stage) -> None:
    order = stage.order("pending")
    stage.shop.gateway.intents[str(order.payment_intent)].outcome = "authorized"

    stage.workflows.times_out(order.id)

    assert stage.workflows.executions[order.id].state == "AwaitWarehouse"
    assert stage.brings_to_its_end(order.id).settled


@on_what_was_kept
def test_a_capture_that_fails_is_compensated(stage: Stage) -> None:
    order = stage.order("confirmed")
    stage.shop.gateway.intents[str(order.payment_intent)].outcome = "voided"

    stage.prepares(order)

    compensated(stage, order.id)


@on_what_was_kept
def test_an_order_whose_parcels_are_lost_is_compensated(stage: Stage) -> None:
    order = stage.order("shipped")

    stage.loses(order)

    execution = stage.workflows.executions[order.id]
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "Compensated")
    assert stage.shop.gateway.intents[str(order.payment_intent)].refunded == order.total


@on_what_was_kept
def test_a_warehouse_that_takes_longer_than_a_day_is_waited_for_on(stage: Stage) -> None:
    order = stage.order("confirmed")

    stage.workflows.times_out(order.id)

    assert stage.workflows.executions[order.id].state == "AwaitWarehouse"
    assert stage.brings_to_its_end(order.id).settled


@on_what_was_kept
def test_a_carrier_that_is_late_is_told_of_and_waited_for_on(stage: Stage) -> None:
    order = stage.order("shipped")

    stage.workflows.times_out(order.id)

    [told] = stage.workflows.published
    assert isinstance(parse(told), DeliveryOverdue)
    assert (told["subject"], told["total"]) == (order.id, order.total)
    assert stage.brings_to_its_end(order.id).settled


@on_what_was_kept
def test_a_parcel_that_arrives_while_nobody_waits_for_it_has_arrived(stage: Stage) -> None:
    order = stage.order("shipped")
    stage.workflows.down.add(BUS)
    stage.workflows.times_out(order.id)
    stage.delivers(order)

    stage.workflows.up_again()

    assert stage.workflows.executions[order.id].status == "SUCCEEDED"
    assert stage.shop.orders.get(order.id).settled


def compensated(stage: Stage, order_id: str) -> None:
    """The order is canceled: its execution has come to its end, nothing is held, nothing is owed."""
    shop, order, execution = stage.shop, stage.shop.orders.get(order_id), stage.workflows.executions[order_id]
    assert (order.status, execution.status, execution.visited[-1]) == ("canceled", "SUCCEEDED", "Compensated")
    assert {held.status for held in shop.inventory.reservations(order_id)} == {"released"}
    assert shop.gateway.intents[str(order.payment_intent)].outcome in ("voided", "declined")
    assert shop.ledger_balances("SHIRT-M") and shop.ledger_balances("MUG")


@on_what_others_wrote
def test_products_are_listed_changed_and_published(stage: Stage) -> None:
    office = stage.office
    vase, plate = office.product("Vase"), office.product("Plate")
    assert (vase["status"], plate["status"], plate["variants"]) == ("draft", "archived", 2)

    read = office.asks("admin_catalog", f"GET {PRODUCTS}/{{id}}", id=vase["product_id"])
    changed = content("Tall vase", "VASE")
    office.does("admin_catalog", f"PUT {PRODUCTS}/{{id}}", changed, match=read.etag, id=vase["product_id"])
    read = office.asks("admin_catalog", f"GET {PRODUCTS}/{{id}}", id=plate["product_id"])
    office.does("admin_catalog", f"POST {PRODUCTS}/{{id}}/publish", {}, match=read.etag, id=plate["product_id"])
    office.sees_written(vase["product_id"], plate["product_id"])

    listed = office.asks("catalog", "GET /products", query={"category": "kitchen"}).body["products"]
    assert {one["title"] for one in listed} == {"Bowl", "Tall vase", "Plate"}
    shown = office.asks("catalog", "GET /products/{handle}", handle="plate").body
    assert [one["sku"] for one in shown["variants"]] == ["PLATE-S", "PLATE-L"]
    history = office.asks("admin_catalog", f"GET {PRODUCTS}/{{id}}/audit", id=vase["product_id"]).body["entries"]
    assert {entry["action"] for entry in history} == {"product.changed", "product.created"}


@on_what_others_wrote
def test_purchase_orders_are_received_closed_and_canceled(stage: Stage) -> None:
    office = stage.office
    statuses = ("draft", "sent", "partly_received", "received", "closed", "canceled")
    [draft], [sent], [partly], _, _, _ = (office.purchase_orders(status) for status in statuses)

    read = office.asks("admin_purchasing", f"GET {ORDERS}/{{id}}", id=draft["id"])
    changed = purchase(read.body["supplier_id"], expected_on="2027-01-10")
    office.does("admin_purchasing", f"PUT {ORDERS}/{{id}}", changed, match=read.etag, id=draft["id"])
    office.purchase("send", draft["id"])
    office.purchase("deliveries", draft["id"], {"lines": [{"sku": "VASE", "quantity": 10}]})
    office.purchase("cancel", sent["id"])
    office.purchase("deliveries", partly["id"], {"lines": [{"sku": "VASE", "quantity": 4}]})

    assert {one["id"] for one in office.purchase_orders("received")} >= {draft["id"], partly["id"]}
    assert sent["id"] in {one["id"] for one in office.purchase_orders("canceled")}
    [at_main] = {units for place, units, _ in office.stock("VASE") if place == "main"}
    assert at_main == 20 + 3 * 6 + 4 + 14
    assert office.asks("admin_inventory", "GET /admin/stock/{sku}", sku="VASE").body["incoming"] == []
    assert stage.shop.ledger_balances("VASE")


@on_what_others_wrote
def test_suppliers_are_changed_and_ordered_from(stage: Stage) -> None:
    office = stage.office
    found = office.asks("admin_purchasing", f"GET {SUPPLIERS}", query={"status": "active"}).body["suppliers"]
    [supplier] = found
    assert len(office.asks("admin_purchasing", f"GET {SUPPLIERS}", query={"status": "archived"}).body["suppliers"]) == 1

    read = office.asks("admin_purchasing", f"GET {SUPPLIERS}/{{id}}", id=supplier["id"])
    renamed = {"name": "Quick Pottery", "currency": "EUR"}
    office.does("admin_purchasing", f"PUT {SUPPLIERS}/{{id}}", renamed, match=read.etag, id=supplier["id"])

    made = office.does("admin_purchasing", f"POST {ORDERS}", purchase(supplier["id"]))
    assert made["status"] == "draft"


@on_what_others_wrote
def test_stock_counts_are_finished_and_posted(stage: Stage) -> None:
    office = stage.office
    statuses = ("open", "approved", "posted", "canceled")
    [begun], [approved], [posted], _ = (office.counts(status) for status in statuses)

    office.count("entries", begun["id"], {"entries": [{"sku": "VASE", "counted": 2}]})
    office.count("approve", begun["id"])
    office.count("post", begun["id"])
    office.count("post", approved["id"])

    assert {one["id"] for one in office.counts("posted")} == {begun["id"], approved["id"], posted["id"]}
    assert ("annex", 2, 2) in office.stock("VASE")
    assert stage.shop.ledger_balances("VASE") and stage.shop.ledger_balances("BOWL")


@on_what_others_wrote
def test_goods_are_transferred_out_of_pools_and_sold_by_their_policy(stage: Stage) -> None:
    office = stage.office
    moved = {"quantity": 3, "origin": "main", "destination": "annex", "reason": "for the shop window"}

    for sku in ("BOWL", "PLATE-S"):
        office.does("admin_inventory", f"POST {TRANSFERS}", moved, sku=sku)
    assert ("main", 37, 37) in office.stock("PLATE-S")
    office.does("admin_inventory", f"DELETE {POOL}", sku="PLATE-S")
    policy = office.asks("admin_inventory", f"GET {POLICY}", sku="BOWL")
    assert (policy.body["mode"], policy.body["cap"]) == ("backorder", 20)
    office.does("admin_inventory", f"PUT {POLICY}", {"mode": "deny"}, match=policy.etag, sku="BOWL")

    assert ("main", 37, 37) in office.stock("PLATE-S")
    assert stage.shop.ledger_balances("PLATE-S") and stage.shop.ledger_balances("BOWL")


@on_what_others_wrote
def test_a_stock_table_adjusts_nothing_the_second_time(stage: Stage) -> None:
    before = stage.office.stock("BOWL")

    done = stage.office.does("admin_inventory", "POST /admin/stock-adjustments", TABLE, content_type="text/csv")

    assert [row["outcome"] for row in done["rows"]] == ["done_before"] * 3
    assert stage.office.stock("BOWL") == before


@pytest.mark.parametrize("day", KEPT)
def test_what_is_sent_again_with_its_key_gets_the_same_bytes(an_empty_stage: Callable[[], Stage], day: str) -> None:
    stage, release = an_empty_stage(), Release.read(RELEASES / day)
    stage.load(release)

    answers = [stage.office.asks(**said["sent"]).text for said in release.answers]

    assert answers == [said["text"] for said in release.answers]


@on_what_others_wrote
def test_every_event_in_the_outbox_is_published(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_BUS", BUS)
    monkeypatch.setenv("RELAY_FAILURES_QUEUE_URL", "parked")
    relayer, bus = function("relay_outbox"), Bus()
    monkeypatch.setattr(relayer, "relay", replace(relayer.relay, events=bus))
    items = stage.left().tables["OUTBOX_TABLE"]
    assert len({item["detail_type"]["S"] for item in items}) > 5

    records = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": item}}
        for number, item in enumerate(items)
    ]
    assert relayer.handler({"Records": records}, None) == {"batchItemFailures": []}

    assert [entry["Detail"] for entry in bus.entries] == [item["detail"]["S"] for item in items]
    waiting = Leftovers(bus, wiring.table("OUTBOX_TABLE"), BUS).unpublished(before=NOW, limit=100)
    assert list(waiting) == []


@pytest.mark.parametrize("more", [{}, {"season": "winter"}], ids=["as it is", "with a field more"])
@pytest.mark.parametrize("day", KEPT)
def test_every_type_of_event_is_taken_by_its_consumers(
    an_empty_stage: Callable[[], Stage], monkeypatch: pytest.MonkeyPatch, day: str, more: dict[str, str]
) -> None:
    monkeypatch.setenv("ANALYTICS_STREAM", "analytics")
    stage, release = an_empty_stage(), Release.read(RELEASES / day)
    stage.load(release)
    mailer, exporter, post, rows = function("send_email"), function("export_analytics"), Post(), Rows()
    monkeypatch.setattr(mailer, "mailer", post)
    monkeypatch.setattr(mailer, "render", templates())
    monkeypatch.setattr(exporter, "stream", rows)
    subjects = {kind.type: stage.order("shipped").id for kind in HEARD_OF}
    subjects["payment.action_required"] = stage.order("pending").id
    details = [
        {**detail, "subject": subjects.get(detail["type"], detail["subject"]), **more} for detail in release.events
    ]
    batch = {"Records": [{"messageId": detail["type"], "body": json.dumps({"detail": detail})} for detail in details]}

    assert mailer.handler(batch, None) == {"batchItemFailures": []}
    assert exporter.handler(batch, None) == {"batchItemFailures": []}

    assert len(post.sent) == len(HEARD_OF)
    assert rows.taken == [
        {name: value for name, value in detail.items() if value is not None and name not in more} for detail in details
    ]
    assert {name for row in rows.taken for name in row} <= {name for name, _ in COLUMNS}


class Bus:
    """EventBridge, which takes everything."""

    def __init__(self) -> None:
        self.entries: list[dict[str, str]] = []

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{} for _ in Entries]}


class Rows:
    """The analytics stream, which takes everything."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def put(self, rows: Sequence[str]) -> list[int]:
        self.taken += map(json.loads, rows)
        return []


def test_what_this_release_leaves_is_left_for_the_next(this_release: Release) -> None:
    this_release.write(BUILD)

    assert Release.read(BUILD) == this_release
    assert {execution["state"] for execution in this_release.executions} == {*WAITS, "ShipOrder"}
