"""A shop with one SKU that everybody wants: production code on the double, and doubles of who lies beyond it."""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from commerce.adapters import dynamodb
from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table
from commerce.adapters.outbox import Outbox
from commerce.adapters.sealing import Seals
from commerce.checkout.complete import Credential, Instrument, Payment, Till
from commerce.checkout.model import Checkout
from commerce.checkout.repository import CheckoutRepository, LineRepository
from commerce.checkout.service import derive
from commerce.clock import epoch, iso
from commerce.contact import Buyer, PostalAddress
from commerce.discounts.repository import DiscountRepository
from commerce.inventory.model import Stock
from commerce.inventory.pooling import switch_on
from commerce.inventory.repository import InventoryRepository
from commerce.inventory.service import adjust_stock
from commerce.orders.ports import Running, Stores
from commerce.orders.repository import OrderRepository
from commerce.payments.repository import PaymentRepository
from commerce.payments.service import Authorization, Capture, PaymentNotice, Refund, Void
from commerce.pricing.model import Offer, WantedLine
from commerce.settings import Settings, ShippingRate
from stacks.tables import ALL
from tools.flash_sale.line import Meter, SlowClient
from tools.flash_sale.loop import Loop
from tools.simulation.dynamodb import Database

SKU = "SNEAKER-42"
ACTOR = "merchant"
ENVIRONMENTS = 1000
"""Functions that run at once: an account's default. Each remembers what it saw, and serves one buyer at a time."""
CARD = Payment(
    instruments=(
        Instrument(
            id="card_1", handler_id="stripe", type="card", credential=Credential(type="token", token="pm_card_visa")
        ),
    )
)
SETTINGS = Settings(
    name="Flash",
    url="https://shop.example",
    email_from="shop@shop.example",
    currencies=("USD",),
    countries=("US",),
    shipping_rates=(
        ShippingRate(
            id="standard", title="Standard", carrier="USPS", price={"USD": 500}, earliest_days=3, latest_days=5
        ),
    ),
    tax_rates=(),
)


class Bank:
    """A payment provider that says yes at once."""

    def create_intent(self, order_id: str, amount: int, currency: str) -> str:
        """One per order."""
        return f"pi_{order_id}"

    def confirm(self, intent_id: str, payment_method: str, return_url: str, key: str) -> Authorization:
        """The money is held."""
        return Authorization(outcome="authorized", intent_id=intent_id)

    def retrieve(self, intent_id: str) -> Authorization:
        """As `confirm` said."""
        return Authorization(outcome="authorized", intent_id=intent_id)

    def recent(self, *, since: datetime, until: datetime) -> Iterator[Authorization]:
        """Nobody reconciles here."""
        raise NotImplementedError

    def undelivered(self, *, since: datetime, until: datetime) -> Iterator[PaymentNotice]:
        """It sends no notices."""
        raise NotImplementedError

    def capture(self, intent_id: str, amount: int, key: str) -> Capture:
        """Nothing is shipped here."""
        raise NotImplementedError

    def void(self, intent_id: str, key: str) -> Void:
        """Money is not what is looked at."""
        return Void(outcome="voided")

    def refund(self, intent_id: str, amount: int, key: str) -> Refund:
        """Nothing is taken here."""
        raise NotImplementedError

    def construct_event(self, payload: bytes, signature: str) -> PaymentNotice:
        """It sends none."""
        raise NotImplementedError


class OneProduct:
    """A catalogue of one SKU. Its own reads are not what is measured: see docs/flash-sales.md."""

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        """The offers of those SKUs that exist."""
        return {sku: Offer(sku=sku, product_id="prod_1", title="Sneaker", prices={"USD": 9900}) for sku in skus}


class Shop:
    """The tables, the function environments, and what a sale wants to know afterwards."""

    def __init__(self, loop: Loop, *, hold: float, seed: int, environments: int = ENVIRONMENTS) -> None:
        self.loop, self.chance = loop, random.Random(seed)
        self.capacity = Meter(latency=hold)
        self.database = Database(ALL, clock=loop.clock, capacity=self.capacity)
        self.client = SlowClient(self.database, self.capacity, loop, self.chance)
        self.staff = self._till()
        self.idle = deque(self._till() for _ in range(environments))

    @property
    def inventory(self) -> InventoryRepository:
        """The stock, as staff see it."""
        inventory: InventoryRepository = self.staff.stores.inventory  # type: ignore[assignment]
        return inventory

    @property
    def audit(self) -> Any:
        """Who did what."""
        return self.staff.stores.audit

    def stocked(self, units: int, shards: int) -> None:
        """So many free units, in a pool if `shards` is not 0."""
        adjust_stock(
            self.inventory,
            self.audit,
            sku=SKU,
            quantity=units,
            reason="delivery",
            actor=ACTOR,
            adjustment_id="delivery",
            now=self.loop.moment(),
            kind="received",
        )
        if shards:
            switch_on(self.inventory, self.audit, sku=SKU, shards=shards, actor=ACTOR, now=self.loop.moment())

    def checkouts(self, count: int) -> list[str]:
        """The ids of so many stored checkouts, each of one unit and ready to be completed."""
        ready = self._ready()
        ids = [f"checkout_{number}" for number in range(count)]
        for checkout_id in ids:
            self.staff.checkouts.add(ready.model_copy(update={"id": checkout_id}))  # type: ignore[attr-defined]
        return ids

    def _ready(self) -> Checkout:
        now = self.loop.moment()
        asked = Checkout(
            id="checkout",
            status="incomplete",
            currency="USD",
            lines=(WantedLine(id="line_1", sku=SKU, quantity=1),),
            buyer=Buyer(first_name="Ada", last_name="Example", email="ada@example.com"),
            destination=PostalAddress(
                first_name="Ada",
                last_name="Example",
                street_address="1 Sample Street",
                address_locality="Portland",
                address_region="OR",
                postal_code="97201",
                address_country="US",
            ),
            destination_id="home",
            option_id="standard",
            created_at=iso(now),
            updated_at=iso(now),
            expires_at=epoch(now) + 6 * 3600,
        )
        return derive(asked, self.staff.catalog.offers([SKU]), self.inventory.supply([SKU], now), {}, SETTINGS, now)

    @contextmanager
    def environment(self) -> Iterator[Till]:
        """A function that runs for this buyer alone; where all are busy, the buyer's client tries again."""
        while not self.idle:
            self.loop.sleep(0.05 + 0.1 * self.chance.random())
        till = self.idle.popleft()
        try:
            yield till
        finally:
            self.idle.append(till)

    @contextmanager
    def virtual_time(self) -> Iterator[None]:
        """Pauses between attempts pass in the loop."""
        random.seed(self.chance.random())
        with patch.object(dynamodb, "time", SimpleNamespace(sleep=self.loop.sleep)):
            yield

    def rows(self) -> tuple[Stock, ...]:
        """The SKU's rows as they are."""
        return self.inventory.rows(SKU, "main")

    def balances(self) -> bool:
        """Whether every row is what its movements sum to, and no row promises more than the orders hold."""
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for movement in self.inventory.movements(SKU, iso(self.loop.moment())[:7], limit=10**9):
            sums[movement.shard][0] += movement.on_hand
            sums[movement.shard][1] += movement.available
        stock = {row.shard: [row.on_hand, row.available] for row in self.rows()}
        return all(sums[shard] == stock.get(shard, [0, 0]) for shard in {*sums, *stock})

    def busiest_keys(self) -> list[dict[str, Any]]:
        """The busiest partition key of each kind, and its units in its busiest second."""
        kinds: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        for (kind, table, key), units in self.capacity.busiest.items():
            kinds[kind, table, key.split("#")[0]][key] = units
        rows = [
            {"kind": kind, "table": table, "key": key, "units": units}
            for (kind, table, _), keys in kinds.items()
            for key, units in keys.most_common(1)
        ]
        return sorted(rows, key=lambda row: -row["units"])

    def _till(self) -> Till:
        def table(name: str) -> Table:
            return Table(self.client, name)

        outbox, seals = Outbox("outbox"), Seals(table("privacy"))
        checkouts = CheckoutRepository(table("carts"), seals)
        inventory = InventoryRepository(table("inventory"), outbox, SETTINGS.location_ids, clock=self.loop.clock)
        discounts = DiscountRepository(table("inventory"))
        return Till(
            stores=Stores(
                OrderRepository(table("orders"), outbox, seals),
                PaymentRepository(table("orders")),
                AuditTrail("audit"),
                checkouts,
                inventory,
                discounts,
            ),
            checkouts=checkouts,
            catalog=OneProduct(),
            shelves=inventory,
            discounts=discounts,
            gateway=Bank(),
            workflow=Running(),
            lines=LineRepository(table("carts"), clock=self.loop.clock),
            settings=SETTINGS,
            pause=self.loop.sleep,
            clock=self.loop.clock,
        )
