"""A shop on an engine's tables, orders in every state, and in-process doubles of who moves money and waits."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any

from builders.checkout import NOW, address, buyer, ready_checkout
from builders.pricing import offer, settings, wanted
from builders.rights import held_to_rights, role_of
from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table, from_item
from commerce.adapters.outbox import Outbox
from commerce.adapters.sealing import Seals
from commerce.checkout.complete import Credential, Instrument, Payment, Till, complete
from commerce.checkout.model import Checkout
from commerce.checkout.repository import CheckoutRepository, LineRepository
from commerce.checkout.service import derive
from commerce.clock import iso
from commerce.discounts.repository import DiscountRepository
from commerce.identity.model import GUEST, Caller
from commerce.inventory.model import Part, Stock
from commerce.inventory.repository import InventoryRepository
from commerce.inventory.service import set_stock
from commerce.orders.model import Allocation, Order, OrderLine, ShippingChoice, shipments_of
from commerce.orders.ports import Stores
from commerce.orders.repository import OrderRepository
from commerce.payments.model import payment_event
from commerce.payments.repository import PaymentRepository
from commerce.payments.service import (
    Authorization,
    Capture,
    PaymentNotice,
    Refund,
    Void,
)
from commerce.pricing.model import Offer
from commerce.settings import Location

VISA = "pm_card_visa"
DECLINED = "pm_card_chargeDeclined"
WITH_3DS = "pm_card_authenticationRequired"
RISKY = "pm_card_riskLevelHighest"
ANSWER_LOST = "pm_answer_lost"
"""The bank holds the money, and the shop never hears of it."""
BANK = "https://bank.example/confirm"


def card(token: str = VISA, **changes: Any) -> Payment:
    """A payment by card with the provider's token."""
    fields = {
        "id": "card_1",
        "handler_id": "stripe",
        "type": "card",
        "credential": Credential(type="token", token=token),
    }
    return Payment(instruments=(Instrument(**{**fields, **changes}),))


def an_order(**changes: Any) -> Order:
    """A guest's order of one shirt from the main location, not paid yet."""
    checkout = ready_checkout()
    [line] = checkout.priced
    main = (Allocation(location="main", quantity=line.quantity),)
    lines = changes.pop("lines", (OrderLine(**line.model_dump(), original=line.quantity, allocations=main),))
    fields: dict[str, Any] = {
        "id": "order_7k2m9x4c1q",
        "checkout_id": checkout.id,
        "attempt": 1,
        "customer": None,
        "status": "pending_payment",
        "currency": "USD",
        "lines": lines,
        "shipments": shipments_of(lines),
        "totals": checkout.totals,
        "buyer": buyer(),
        "shipping_address": address(),
        "shipping": ShippingChoice(
            option_id="standard",
            title="Standard shipping",
            carrier="USPS",
            amount=500,
            earliest=iso(NOW + timedelta(days=3)),
            latest=iso(NOW + timedelta(days=5)),
        ),
        "placed_at": iso(NOW),
        "hold_until": iso(NOW + timedelta(minutes=15)),
    }
    return Order(**{**fields, **changes})


@dataclass
class Intent:
    """What the payment double knows of one intent."""

    order_id: str
    amount: int
    outcome: str = "unconfirmed"
    made_at: datetime = NOW
    risk: str = "normal"
    captured: int = 0
    refunded: int = 0


@dataclass
class FakeGateway:
    """A payment provider: one intent per order, every call once per key, never more back than was taken."""

    intents: dict[str, Intent] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    """By method: how often it had an effect."""
    missed: list[PaymentNotice] = field(default_factory=list)
    """Notices that no webhook took."""
    lock: Lock = field(default_factory=Lock)

    @property
    def holding(self) -> list[Intent]:
        """The intents under which money is held or taken."""
        return [intent for intent in self.intents.values() if intent.outcome in ("authorized", "captured")]

    def create_intent(self, order_id: str, amount: int, currency: str) -> str:
        with self.lock:
            intent_id = f"pi_{order_id}"
            if intent_id not in self.intents:
                self.calls["create_intent"] += 1
                self.intents[intent_id] = Intent(order_id, amount)
            return intent_id

    def confirm(self, intent_id: str, payment_method: str, return_url: str, key: str) -> Authorization:
        with self.lock:
            intent = self.intents[intent_id]
            if key not in self.answers and intent.outcome == "unconfirmed":
                self.calls["confirm"] += 1
                intent.outcome = {DECLINED: "declined", WITH_3DS: "action_required"}.get(payment_method, "authorized")
                intent.risk = "highest" if payment_method == RISKY else "normal"
                self.answers[key] = True
            if payment_method == ANSWER_LOST:
                return Authorization(outcome="unknown", intent_id=intent_id)
            return self._authorization(intent_id)

    def retrieve(self, intent_id: str) -> Authorization:
        with self.lock:
            return self._authorization(intent_id)

    def recent(self, *, since: datetime, until: datetime) -> Iterator[Authorization]:
        with self.lock:
            made = [name for name, intent in self.intents.items() if since <= intent.made_at <= until]
            found = [self._authorization(intent_id) for intent_id in reversed(made)]
        yield from found

    def undelivered(self, *, since: datetime, until: datetime) -> Iterator[PaymentNotice]:
        between = (iso(since), iso(until))
        yield from [one for one in reversed(self.missed) if between[0] <= one.occurred_at <= between[1]]

    def capture(self, intent_id: str, amount: int, key: str) -> Capture:
        with self.lock:
            intent = self.intents[intent_id]
            if intent.outcome == "authorized":
                intent.outcome, intent.captured = "captured", amount
            if intent.outcome != "captured":
                return Capture(outcome="failed", reason=intent.outcome)
            return Capture(outcome="captured", charge_id=f"ch_{intent_id}", amount=intent.captured)

    def void(self, intent_id: str, key: str) -> Void:
        with self.lock:
            intent = self.intents[intent_id]
            if intent.outcome == "captured":
                return Void(outcome="captured", amount_captured=intent.captured)
            intent.outcome = "voided"
            return Void(outcome="voided")

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        with self.lock:
            if key not in self.answers:
                intent = self.intents[intent_id]
                if intent.refunded + amount > intent.captured:
                    self.answers[key] = Refund(outcome="failed", reason="charge_already_refunded")
                else:
                    intent.refunded += amount
                    self.calls["refund"] += 1
                    self.answers[key] = Refund(
                        outcome="refunded", refund_id=f"re_{self.calls['refund']}", amount=amount
                    )
            answer: Refund = self.answers[key]
            return answer

    def construct_event(self, payload: bytes, signature: str) -> PaymentNotice:
        return PaymentNotice.model_validate_json(payload)

    def _authorization(self, intent_id: str) -> Authorization:
        intent = self.intents[intent_id]
        return Authorization.model_validate(
            {
                "outcome": intent.outcome,
                "intent_id": intent_id,
                "order_id": intent.order_id,
                "redirect_url": BANK if intent.outcome == "action_required" else None,
                "risk": intent.risk,
                "amount_capturable": intent.amount if intent.outcome == "authorized" else 0,
                "amount_captured": intent.captured,
            }
        )


@dataclass
class FakeWorkflow:
    """Step Functions as far as the use cases see it: what was started, what was told to which token."""

    started: list[str] = field(default_factory=list)
    succeeded: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(token, error name)."""

    def start(self, order_id: str) -> None:
        self.started.append(order_id)

    def succeed(self, token: str | None, output: dict[str, Any]) -> None:
        if token:
            self.succeeded.append(token)

    def fail(self, token: str | None, error: str, cause: str) -> None:
        if token:
            self.failed.append((token, error))


@dataclass
class FakeCatalog:
    """Sells every SKU as the same shirt, unless told otherwise."""

    prices: dict[str, int] = field(default_factory=dict)

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        return {sku: offer(sku, prices={"USD": self.prices.get(sku, 2500), "EUR": 2300}) for sku in skus}


class Shop:
    """The shop's repositories on an engine's tables, and what a test wants to do and to know in one line."""

    def __init__(self, client: Any, tables: dict[str, str], *, locations: tuple[str, ...] = ("main",)) -> None:
        self.client, self.tables = held_to_rights(client), tables
        self.outbox, self.seals = Outbox(tables["OUTBOX_TABLE"]), Seals(Table(client, tables["PRIVACY_TABLE"]))
        self.orders = OrderRepository(Table(client, tables["ORDERS_TABLE"]), self.outbox, self.seals)
        self.checkouts = CheckoutRepository(Table(client, tables["CARTS_TABLE"]), self.seals)
        self.inventory = InventoryRepository(Table(client, tables["INVENTORY_TABLE"]), self.outbox, locations)
        self.discounts = DiscountRepository(Table(client, tables["INVENTORY_TABLE"]))
        self.payments = PaymentRepository(Table(client, tables["ORDERS_TABLE"]))
        self.audit = AuditTrail(tables["AUDIT_TABLE"])
        self.stores = Stores(self.orders, self.payments, self.audit, self.checkouts, self.inventory, self.discounts)
        self.gateway, self.workflow, self.catalog = FakeGateway(), FakeWorkflow(), FakeCatalog()
        self.till = Till(
            stores=self.stores,
            checkouts=self.checkouts,
            catalog=self.catalog,
            shelves=self.inventory,
            discounts=self.discounts,
            gateway=self.gateway,
            workflow=self.workflow,
            lines=LineRepository(Table(client, tables["CARTS_TABLE"])),
            settings=settings(locations=tuple(Location(id=location) for location in locations)),
        )

    def without_buyers(self) -> Stores:
        """The repositories of a function that is not told who buys."""
        orders, checkouts = replace(self.orders, seals=None), replace(self.checkouts, seals=None)
        return replace(self.stores, orders=orders, checkouts=checkouts)

    def stocked(self, units: int, sku: str = "SHIRT-M", location: str | None = None) -> str:
        """A SKU with so many free units."""
        set_stock(
            self.inventory,
            self.audit,
            sku=sku,
            available=units,
            reason="delivery",
            actor="staff_1",
            now=NOW,
            location=location,
        )
        return sku

    def checkout(self, *lines: tuple[str, int], id: str = "chk_1", **changes: Any) -> Checkout:
        """A stored checkout that is ready to be completed; one shirt if no (SKU, quantity) lines are given."""
        wants = tuple(
            wanted(sku, quantity, id=f"line_{number}")
            for number, (sku, quantity) in enumerate(lines or (("SHIRT-M", 1),), 1)
        )
        checkout = ready_checkout(id=id, lines=wants, **changes)
        self.checkouts.add(checkout)
        return checkout

    def seen(self, checkout: Checkout) -> Checkout:
        """The checkout once its buyer has been shown it as it is now."""
        skus = [line.sku for line in checkout.lines]
        offers, supply = self.catalog.offers(skus), self.inventory.supply(skus, NOW)
        discounts = self.discounts.discounts(checkout.codes, consistent=True)
        wanted = checkout.model_copy(update={"totals": ()})
        return self.checkouts.save(checkout, derive(wanted, offers, supply, discounts, self.till.settings, NOW))

    def complete(
        self, checkout: Checkout, payment: Payment | None = None, *, caller: Caller = GUEST, now: datetime = NOW
    ) -> Checkout:
        """What the buyer's completion answers, with the rights of the function that completes."""
        with role_of("complete_checkout"):
            return complete(self.till, checkout.id, payment or card(), caller=caller, now=now)

    def waits_for_nobody(self) -> None:
        """From now on a completion that finds another one under way takes it for dead at once."""
        self.till = replace(self.till, pause=lambda _: None, clock=count(step=60).__next__)

    def bought(self, *lines: tuple[str, int], units: int = 10, **changes: Any) -> Order:
        """A confirmed order; its SKUs had `units` free units before."""
        checkout = self.checkout(*lines, **changes)
        for line in checkout.lines:
            self.stocked(units, line.sku)
        completed = self.complete(checkout)
        assert completed.status == "completed" and completed.order_id
        return self.orders.get(completed.order_id)

    def captured(self, order: Order) -> Order:
        """The order, with its money taken."""
        assert order.payment_intent is not None
        taken = self.gateway.capture(order.payment_intent, order.total, key="capture")
        self.payments.append(
            order.id, payment_event("captured", order.payment_intent, taken.amount, order.currency, NOW)
        )
        return order

    def stock(self, sku: str = "SHIRT-M", location: str = "main") -> Stock:
        """The SKU's stock."""
        return self.inventory.stock(sku, location)

    def all(self, variable: str, sort: str) -> list[dict[str, Any]]:
        """Every item of a table whose sort key begins with `sort`."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.tables[variable], ConsistentRead=True)
        items = (from_item(item) for page in pages for item in page["Items"])
        return [item for item in items if item["sk"].startswith(sort)]

    def all_orders(self) -> list[dict[str, Any]]:
        """Every order there is."""
        return [item for item in self.all("ORDERS_TABLE", "ORDER") if item["sk"] == "ORDER"]

    def events(self) -> Counter[str]:
        """How often each event was put into the outbox."""
        return Counter(item["detail_type"] for item in self.all("OUTBOX_TABLE", "EVENT"))

    def published(self) -> list[dict[str, Any]]:
        """The events in the outbox, as they travel."""
        return [json.loads(item["detail"]) for item in self.all("OUTBOX_TABLE", "EVENT")]

    def payment_types(self, order: Order) -> list[str]:
        """What happened to the order's money, in the order of its ledger."""
        return [event.type for event in self.payments.of(order.id)]

    def ledger_balances(self, sku: str = "SHIRT-M") -> bool:
        """Whether the movements of the SKU sum to its stock in every row at every location."""
        sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        for movement in self.inventory.movements(sku, iso(NOW)[:7], limit=10_000):
            sums[movement.location, movement.shard][0] += movement.on_hand
            sums[movement.location, movement.shard][1] += movement.available
        rows = {(row.location, row.shard): row for row in self.inventory.stock_of([sku])[sku]}
        stock = {place: [row.on_hand, row.available] for place, row in rows.items()}
        return all(sums[place] == stock.get(place, [0, 0]) for place in {*sums, *stock})


def part(quantity: int = 1, sku: str = "SHIRT-M", location: str = "main") -> Part:
    """Units of the shirt."""
    return Part(sku=sku, location=location, quantity=quantity)
