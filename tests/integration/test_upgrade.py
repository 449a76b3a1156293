"""What the release before wrote, this one reads and brings to its end: carts and checkouts, orders on their way and
their executions, money and goods on their way back, what staff have in hand, stock, events.

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
from builders.orders import DECLINED
from builders.pricing import settings
from builders.releases import PLACES, REFUNDS, RETURNS, TEN_BACK, UNHEARD, Release, Stage, in_the_middle
from builders.rights import Handler, role_of
from builders.storefront import CARTS, CHECKOUTS
from commerce import clock
from commerce.adapters import idempotency, wiring
from commerce.adapters.idempotency import IdempotencyStore
from commerce.adapters.relay import Leftovers
from commerce.analytics.model import COLUMNS
from commerce.events import BY_TYPE, DeliveryOverdue, parse
from commerce.orders.service import cancel_order
from commerce.payments.model import balance
from commerce.settings import Location

RELEASES = Path(__file__).parent / "releases"
BUILD = Path(__file__).parents[2] / "build" / "release"
KEPT = sorted(folder.name for folder in RELEASES.iterdir())
on_what_was_kept = pytest.mark.parametrize("stage", KEPT, indirect=True)
on_what_others_wrote = pytest.mark.parametrize("stage", [*KEPT, "the release after"], indirect=True)

STANDS = {
    "pending": "AwaitPayment",
    "confirmed": "AwaitWarehouse",
    "ready": "ShipOrder",
    "shipped": "AwaitDelivery",
    "canceled": "CompensateOrder",
}
"""Where the executions of these orders stood."""


@pytest.fixture
def an_empty_stage(
    function_of_the_shop: None, dynamodb: Any, tables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Stage]:
    """Makes stages on this test's tables. The workflow's tasks are today's handlers, in their roles."""
    two = settings(locations=tuple(Location(id=place) for place in PLACES))
    monkeypatch.setenv("SETTINGS", two.model_dump_json())
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(idempotency, "IdempotencyStore", functools.partial(IdempotencyStore, clock=NOW.timestamp))

    @functools.cache
    def load(name: str) -> Handler:
        handler: Handler = function(name).handler
        return handler

    def make() -> Stage:
        stage = Stage(dynamodb, tables, load)
        monkeypatch.setattr(wiring, "payment_gateway", lambda: stage.provider)
        monkeypatch.setattr(wiring, "workflow", lambda: stage.workflow)
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
    orders = {name: stage.order(name).id for name in STANDS}
    assert {name: running[order].visited[0] for name, order in orders.items()} == STANDS
    compensated(stage, orders.pop("canceled"), "fraud")

    ended = [stage.brings_to_its_end(order_id) for order_id in orders.values()]

    assert [(order.status, order.settled) for order in ended] == [("delivered", True)] * len(orders)
    assert {execution.status for execution in running.values()} == {"SUCCEEDED"}
    assert all(shop.payment_types(order)[-2:] == ["authorized", "captured"] for order in ended)
    assert {held.status for order in ended for held in shop.inventory.reservations(order.id)} == {"shipped"}
    assert shop.ledger_balances("SHIRT-M") and shop.ledger_balances("MUG")
    assert all(shop.orders.get(order.id).buyer.email == "ada@example.com" for order in ended)


def test_a_checkout_is_completed(stage: Stage) -> None:
    completed = stage.shop.complete(stage.shop.checkouts.get("chk_open", NOW))

    assert completed.status == "completed" and completed.order_id
    assert stage.brings_to_its_end(completed.order_id).settled


@on_what_others_wrote
def test_a_cart_is_filled_on_checked_out_and_bought(stage: Stage) -> None:
    storefront = stage.storefront
    cart_id, _ = storefront.began(CARTS)
    shown = storefront.sees(CARTS, cart_id)
    assert [(line["item"]["id"], line["quantity"]) for line in shown["line_items"]] == [("BOWL", 2)]
    assert shown["buyer"]["email"] == "ada@example.com"

    storefront.puts_in(cart_id, ("BOWL", 2), ("CUP", 1))
    checkout_id = storefront.begins(CHECKOUTS, cart_id=cart_id)
    storefront.fills_in(checkout_id, ("BOWL", 2), ("CUP", 1))

    bought(stage, checkout_id, {"BOWL": 2, "CUP": 1})


@on_what_others_wrote
def test_a_checkout_of_a_cart_is_found_again_changed_and_completed(stage: Stage) -> None:
    storefront = stage.storefront
    _, cart_id = storefront.began(CARTS)
    checkout_id, *_ = storefront.began(CHECKOUTS)

    assert storefront.begins(CHECKOUTS, cart_id=cart_id) == checkout_id
    shown = storefront.sees(CHECKOUTS, checkout_id)
    assert (shown["status"], shown["buyer"]["email"]) == ("ready_for_complete", "ada@example.com")
    storefront.fills_in(checkout_id, ("BOWL", 3))

    bought(stage, checkout_id, {"BOWL": 3})


@on_what_others_wrote
def test_a_checkout_without_an_address_is_filled_in_and_completed(stage: Stage) -> None:
    storefront = stage.storefront
    _, checkout_id, _ = storefront.began(CHECKOUTS)
    assert storefront.sees(CHECKOUTS, checkout_id)["status"] == "incomplete"

    storefront.fills_in(checkout_id, ("BOWL", 1))

    bought(stage, checkout_id, {"BOWL": 1})


@on_what_others_wrote
def test_a_buyer_whose_card_was_declined_pays_with_another_one(stage: Stage) -> None:
    *_, checkout_id = stage.storefront.began(CHECKOUTS)
    assert stage.storefront.pays(checkout_id, DECLINED)["status"] == "ready_for_complete"

    bought(stage, checkout_id, {"CUP": 1})


def bought(stage: Stage, checkout_id: str, units: dict[str, int]) -> None:
    """The checkout becomes an order of so many units, which arrives. The books agree."""
    completed = stage.storefront.pays(checkout_id)
    assert completed["status"] == "completed"
    order = stage.brings_to_its_end(completed["order"]["id"])
    assert order.settled and order.buyer.email == "ada@example.com"
    assert {line.sku: line.fulfilled for line in order.lines} == units
    assert balance(stage.shop.payments.of(order.id)).captured == order.total == completed["totals"][-1]["amount"]
    assert all(stage.shop.ledger_balances(sku) for sku in units)
    assert stage.storefront.sees(CHECKOUTS, checkout_id)["order"]["id"] == order.id


@on_what_others_wrote
def test_goods_that_came_back_are_refunded_and_the_rest_comes_back_too(stage: Stage) -> None:
    office, order = stage.office, stage.order("returned")
    [line] = order.lines
    assert (line.fulfilled, line.returned) == (2, 1)
    before = stage.shop.stock().available
    back = {"lines": [{"line_id": line.id, "quantity": 1}]}

    office.does("admin_refunds", f"POST {REFUNDS}", {"amount": 2500, "reason": "Too small"}, id=order.id)
    office.does("admin_orders", f"POST {RETURNS}", back, id=order.id)

    assert office.asks("admin_orders", f"POST {RETURNS}", back, id=order.id).status == 400
    assert stage.provider.intents[str(order.payment_intent)].refunded == 2500
    assert [one.type for one in stage.shop.orders.get(order.id).adjustments] == ["return", "refund", "return"]
    assert stage.shop.stock().available == before + 1
    assert stage.shop.ledger_balances("SHIRT-M")


@on_what_others_wrote
def test_a_refund_on_its_way_goes_through_and_counts_meanwhile(stage: Stage) -> None:
    order, rest = stage.order("refunding"), stage.order("refunding").total - TEN_BACK["amount"]
    too_much = {"amount": rest + 1, "reason": "All of it"}
    assert balance(stage.shop.payments.of(order.id)).refund_pending == TEN_BACK["amount"]
    assert stage.office.asks("admin_refunds", f"POST {REFUNDS}", too_much, id=order.id).status == 409

    for _ in range(2):
        stage.refunds(order, TEN_BACK["amount"])

    sums = balance(stage.shop.payments.of(order.id))
    assert (sums.refunded, sums.refund_pending, sums.refundable) == (TEN_BACK["amount"], 0, rest)
    [adjustment] = stage.shop.orders.get(order.id).adjustments
    assert (adjustment.status, adjustment.description) == ("completed", TEN_BACK["reason"])
    assert stage.shop.events()["payment.refunded"] == 1


@on_what_others_wrote
def test_a_refund_that_the_provider_never_heard_of_is_made_once_when_it_is_asked_for_again(stage: Stage) -> None:
    order = stage.order("unheard")

    again = [
        stage.office.does("admin_refunds", f"POST {REFUNDS}", TEN_BACK, id=order.id, key=UNHEARD) for _ in range(2)
    ]

    assert [one["status"] for one in again] == ["refunded"] * 2
    assert stage.provider.intents[str(order.payment_intent)].refunded == TEN_BACK["amount"]
    assert balance(stage.shop.payments.of(order.id)).refunded == TEN_BACK["amount"]


@on_what_others_wrote
def test_a_refund_for_lost_parcels_that_fails_is_made_by_support(stage: Stage) -> None:
    order = stage.order("lost")
    assert (order.status, balance(stage.shop.payments.of(order.id)).refund_pending) == ("lost", order.total)
    all_of_it = {"amount": order.total, "reason": "The carrier lost it"}

    stage.fails_to_refund(order, order.total)
    stage.office.does("admin_refunds", f"POST {REFUNDS}", all_of_it, id=order.id)

    assert stage.provider.intents[str(order.payment_intent)].refunded == order.total
    assert [one.status for one in stage.shop.orders.get(order.id).adjustments][-2:] == ["failed", "completed"]
    assert stage.shop.events()["payment.refund_failed"] == 1


@on_what_others_wrote
def test_a_dispute_is_told_once_and_staff_see_it(stage: Stage) -> None:
    order = stage.order("disputed")
    before = stage.shop.events()["payment.disputed"]

    stage.is_disputed(order)

    told = stage.office.asks("admin_orders", "GET /admin/orders/{id}", id=order.id).body
    assert told["balance"]["disputed"] == order.total
    assert before == stage.shop.events()["payment.disputed"] == 1


@on_what_was_kept
def test_an_execution_is_not_started_anew(stage: Stage) -> None:
    """The buyer's client sends the completion again, and the order that it made is found."""
    before = dict(stage.workflows.executions)

    for order_id in before:
        stage.workflow.start(order_id)

    assert stage.workflows.executions == before


@on_what_was_kept
@pytest.mark.parametrize("name", ["pending", "confirmed"])
def test_an_order_that_the_buyer_cancels_is_compensated(stage: Stage, name: str) -> None:
    order = stage.order(name)

    with role_of("orders"):
        cancel_order(stage.shop.stores, stage.workflow, order, reason="buyer_request", actor="buyer", now=NOW)

    compensated(stage, order.id, "buyer_request")


@on_what_was_kept
def test_a_payment_that_is_declined_is_compensated(stage: Stage) -> None:
    order = stage.order("pending")

    stage.is_declined(order)

    compensated(stage, order.id, "payment_declined")


@on_what_was_kept
def test_a_payment_that_does_not_come_is_compensated(stage: Stage) -> None:
    order = stage.order("pending")

    stage.workflows.times_out(order.id)

    compensated(stage, order.id, "payment_timeout")


@on_what_was_kept
def test_an_execution_that_is_told_of_a_decline_cancels_for_that_reason(stage: Stage) -> None:
    """The order does not say it: the error is all that the compensation knows."""
    order = stage.order("pending")

    stage.workflow.fail(order.task_token, "PaymentDeclined", "told by hand")

    compensated(stage, order.id, "payment_declined")


@on_what_was_kept
def test_an_execution_that_is_told_of_lost_parcels_gives_the_order_up(stage: Stage) -> None:
    order = stage.order("shipped")

    stage.workflow.fail(order.task_token, "ParcelLost", "told by hand")

    assert stage.shop.orders.get(order.id).status == "lost"
    assert stage.workflows.executions[order.id].visited[-1] == "Compensated"
    assert stage.provider.intents[str(order.payment_intent)].refunded == order.total


@pytest.mark.parametrize("stage", ["this release", *KEPT], indirect=True)
def test_a_payment_that_nobody_told_of_counts_when_the_hold_ends(stage: Stage) -> None:
    """By the definition that was kept, and by the present one: here no clock decides whether it came in time."""
    order = stage.order("pending")
    stage.provider.intents[str(order.payment_intent)].outcome = "authorized"

    stage.workflows.times_out(order.id)

    assert stage.workflows.executions[order.id].state == "AwaitWarehouse"
    assert stage.brings_to_its_end(order.id).settled


@on_what_was_kept
def test_a_capture_that_fails_is_compensated(stage: Stage) -> None:
    order = stage.order("confirmed")
    stage.provider.intents[str(order.payment_intent)].outcome = "voided"

    stage.prepares(order)

    compensated(stage, order.id, "capture_failed")


@on_what_was_kept
def test_an_order_whose_parcels_are_lost_is_compensated(stage: Stage) -> None:
    order = stage.order("shipped")

    stage.loses(order)

    execution = stage.workflows.executions[order.id]
    assert (execution.status, execution.visited[-1]) == ("SUCCEEDED", "Compensated")
    assert stage.provider.intents[str(order.payment_intent)].refunded == order.total


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


def compensated(stage: Stage, order_id: str, reason: str) -> None:
    """The order is canceled: its execution has come to its end, nothing is held, nothing is owed."""
    shop, order, execution = stage.shop, stage.shop.orders.get(order_id), stage.workflows.executions[order_id]
    assert (order.status, execution.status, execution.visited[-1]) == ("canceled", "SUCCEEDED", "Compensated")
    assert order.cancel_reason == reason
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
    assert {one["title"] for one in listed} == {"Bowl", "Cup", "Tall vase", "Plate"}
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

    assert [row["outcome"] for row in done["rows"]] == ["done_before"] * 4
    assert stage.office.stock("BOWL") == before


@on_what_was_kept
def test_whoever_asks_again_about_what_the_release_before_began_gets_the_same_bytes(stage: Stage) -> None:
    storefront, office = stage.storefront, stage.office
    cart_id, _ = storefront.began(CARTS)
    began = len(stage.said)
    for name in ("pending", "confirmed", "open"):
        storefront.pays(f"chk_{name}")
    storefront.does("carts", f"POST {CARTS}/{{id}}/cancel", id=cart_id)
    office.does("admin_orders", "POST /admin/orders/{id}/cancel", {"reason": "fraud"}, id=stage.order("pending").id)
    office.does("admin_refunds", f"POST {REFUNDS}", TEN_BACK, id=stage.order("returned").id)

    said = stage.said[began:]

    assert [storefront.asks(**one["sent"]).text for one in said] == [one["text"] for one in said]


@pytest.mark.parametrize("day", KEPT)
def test_what_is_sent_again_with_its_key_gets_the_same_bytes(an_empty_stage: Callable[[], Stage], day: str) -> None:
    stage, release = an_empty_stage(), Release.read(RELEASES / day)
    stage.load(release)

    answers = [stage.storefront.asks(**said["sent"]).text for said in release.answers]

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
    wanted = [
        {name: value for name, value in detail.items() if value is not None and name not in more} for detail in details
    ]
    for row, old in zip(rows.taken, wanted, strict=True):
        since = {name: field.default for name, field in BY_TYPE[old["type"]].model_fields.items()}
        assert row == {**{name: json.loads(json.dumps(since[name])) for name in row.keys() - old.keys()}, **old}
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
    assert {execution["state"] for execution in this_release.executions} == set(STANDS.values())
