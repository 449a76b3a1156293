"""What the release before wrote, this one reads and brings to its end: orders on their way, checkouts, stock, events.

`releases/<day>/` holds what the release of that day left, in the middle of what a made-up buyer does: its tables, its
executions and the definition that they run by until they end. What this release leaves at the same place is kept as
build/release: the next folder, once this release has gone out (`make release-data`).
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.catalog import function
from builders.checkout import NOW
from builders.executions import BUS
from builders.pricing import settings
from builders.releases import PLACES, Release, Stage, in_the_middle
from builders.rights import Handler, role_of
from commerce import clock
from commerce.adapters import wiring
from commerce.analytics.model import row
from commerce.events import DeliveryOverdue, parse
from commerce.orders.service import cancel_order
from commerce.settings import Location

RELEASES = Path(__file__).parent / "releases"
BUILD = Path(__file__).parents[2] / "build" / "release"
KEPT = sorted(folder.name for folder in RELEASES.iterdir())
on_what_was_kept = pytest.mark.parametrize("stage", KEPT, indirect=True)

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


@pytest.fixture(params=["this release", *KEPT, "the release after"])
def stage(request: pytest.FixtureRequest, an_empty_stage: Callable[[], Stage]) -> Stage:
    """The shop, on what a release left."""
    if request.param == "this release":
        before = an_empty_stage()
        in_the_middle(before)
        release = before.left()
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


def test_every_event_is_read_by_its_consumers(stage: Stage) -> None:
    told = stage.shop.published()

    assert {detail["type"] for detail in told} >= {"order.placed", "order.confirmed", "order.shipped"}
    for detail in told:
        event = parse({**detail, "season": "winter"})
        assert (event.id, event.subject) == (detail["id"], detail["subject"])
        assert json.loads(row(event))["type"] == detail["type"]


def test_what_this_release_leaves_is_left_for_the_next(an_empty_stage: Callable[[], Stage]) -> None:
    stage = an_empty_stage()
    in_the_middle(stage)

    stage.left().write(BUILD)

    assert {execution["state"] for execution in Release.read(BUILD).executions} == {*WAITS, "ShipOrder"}
