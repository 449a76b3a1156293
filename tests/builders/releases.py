"""What a release leaves when the next one is deployed: tables in the middle of what a made-up buyer and staff do,
executions that wait, events on their way. It is played on the code of the release itself (docs/decisions/0073).
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from builders.back_office import BackOffice, in_hand
from builders.checkout import NOW
from builders.executions import StepFunctions, orders_machine
from builders.fulfilment import Boundaries, FakeCarrier
from builders.orders import WITH_3DS, FakeGateway, Intent, Shop, card
from builders.rights import Handler, role_of
from builders.storefront import Storefront, begun
from commerce.adapters.workflow import Workflow
from commerce.clock import iso
from commerce.errors import Unavailable
from commerce.events import ALL
from commerce.fulfilment.model import PickedLine, TrackingEvent, TrackingStatus
from commerce.fulfilment.warehouse import hand_over, pack, pick
from commerce.ids import derived_id
from commerce.orders.model import Order
from commerce.orders.payment import refund
from commerce.payments.model import PaymentEvent, balance
from commerce.payments.service import PaymentNotice, Refund
from tools.event_docs import example

PLACES = ("main", "annex")
MACHINE = Path(__file__).parents[2] / "statemachines" / "checkout_to_delivery.asl.json"
RETURNS, REFUNDS = "/admin/orders/{id}/returns", "/admin/orders/{id}/refunds"
TEN_BACK: dict[str, Any] = {"amount": 1000, "reason": "A button was missing"}
UNHEARD = "refund-1"
"""The key of a request that the provider may not have heard of; it is sent again."""
SLOW_REFUND = "re_slow"
"""The provider's id of a refund that it takes its time for."""
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
    """What requests of buyers and staff were answered, which may be sent again."""

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


@dataclass
class Provider(FakeGateway):
    """A payment provider who may take its time for a refund: then the money moves when it tells."""

    refunds: Literal["refunded", "pending", "unknown"] = "refunded"
    """What it answers to a request for one."""

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        if self.refunds == "refunded":
            return super().refund(intent_id, amount, key)
        return Refund(outcome=self.refunds, refund_id=SLOW_REFUND, amount=amount)


class Stage:
    """The shop on an engine's tables, its workflow, and everybody whom an order needs until its end."""

    def __init__(self, dynamodb: Any, tables: dict[str, str], load: Callable[[str], Handler]) -> None:
        self.dynamodb, self.tables = dynamodb, tables
        self.shop = Shop(dynamodb, tables, locations=PLACES)
        self.carrier = FakeCarrier(Boundaries())
        self.workflows = StepFunctions(dynamodb, orders_machine(MACHINE.read_text("utf-8"), tables), load)
        self.workflow = Workflow(self.workflows, "arn:checkout_to_delivery")
        self.said: list[dict[str, Any]] = []
        self.office, self.storefront = BackOffice(load, self.said), Storefront(load, self.said)
        self.provider = self.shop.gateway = Provider()
        self.shop.till = replace(self.shop.till, workflow=self.workflow, gateway=self.provider)

    def load(self, release: Release) -> None:
        """The release before has gone. Buyers, staff and the payment provider are not ours, and know what they knew."""
        self.said += release.answers
        for variable, items in release.tables.items():
            puts = [{"PutRequest": {"Item": item}} for item in items]
            for first in range(0, len(puts), 25):
                self.dynamodb.batch_write_item(RequestItems={self.tables[variable]: puts[first : first + 25]})
        for order in (self.shop.orders.get(item["id"]) for item in self.shop.all_orders()):
            assert order.payment_intent
            self.provider.intents[order.payment_intent] = _intent(order, self.shop.payments.of(order.id))
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
        return Release(tables, self.workflows.written_down(), MACHINE.read_text("utf-8"), events, self.said)

    def order(self, name: str) -> Order:
        """The one that was placed from the checkout of this name."""
        placed = {order["checkout_id"]: order["id"] for order in self.shop.all_orders()}
        return self.shop.orders.get(placed[f"chk_{name}"])

    def buys(self, name: str, *lines: tuple[str, int], **payment: Any) -> Order:
        """The buyer completes a checkout."""
        self.shop.complete(self.shop.checkout(*lines, id=f"chk_{name}"), **payment)
        return self.order(name)

    def pays(self, order: Order) -> None:
        """The buyer confirms at the bank, and the provider tells."""
        self._bank_says("authorized", "payment_intent.amount_capturable_updated", order)

    def is_declined(self, order: Order) -> None:
        """The bank does not believe that it is the buyer, and the provider tells."""
        self._bank_says("declined", "payment_intent.payment_failed", order)

    def _bank_says(self, outcome: Any, type: str, order: Order) -> None:
        assert order.payment_intent
        self.provider.intents[order.payment_intent].outcome = outcome
        self._tells(outcome, type, order, order.total, order_id=order.id, reference=order.payment_intent)

    def refunds(self, order: Order, amount: int) -> None:
        """A refund that was under way has gone through, and the provider tells."""
        assert order.payment_intent
        self.provider.intents[order.payment_intent].refunded += amount
        self._tells("refunded", "refund.updated", order, amount, reference=SLOW_REFUND)

    def fails_to_refund(self, order: Order, amount: int) -> None:
        """A refund that was under way did not get through, and the provider tells."""
        self._tells("refund_failed", "refund.failed", order, amount, reference=SLOW_REFUND)

    def is_disputed(self, order: Order) -> None:
        """The buyer's bank wants the money back, and the provider tells."""
        self._tells("disputed", "charge.dispute.created", order, order.total, reference="dp_1", reason="fraudulent")

    def _tells(self, kind: Any, type: str, order: Order, amount: int, **more: Any) -> None:
        notice = PaymentNotice(
            id="evt_bank",
            kind=kind,
            type=type,
            occurred_at=iso(NOW),
            intent_id=order.payment_intent,
            amount=amount,
            **more,
        )
        self._sends("payment_webhook", "POST /webhooks/stripe", notice.model_dump_json())

    def _sends(self, function: str, route: str, notice: str) -> None:
        answer = self.storefront.asks(function, route, notice)
        assert answer.status == 200, answer.text

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
            self._sends("carrier_webhook", "POST /webhooks/carrier", news.model_dump_json())

    def brings_to_its_end(self, order_id: str) -> Order:
        """Whatever people still have to do about the order; the workflow does the rest."""
        steps = {"pending_payment": self.pays, "confirmed": self.prepares, "shipped": self.delivers}
        while (order := self.shop.orders.get(order_id)).status in steps:
            steps[order.status](order)
        return order


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _intent(order: Order, ledger: list[PaymentEvent]) -> Intent:
    """What the provider knows of the order's payment: how far it came. Refunds under way it will tell of."""
    sums, kinds = balance(ledger), {event.type for event in ledger}
    furthest_first = ("voided", "captured", "declined", "authorized", "action_required")
    outcome = next(kind for kind in furthest_first if kind in kinds)
    return Intent(order.id, order.total, outcome, captured=sums.captured, refunded=sums.refunded)


def in_the_middle(stage: Stage) -> None:
    """Orders that wait for the buyer's bank, the warehouse, a label and a parcel, or to be compensated; money and goods
    on their way back; what buyers have begun, and what staff have in hand.
    """
    shop = stage.shop
    for sku, place in zip(("SHIRT-M", "MUG"), PLACES, strict=True):
        shop.stocked(40, sku, place)
    stage.buys("pending", ("SHIRT-M", 1), payment=card(WITH_3DS))
    stage.buys("confirmed", ("SHIRT-M", 2), ("MUG", 1))
    stage.prepares(stage.buys("shipped", ("SHIRT-M", 2), ("MUG", 1)))
    _comes_back(stage)
    stage.workflows.down |= {"ship_order", "compensate_order"}
    stage.prepares(stage.buys("ready", ("SHIRT-M", 2), ("MUG", 1)))
    canceled = stage.buys("canceled", ("SHIRT-M", 1))
    stage.office.does("admin_orders", "POST /admin/orders/{id}/cancel", {"reason": "fraud"}, id=canceled.id)
    shop.checkout(("SHIRT-M", 1), id="chk_open")
    in_hand(stage.office)
    begun(stage.storefront)


def _comes_back(stage: Stage) -> None:
    """Goods that came back and are not refunded; refunds that the provider works on, or may not have heard of, or is
    asked for because parcels are lost; money that a bank wants back.
    """
    for name in ("returned", "refunding", "unheard", "disputed", "lost"):
        stage.prepares(stage.buys(name, ("SHIRT-M", 2)))
        if name != "lost":
            stage.delivers(stage.order(name))
    back = {"lines": [{"line_id": "line_1", "quantity": 1}]}
    stage.office.does("admin_orders", f"POST {RETURNS}", back, id=stage.order("returned").id)
    stage.is_disputed(stage.order("disputed"))
    stage.provider.refunds = "pending"
    stage.office.does("admin_refunds", f"POST {REFUNDS}", TEN_BACK, id=stage.order("refunding").id)
    stage.loses(stage.order("lost"))
    stage.provider.refunds = "unknown"
    unheard = stage.order("unheard").id
    with role_of("admin_refunds"), suppress(Unavailable):
        refund(
            stage.shop.stores,
            stage.provider,
            order_id=unheard,
            amount=TEN_BACK["amount"],
            reason="support",
            note=TEN_BACK["reason"],
            refund_id=derived_id("refund", unheard, "admin-1", UNHEARD),
            actor="admin-1",
            now=NOW,
        )
    stage.provider.refunds = "refunded"
