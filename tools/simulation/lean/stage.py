"""Where the lean tier's schedules are played: what a process makes once.

`virtual.install` and `tables.install` must have run before this is imported.
"""

import gc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Item
from commerce.adapters.outbox import Outbox
from commerce.checkout import repository as checkout_repository
from commerce.checkout.model import Checkout
from commerce.checkout.repository import CheckoutRepository, LineRepository
from commerce.checkout.service import derive
from commerce.clock import epoch, iso
from commerce.contact import Buyer, PostalAddress
from commerce.ids import new_id
from commerce.inventory.repository import InventoryRepository
from commerce.orders import repository as order_repository
from commerce.orders.repository import OrderRepository
from commerce.payments.repository import PaymentRepository
from commerce.pricing.model import Offer, WantedLine
from commerce.supply import SellingPolicy, Supply
from stacks.config import load
from stacks.functions import FUNCTIONS
from tools.simulation import virtual
from tools.simulation.faults import Plan
from tools.simulation.flows import POLICIES, PRICES, SKUS, STOCK
from tools.simulation.functions import LOCATIONS, SETTINGS_FILE
from tools.simulation.lean import flows
from tools.simulation.lean.tables import Client, Table, put
from tools.simulation.lean.world import Base, Premises, World
from tools.simulation.scheduler import START
from tools.simulation.schedules import Schedule
from tools.simulation.world import machine

T = TypeVar("T")
_MOST_REMEMBERED = 5_000
_ADDRESS = PostalAddress(
    first_name="Ada",
    last_name="Byron",
    street_address="12 St James Square",
    address_locality="London",
    postal_code="SW1Y 4LB",
    address_country="GB",
)


def _remembered(decode: Callable[[Item], T]) -> Callable[[Item], T]:
    """Decodes a stored item once: neither it nor its model ever changes."""
    known: dict[int, tuple[Item, T]] = {}

    def decoded(item: Item) -> T:
        found = known.get(id(item))
        if found is None or found[0] is not item:
            if len(known) > _MOST_REMEMBERED:
                known.clear()
            found = known[id(item)] = item, decode(item)
        return found[1]

    return decoded


class Stage:
    """The repositories and the furnished shop of this process."""

    flow_names = ("lean_checkout",)
    """Whose single faults and pairs of faults are played."""

    def __init__(self) -> None:
        self._premises = _premises()
        self._base: Base | None = None
        self._ready: dict[flows.Wanted, Checkout] = {}
        self._supply: dict[str, Supply] = {}
        self.world = World(self._premises, None, 0, Plan({}))
        self._furnish()
        self._base = self.world.base()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    def play(self, schedule: Schedule, *, told: bool = False, traced: bool = False) -> World:
        """One schedule to its end. Raises Violation or NoRest, and leaves the world as it is at that moment."""
        world = self.world = World(self._premises, self._base, schedule.seed, schedule.chooser, told=told)
        if traced:
            world.boundaries.trace = []
        scene = flows.Scene(world, self._checkout)
        (flows.checkout if schedule.flow in self.flow_names else flows.crowd)(scene)
        world.run()
        if schedule.calm:
            world.checks.ended(("delivered",))
        return world

    def _furnish(self) -> None:
        world, staff = self.world, flows.Staff(self.world)

        def make() -> None:
            for sku, policy in POLICIES.items():
                self._premises.inventory.save_policy(sku, SellingPolicy(), policy)
            for number, ((sku, location), quantity) in enumerate(STOCK.items()):
                staff.adjust(sku, location, quantity, 1000 + number)
            self._supply = self._premises.inventory.supply(SKUS, virtual.now())

        world.scheduler.start("staff", make)
        world.scheduler.run()

    def _checkout(self, world: World, lines: flows.Wanted, email: str) -> Checkout:
        """A checkout of these lines that its buyer could complete, stored."""
        known = self._ready.get(lines)
        if known is None:
            known = self._ready[lines] = self._derived(lines)
        buyer = known.buyer.model_copy(update={"email": email})
        checkout = known.model_copy(update={"id": new_id("checkout"), "buyer": buyer})
        world.tables.commit([put("carts", checkout_repository._item(checkout))])
        return checkout

    def _derived(self, lines: flows.Wanted) -> Checkout:
        """As buyers saw it when all schedules began."""
        now = datetime.fromtimestamp(START, UTC)
        wanted = Checkout(
            id="",
            status="incomplete",
            currency="USD",
            lines=tuple(
                WantedLine(id=f"line_{number}", sku=sku, quantity=quantity)
                for number, (sku, quantity) in enumerate(lines, 1)
            ),
            buyer=Buyer(email="ada@buyers.example", first_name="Ada", last_name="Byron"),
            destination=_ADDRESS,
            destination_id="home",
            option_id="standard",
            created_at=iso(now),
            updated_at=iso(now),
            expires_at=epoch(now + timedelta(hours=6)),
        )
        return derive(wanted, self._premises.offers, self._supply, self._premises.settings)


def _premises() -> Premises:
    orders: Any = order_repository
    checkouts: Any = checkout_repository
    orders._order, checkouts._checkout = _remembered(orders._order), _remembered(checkouts._checkout)
    config = load(SETTINGS_FILE)
    config = config.model_copy(update={"shop": config.shop.model_copy(update={"locations": LOCATIONS})})
    client, outbox = Client(), Outbox("outbox")

    def table(name: str) -> Any:
        return Table(client, name)

    return Premises(
        client=client,
        orders=OrderRepository(table("orders"), outbox),
        payments=PaymentRepository(table("orders")),
        audit=AuditTrail("audit"),
        checkouts=CheckoutRepository(table("carts")),
        inventory=InventoryRepository(
            table("inventory"), outbox, config.shop.location_ids, config.shop.low_stock, virtual.monotonic
        ),
        lines=LineRepository(table("carts"), virtual.monotonic),
        settings=config.shop,
        machine=machine(config),
        offers={
            sku: Offer(sku=sku, product_id=f"product_{sku}", title=sku.title(), prices={"USD": price}, weight_grams=400)
            for sku, price in PRICES.items()
        },
        timeouts={name: float(function.timeout) for name, function in FUNCTIONS.items()},
    )
