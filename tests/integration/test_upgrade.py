"""What the release before wrote, this one reads and brings to its end: orders on their way, checkouts, stock, events.

`releases/<day>.json` holds the tables as the release of that day left them, in the middle of what a made-up buyer does.
What this release leaves at the same place is kept as build/release.json: the next file, once this release has gone out.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders.checkout import NOW
from builders.fulfilment import Boundaries, FakeCarrier
from builders.orders import WITH_3DS, Intent, Shop, card
from builders.rights import role_of
from commerce.analytics.model import row
from commerce.events import parse
from commerce.fulfilment.model import PickedLine, TrackingEvent
from commerce.fulfilment.settlement import settle
from commerce.fulfilment.shipping import ship
from commerce.fulfilment.tracking import track
from commerce.fulfilment.warehouse import hand_over, pack, pick
from commerce.orders.model import Order
from commerce.orders.payment import apply_notice
from commerce.payments.service import PaymentNotice

RELEASES = Path(__file__).parent / "releases"
BUILD = Path(__file__).parents[2] / "build"
PLACES = ("main", "annex")
Tables = dict[str, list[dict[str, Any]]]
"""Items as DynamoDB has them, by the variable that names their table."""


class Stage:
    """The shop on an engine's tables, and everybody whom an order needs until its end."""

    def __init__(self, dynamodb: Any, tables: dict[str, str]) -> None:
        self.dynamodb, self.tables = dynamodb, tables
        self.shop = Shop(dynamodb, tables, locations=PLACES)
        self.carrier = FakeCarrier(Boundaries())

    def load(self, written: Tables) -> None:
        """The tables are as they were left; the payment provider, who is not ours, knows what it knew."""
        for variable, items in written.items():
            for item in items:
                self.dynamodb.put_item(TableName=self.tables[variable], Item=item)
        for order in self.orders():
            if order.payment_intent:
                outcome = "action_required" if order.status == "pending_payment" else "authorized"
                taken = order.total if order.status == "shipped" else 0
                intent = Intent(order.id, order.total, "captured" if taken else outcome, captured=taken)
                self.shop.gateway.intents[order.payment_intent] = intent

    def left(self) -> Tables:
        """The tables as they are."""
        scan = self.dynamodb.get_paginator("scan")
        found = {
            name: [item for page in scan.paginate(TableName=table) for item in page["Items"]]
            for name, table in self.tables.items()
        }
        return {name: sorted(items, key=_key) for name, items in found.items() if items}

    def orders(self) -> Iterator[Order]:
        return (self.shop.orders.get(item["id"]) for item in self.shop.all_orders())

    def pays(self, order: Order) -> None:
        """The buyer confirms at the bank, and the provider tells."""
        assert order.payment_intent
        self.shop.gateway.intents[order.payment_intent].outcome = "authorized"
        notice = PaymentNotice(
            id="evt_bank",
            kind="authorized",
            type="payment_intent.amount_capturable_updated",
            occurred_at=order.placed_at,
            intent_id=order.payment_intent,
            order_id=order.id,
            reference=order.payment_intent,
            amount=order.total,
        )
        with role_of("payment_webhook"):
            apply_notice(self.shop.without_buyers(), self.shop.workflow, self.shop.gateway, notice, now=NOW)

    def prepares(self, order: Order) -> None:
        """Each location packs its parcel."""
        for parcel in order.shipments:
            step: dict[str, Any] = {"order_id": order.id, "location": parcel.location, "actor": "sam", "now": NOW}
            picked = tuple(PickedLine(line_id=line.line_id, quantity=line.quantity) for line in parcel.lines)
            with role_of("admin_orders"):
                pick(self.shop.stores, self.shop.inventory, self.shop.workflow, picked=picked, **step)
                pack(self.shop.stores, weight_grams=500, **step)
                hand_over(self.shop.stores, self.shop.workflow, **step)

    def ships(self, order: Order) -> None:
        shop = self.shop
        with role_of("ship_order"):
            ship(shop.stores, shop.inventory, self.carrier, shop.gateway, order_id=order.id, now=NOW)

    def delivers(self, order: Order) -> None:
        """All of its parcels arrive."""
        for parcel in order.shipments:
            assert parcel.label
            news = TrackingEvent(
                order_id=order.id,
                tracking_number=parcel.label.tracking_number,
                status="delivered",
                occurred_at=NOW,
            )
            with role_of("carrier_webhook"):
                track(self.shop.without_buyers().orders, self.shop.workflow, news, now=NOW)

    def brings_to_its_end(self, order_id: str) -> Order:
        """Whatever is still to be done about the order, until its books are closed."""
        steps = {
            "pending_payment": self.pays,
            "confirmed": self.prepares,
            "ready_to_ship": self.ships,
            "shipped": self.delivers,
        }
        while (order := self.shop.orders.get(order_id)).status in steps:
            steps[order.status](order)
        with role_of("settle_order"):
            return settle(self.shop.without_buyers(), lambda: self.shop.gateway, order_id=order_id, now=NOW)


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def in_the_middle(stage: Stage) -> Tables:
    """What this release leaves: orders that wait for the buyer's bank, the warehouse, a label and a parcel, and a
    checkout that can be completed.
    """
    shop = stage.shop
    for sku, place in zip(("SHIRT-M", "MUG"), PLACES, strict=True):
        shop.stocked(40, sku, place)
    for name, steps in {"confirmed": (), "ready": (stage.prepares,), "shipped": (stage.prepares, stage.ships)}.items():
        completed = shop.complete(shop.checkout(("SHIRT-M", 2), ("MUG", 1), id=f"chk_{name}"))
        assert completed.order_id
        for step in steps:
            step(shop.orders.get(completed.order_id))
    shop.complete(shop.checkout(("SHIRT-M", 1), id="chk_pending"), card(WITH_3DS))
    shop.checkout(("SHIRT-M", 1), id="chk_open")
    return stage.left()


def _of_the_release_after(written: Tables) -> Tables:
    """The same with a field more on each item, which this release does not know."""
    return {name: [{**item, "season": {"S": "winter"}} for item in items] for name, items in written.items()}


@pytest.fixture(params=["this release", *sorted(path.stem for path in RELEASES.glob("*.json")), "the release after"])
def stage(request: pytest.FixtureRequest, dynamodb: Any, tables: dict[str, str]) -> Stage:
    """The shop, on the tables that a release left."""
    stage = Stage(dynamodb, tables)
    if request.param == "this release":
        written = in_the_middle(stage)
        BUILD.mkdir(exist_ok=True)
        (BUILD / "release.json").write_text(_as_text(written), encoding="utf-8")
        return stage
    last = max(RELEASES.glob("*.json")) if request.param == "the release after" else RELEASES / f"{request.param}.json"
    written = json.loads(last.read_text("utf-8"))
    stage.load(_of_the_release_after(written) if request.param == "the release after" else written)
    return stage


def _as_text(written: Tables) -> str:
    """An item for each line, so that two releases can be compared."""

    def line(item: dict[str, Any]) -> str:
        return json.dumps(item, sort_keys=True, separators=(",", ":"))

    tables = (f' "{name}": [\n  ' + ",\n  ".join(map(line, items)) + "\n ]" for name, items in sorted(written.items()))
    return "{\n" + ",\n".join(tables) + "\n}\n"


def test_every_order_on_its_way_is_brought_to_its_end_and_the_books_agree(stage: Stage) -> None:
    shop = stage.shop
    orders = [order.id for order in stage.orders()]
    assert {order.status for order in stage.orders()} >= {"pending_payment", "confirmed", "ready_to_ship", "shipped"}

    ended = [stage.brings_to_its_end(order_id) for order_id in orders]

    assert [(order.status, order.settled) for order in ended] == [("delivered", True)] * len(orders)
    assert all(shop.payment_types(order)[-2:] == ["authorized", "captured"] for order in ended)
    assert {held.status for order in orders for held in shop.inventory.reservations(order)} == {"shipped"}
    assert shop.ledger_balances("SHIRT-M") and shop.ledger_balances("MUG")
    assert all(shop.orders.get(order).buyer.email == "ada@example.com" for order in orders)


def test_a_checkout_is_completed(stage: Stage) -> None:
    completed = stage.shop.complete(stage.shop.checkouts.get("chk_open", NOW))

    assert completed.status == "completed" and completed.order_id
    assert stage.brings_to_its_end(completed.order_id).settled


def test_every_event_is_read_by_its_consumers(stage: Stage) -> None:
    told = stage.shop.published()

    assert {detail["type"] for detail in told} >= {"order.placed", "order.confirmed", "order.shipped"}
    for detail in told:
        event = parse({**detail, "season": "winter"})
        assert (event.id, event.subject) == (detail["id"], detail["subject"])
        assert json.loads(row(event))["type"] == detail["type"]
