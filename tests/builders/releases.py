"""What a release leaves when the next one is deployed: tables in the middle of what a made-up buyer and staff do,
executions that wait, events on their way. It is played on the code of the release itself (docs/decisions/0073).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builders.back_office import BackOffice, in_hand
from builders.checkout import NOW
from builders.executions import StepFunctions, orders_machine
from builders.fulfilment import Boundaries, FakeCarrier
from builders.orders import WITH_3DS, Intent, Shop, card
from builders.rights import Handler, role_of
from commerce.adapters.workflow import Workflow
from commerce.events import ALL
from commerce.fulfilment.model import PickedLine, TrackingEvent, TrackingStatus
from commerce.fulfilment.tracking import track
from commerce.fulfilment.warehouse import hand_over, pack, pick
from commerce.orders.model import Order
from commerce.orders.payment import apply_notice
from commerce.payments.service import PaymentNotice
from tools.event_docs import example

PLACES = ("main", "annex")
MACHINE = Path(__file__).parents[2] / "statemachines" / "checkout_to_delivery.asl.json"
Tables = dict[str, list[dict[str, Any]]]
"""Items as DynamoDB has them, by the variable that names their table."""


@dataclass(frozen=True)
class Release:
    """What one left."""

    tables: Tables
    executions: list[dict[str, Any]]
    machine: str
    """The definition that they run by."""
    events: list[dict[str, Any]]
    """One of each type, as it travels."""
    answers: list[dict[str, Any]]
    """What staff's requests were answered, which may be sent again."""

    @classmethod
    def read(cls, folder: Path) -> "Release":
        """The one that is kept in the folder."""
        tables, executions, events, answers = (
            json.loads((folder / f"{part}.json").read_text("utf-8"))
            for part in ("tables", "executions", "events", "answers")
        )
        return cls(tables, executions, (folder / MACHINE.name).read_text("utf-8"), events, answers)

    def write(self, folder: Path) -> None:
        """An item for each line, so that two releases can be compared."""
        folder.mkdir(parents=True, exist_ok=True)
        tables = (f' "{name}": {_lines(items, "  ", sort=True)}' for name, items in sorted(self.tables.items()))
        (folder / "tables.json").write_text("{\n" + ",\n".join(tables) + "\n}\n", encoding="utf-8")
        for part in ("executions", "events", "answers"):
            (folder / f"{part}.json").write_text(_lines(getattr(self, part), " ") + "\n", encoding="utf-8")
        (folder / MACHINE.name).write_text(self.machine, encoding="utf-8")

    def with_a_field_more(self) -> "Release":
        """The same with a field on each item that this release does not know: what the one after it writes."""
        grown = {name: [{**item, "season": {"S": "winter"}} for item in items] for name, items in self.tables.items()}
        return replace(self, tables=grown)


def _lines(items: list[dict[str, Any]], indent: str, *, sort: bool = False) -> str:
    lines = (json.dumps(item, sort_keys=sort, separators=(",", ":")) for item in items)
    return "[\n" + ",\n".join(indent + line for line in lines) + f"\n{indent[1:]}]"


class Stage:
    """The shop on an engine's tables, its workflow, and everybody whom an order needs until its end."""

    def __init__(self, dynamodb: Any, tables: dict[str, str], load: Callable[[str], Handler]) -> None:
        self.dynamodb, self.tables = dynamodb, tables
        self.shop = Shop(dynamodb, tables, locations=PLACES)
        self.carrier = FakeCarrier(Boundaries())
        self.workflows = StepFunctions(dynamodb, orders_machine(MACHINE.read_text("utf-8"), tables), load)
        self.workflow = Workflow(self.workflows, "arn:checkout_to_delivery")
        self.office = BackOffice(load)
        self.shop.till = replace(self.shop.till, workflow=self.workflow)

    def load(self, release: Release) -> None:
        """The release before has gone; the payment provider, who is not ours, knows what it knew."""
        for variable, items in release.tables.items():
            puts = [{"PutRequest": {"Item": item}} for item in items]
            for first in range(0, len(puts), 25):
                self.dynamodb.batch_write_item(RequestItems={self.tables[variable]: puts[first : first + 25]})
        for order in self.orders():
            if order.payment_intent:
                outcome = "action_required" if order.status == "pending_payment" else "authorized"
                taken = order.total if order.status == "shipped" else 0
                intent = Intent(order.id, order.total, "captured" if taken else outcome, captured=taken)
                self.shop.gateway.intents[order.payment_intent] = intent
        machine = orders_machine(release.machine, self.tables)
        for execution in release.executions:
            self.workflows.takes_up(machine, execution)

    def left(self) -> Release:
        """All that stands there and waits."""
        scan = self.dynamodb.get_paginator("scan")
        found = {
            name: [item for page in scan.paginate(TableName=table) for item in page["Items"]]
            for name, table in self.tables.items()
        }
        tables = {name: sorted(items, key=_key) for name, items in found.items() if items}
        events = [example(kind) for kind in ALL]
        return Release(tables, self.workflows.written_down(), MACHINE.read_text("utf-8"), events, self.office.said)

    def orders(self) -> Iterator[Order]:
        return (self.shop.orders.get(item["id"]) for item in self.shop.all_orders())

    def order(self, name: str) -> Order:
        """The one that was placed from the checkout of this name."""
        return next(order for order in self.orders() if order.checkout_id == f"chk_{name}")

    def buys(self, name: str, *lines: tuple[str, int], **payment: Any) -> Order:
        """The buyer completes a checkout."""
        self.shop.complete(self.shop.checkout(*lines, id=f"chk_{name}"), **payment)
        return self.order(name)

    def pays(self, order: Order) -> None:
        """The buyer confirms at the bank, and the provider tells."""
        assert order.payment_intent
        self.shop.gateway.intents[order.payment_intent].outcome = "authorized"
        self._tells(order, "authorized", "payment_intent.amount_capturable_updated")

    def is_declined(self, order: Order) -> None:
        """The bank does not believe that it is the buyer, and the provider tells."""
        assert order.payment_intent
        self.shop.gateway.intents[order.payment_intent].outcome = "declined"
        self._tells(order, "declined", "payment_intent.payment_failed")

    def _tells(self, order: Order, kind: Any, type: str) -> None:
        notice = PaymentNotice(
            id="evt_bank",
            kind=kind,
            type=type,
            occurred_at=order.placed_at,
            intent_id=order.payment_intent,
            order_id=order.id,
            reference=order.payment_intent,
            amount=order.total,
        )
        with role_of("payment_webhook"):
            apply_notice(self.shop.without_buyers(), self.workflow, self.shop.gateway, notice, now=NOW)

    def prepares(self, order: Order) -> None:
        """Each location packs its parcel. With the last one the order is shipped, if the workflow's task answers."""
        for parcel in order.shipments:
            step: dict[str, Any] = {"order_id": order.id, "location": parcel.location, "actor": "sam", "now": NOW}
            picked = tuple(PickedLine(line_id=line.line_id, quantity=line.quantity) for line in parcel.lines)
            with role_of("admin_orders"):
                pick(self.shop.stores, self.shop.inventory, self.workflow, picked=picked, **step)
                pack(self.shop.stores, weight_grams=500, **step)
                hand_over(self.shop.stores, self.workflow, **step)

    def delivers(self, order: Order) -> None:
        """All of its parcels arrive."""
        self._carrier_says("delivered", order)

    def loses(self, order: Order) -> None:
        """None of them ever will."""
        self._carrier_says("lost", order)

    def _carrier_says(self, status: TrackingStatus, order: Order) -> None:
        for parcel in order.shipments:
            assert parcel.label
            number = parcel.label.tracking_number
            news = TrackingEvent(order_id=order.id, tracking_number=number, status=status, occurred_at=NOW)
            with role_of("carrier_webhook"):
                track(self.shop.without_buyers().orders, self.workflow, news, now=NOW)

    def brings_to_its_end(self, order_id: str) -> Order:
        """Whatever people still have to do about the order; the workflow does the rest."""
        steps = {"pending_payment": self.pays, "confirmed": self.prepares, "shipped": self.delivers}
        while (order := self.shop.orders.get(order_id)).status in steps:
            steps[order.status](order)
        return order


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def in_the_middle(stage: Stage) -> None:
    """Orders that wait for the buyer's bank, the warehouse, a label and a parcel, a checkout to be completed, and what
    staff have in hand.
    """
    shop = stage.shop
    for sku, place in zip(("SHIRT-M", "MUG"), PLACES, strict=True):
        shop.stocked(40, sku, place)
    stage.buys("pending", ("SHIRT-M", 1), payment=card(WITH_3DS))
    stage.buys("confirmed", ("SHIRT-M", 2), ("MUG", 1))
    stage.prepares(stage.buys("shipped", ("SHIRT-M", 2), ("MUG", 1)))
    stage.workflows.down.add("ship_order")
    stage.prepares(stage.buys("ready", ("SHIRT-M", 2), ("MUG", 1)))
    shop.checkout(("SHIRT-M", 1), id="chk_open")
    in_hand(stage.office)
