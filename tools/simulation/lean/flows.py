"""What happens in a shop, in the words of its use cases: `tools.simulation.flows`, one layer further in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from commerce.checkout.complete import Instrument, Payment, complete
from commerce.checkout.model import Checkout
from commerce.fulfilment.model import Ending, PickedLine
from commerce.fulfilment.tracking import end_journey
from commerce.fulfilment.warehouse import hand_over, pack, pick
from commerce.identity.model import GUEST
from commerce.inventory.pooling import switch_off, switch_on
from commerce.inventory.service import adjust_stock, transfer_stock
from commerce.orders.model import Order
from commerce.orders.payment import refund
from commerce.orders.service import cancel_order
from commerce.protocol import PAYMENT_HANDLER_ID
from commerce.returns.model import ReturnedLine
from commerce.returns.service import receive
from tools.simulation import virtual
from tools.simulation.flows import CARDS, SKUS, STOCK
from tools.simulation.lean.depot import Parcel
from tools.simulation.lean.world import World

Wanted = tuple[tuple[str, int], ...]
"""Lines: SKU and quantity."""
Ready = Callable[[World, Wanted, str], Checkout]
"""Stores a checkout of these lines that its buyer could complete, for the e-mail address."""
DAY = 86_400.0
_BUYERS = (2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 5, 8)
"""How many want the same things at once, mostly few: most of what can go wrong goes wrong between two."""
STAFF = "staff_1"


def _payment(card: str) -> Payment:
    credential = {"type": "token", "token": card}
    instrument = Instrument.model_validate(
        {"id": "card_1", "handler_id": PAYMENT_HANDLER_ID, "type": "card", "credential": credential}
    )
    return Payment(instruments=(instrument,))


@dataclass
class Buyer:
    """Buys `lines` with `cards`, one after another where the first is declined."""

    world: World
    number: int
    lines: Wanted
    cards: Sequence[str]
    confirms: bool = True
    order_id: str | None = None

    def buy(self, ready: Ready) -> None:
        """Until the order stands, or none of the cards will do."""
        checkout = ready(self.world, self.lines, f"buyer{self.number}@buyers.example")
        for card in self.cards:
            paid = self._pay(checkout.id, card)
            if paid is not None and paid.status == "completed" and paid.order_id:
                self.order_id = paid.order_id
                return
            if paid is None or paid.status not in ("ready_for_complete", "incomplete"):
                return

    def _pay(self, checkout_id: str, card: str) -> Checkout | None:
        world = self.world
        for _ in range(4):
            checkout = world.request(
                "complete_checkout",
                "complete",
                lambda: complete(world.till, checkout_id, _payment(card), caller=GUEST, now=virtual.now()),
            )
            if checkout is None:
                return None
            if checkout.status == "requires_escalation":
                return self._escalated(checkout)
            warned = any(message.type == "warning" for message in checkout.messages)
            if checkout.status == "ready_for_complete" and warned:
                continue
            if checkout.status != "complete_in_progress":
                return checkout
            world.scheduler.sleep(20.0)
        return None

    def _escalated(self, checkout: Checkout) -> Checkout | None:
        """The bank's page, then back to the shop until it knows."""
        world = self.world
        world.scheduler.sleep(30.0)
        order = world.checks.find(checkout.order_id or "")
        if order is not None and order.get("payment_intent"):
            world.payments.authenticate(order["payment_intent"], passed=self.confirms)
        for _ in range(3):
            world.scheduler.sleep(30.0)
            seen = world.tables.find("carts", f"CHECKOUT#{checkout.id}", "CHECKOUT")
            if seen is None or seen["status"] != "requires_escalation":
                return Checkout.model_validate({k: v for k, v in (seen or {}).items() if k not in ("pk", "sk")})
        return None


@dataclass
class Staff:
    """The warehouse and support."""

    world: World

    def work_off(self, order_id: str, *, short: bool = False) -> None:
        """Picks, packs and hands over, until the order has left or is no longer to."""
        for _ in range(12):
            order = self.world.checks.find(order_id)
            if order is None or order["status"] not in ("confirmed", "picked", "packed"):
                return
            for parcel in order["shipments"]:
                self._step(order, parcel, short)
            self.world.scheduler.sleep(1800.0)

    def _step(self, order: dict[str, Any], parcel: dict[str, Any], short: bool) -> None:
        world, place = self.world, parcel["location"]
        common = {"order_id": order["id"], "actor": STAFF, "location": place}
        match parcel["status"]:
            case "pending" if order["status"] == "confirmed" and self._there(order, parcel):
                found = tuple(
                    PickedLine(line_id=line["line_id"], quantity=line["quantity"] - (short and position == 0))
                    for position, line in enumerate(parcel["lines"])
                )
                inventory = world.premises.inventory
                self._ask(
                    "pick",
                    lambda: pick(
                        world.stores, inventory, world.workflow, picked=found, now=virtual.now(), **common
                    ),
                )
            case "picked":
                self._ask("pack", lambda: pack(world.stores, weight_grams=500, now=virtual.now(), **common))
            case "packed":
                self._ask("hand_over", lambda: hand_over(world.stores, world.workflow, now=virtual.now(), **common))

    def _there(self, order: dict[str, Any], parcel: dict[str, Any]) -> bool:
        skus = {line["id"]: line["sku"] for line in order["lines"]}
        return all(
            self.world.checks.on_hand(skus[line["line_id"]], parcel["location"]) >= line["quantity"]
            for line in parcel["lines"]
        )

    def cancel(self, order_id: str) -> None:
        """For the buyer."""
        world = self.world
        self._ask(
            "cancel",
            lambda: cancel_order(
                world.stores,
                world.workflow,
                world.premises.orders.get(order_id),
                reason="buyer_request",
                actor=STAFF,
                now=virtual.now(),
            ),
        )

    def give_back(self, order_id: str, refund_id: str, amount: int) -> None:
        """A refund, once per `refund_id`."""
        world = self.world
        self._ask(
            "refund",
            lambda: refund(
                world.stores,
                world.payments,
                order_id=order_id,
                amount=amount,
                reason="support",
                refund_id=refund_id,
                actor=STAFF,
                now=virtual.now(),
            ),
        )

    def take_back(self, order_id: str) -> None:
        """A unit comes back, and its money goes back."""
        world = self.world
        order = world.checks.find(order_id)
        assert order is not None
        line = order["lines"][0]
        self._ask(
            "return",
            lambda: receive(
                world.premises.orders,
                world.premises.inventory,
                world.premises.audit,
                order_id=order_id,
                lines=(ReturnedLine(line_id=line["id"], quantity=1),),
                key="one back",
                actor=STAFF,
                now=virtual.now(),
            ),
        )
        self.give_back(order_id, f"refund_{order_id}_return", line["unit_price"])

    def adjust(self, sku: str, location: str, quantity: int, number: int) -> None:
        """Units come, or are found broken."""
        world = self.world
        self._ask(
            "adjust",
            lambda: adjust_stock(
                world.premises.inventory,
                world.premises.audit,
                sku=sku,
                quantity=quantity,
                reason="counted",
                actor=STAFF,
                adjustment_id=f"adjust-{sku}-{number}",
                now=virtual.now(),
                location=location,
            ),
        )

    def transfer(self, sku: str, origin: str, destination: str, number: int) -> None:
        """A unit is carried to the other place."""
        world = self.world
        self._ask(
            "transfer",
            lambda: transfer_stock(
                world.premises.inventory,
                world.premises.audit,
                sku=sku,
                quantity=1,
                origin=origin,
                destination=destination,
                reason="nearer",
                actor=STAFF,
                transfer_id=f"transfer-{sku}-{number}",
                now=virtual.now(),
            ),
        )

    def pool(self, sku: str, shards: int | None) -> None:
        """Spreads the SKU over so many rows; None brings it together."""
        inventory, audit = self.world.premises.inventory, self.world.premises.audit
        if shards is None:
            self._ask("pool_off", lambda: switch_off(inventory, audit, sku=sku, actor=STAFF, now=virtual.now()))
            return
        self._ask(
            "pool_on",
            lambda: switch_on(inventory, audit, sku=sku, shards=shards, actor=STAFF, now=virtual.now()),
        )

    def ends(self, order_id: str, ending: Ending) -> None:
        """The carrier was asked about parcels that it is silent about."""
        world = self.world
        order = world.checks.find(order_id)
        for parcel in order["shipments"] if order else ():
            self._ask("parcel", partial(self._ended, order_id, ending, parcel["location"]))

    def _ended(self, order_id: str, ending: Ending, location: str) -> Order:
        world = self.world
        return end_journey(
            world.stores,
            world.workflow,
            order_id=order_id,
            ending=ending,
            actor=STAFF,
            now=virtual.now(),
            location=location,
        )

    def _ask(self, name: str, do: Callable[[], Any]) -> Any:
        return self.world.request("admin_orders", name, do)


@dataclass
class Scene:
    """One schedule's people. `ready` stores checkouts."""

    world: World
    ready: Ready
    ending: Ending = "delivered"

    def __post_init__(self) -> None:
        self.staff = Staff(self.world)
        self.world.on_parcel = lambda parcel: self._start("parcel", partial(self._journey, parcel), 21_600.0)
        self.world.on_overdue = lambda order_id: self._start(
            "support", lambda: self.staff.ends(order_id, self.ending), 3600.0
        )

    def bought(
        self,
        number: int = 1,
        *,
        lines: Wanted = (("MUG", 1),),
        cards: Sequence[str] = CARDS[0],
        confirms: bool = True,
        short: bool = False,
    ) -> Buyer:
        """A buyer who buys, and a warehouse that then works."""
        buyer = Buyer(self.world, number, lines, cards, confirms)

        def work() -> None:
            buyer.buy(self.ready)
            if buyer.order_id:
                self.world.checks.promised(buyer.order_id)
                self.world.scheduler.sleep(600.0)
                self.staff.work_off(buyer.order_id, short=short)

        self._start(f"buyer{number}", work)
        return buyer

    def safety_net(self) -> None:
        """The warehouse's list, and what is owed: whoever bought without hearing of it gets it all the same."""

        def rounds() -> None:
            for number in range(3):
                self.world.scheduler.sleep(DAY / 2)
                for sku, location in STOCK:
                    owed = self.world.checks.owed(sku, location)
                    if owed:
                        self.staff.adjust(sku, location, owed, 100 + number)
                for order in list(self.world.checks.orders()):
                    self.staff.work_off(order["id"])

        self._start("the warehouse's list", rounds)

    def changes_mind(self, buyer: Buyer) -> None:
        """The buyer cancels, soon or while the warehouse works."""

        def cancel() -> None:
            for _ in range(5):
                self.world.scheduler.sleep(4000.0 * self.world.random.random())
                if buyer.order_id:
                    self.staff.cancel(buyer.order_id)
                    return

        self._start("second thoughts", cancel)

    def races_at_handover(self, buyer: Buyer) -> None:
        """Support cancels at the moment at which the parcel is handed over."""

        def race() -> None:
            for _ in range(600):
                self.world.scheduler.sleep(20.0)
                order = self.world.checks.find(buyer.order_id or "")
                if order is not None and order["status"] in ("ready_to_ship", "canceled", "shipped"):
                    self.staff.cancel(order["id"])
                    return

        self._start("support", race)

    def after_delivery(self, buyer: Buyer, do: Callable[[str], None]) -> None:
        """Once the order is settled."""

        def wait() -> None:
            for _ in range(12):
                self.world.scheduler.sleep(DAY)
                order = self.world.checks.find(buyer.order_id or "")
                if order is not None and order.get("settled"):
                    do(order["id"])
                    return

        self._start("support", wait)

    def refunds_twice(self, order_id: str) -> None:
        """More than half of a line, twice at once."""
        order = self.world.checks.find(order_id)
        assert order is not None
        amount = order["lines"][0]["unit_price"] * 7 // 10
        for number in (1, 2):
            self._start("support", partial(self.staff.give_back, order_id, f"refund_{order_id}_{number}", amount))

    def disputed(self, order_id: str) -> None:
        """The buyer's bank takes the money back while support refunds it."""
        order = self.world.checks.find(order_id)
        assert order is not None

        def take() -> None:
            self.world.scheduler.turn(0.1)
            self.world.payments.dispute(order["payment_intent"])

        self._start("the buyer's bank", take)
        self.staff.give_back(order_id, f"refund_{order_id}_scratch", 500)

    def pooled_for_a_while(self, sku: str = "MUG") -> None:
        """Staff spread a SKU over a pool, and bring it together."""

        def pool() -> None:
            self.world.scheduler.sleep(0.3 * self.world.random.random())
            self.staff.pool(sku, 3)
            self.world.scheduler.sleep(4000.0 * self.world.random.random())
            self.staff.pool(sku, None)

        self._start("staff", pool)

    def stockroom(self) -> None:
        """Units are carried to and fro, and one is broken."""

        def carry() -> None:
            for number, way in enumerate((("main", "annex"), ("annex", "main"))):
                self.world.scheduler.sleep(0.4 * self.world.random.random())
                self.staff.transfer("TEAPOT", *way, number)
            self.staff.adjust("TEAPOT", "annex", -1, 1)

        self._start("stockroom", carry)

    def lamps_arrive(self) -> None:
        """Two of what was sold ahead."""
        pause = 7200.0 * self.world.random.random()
        self._start("delivery", lambda: self.staff.adjust("LAMP", "main", 2, 2), pause)

    def _journey(self, parcel: Parcel) -> None:
        for _ in range(40):
            order = self.world.checks.find(parcel.order_id)
            if parcel.given_back or order is None or order["status"] in ("canceled", "lost", "delivered"):
                return
            if order["status"] == "shipped":
                break
            self.world.scheduler.sleep(21_600.0)
        self.world.carrier_tells(parcel, self.ending)

    def _start(self, name: str, work: Callable[[], object], after: float = 0.0) -> None:
        self.world.scheduler.start(name, work, after=after)


def checkout(scene: Scene) -> None:
    """Bought, shipped, delivered: the flow whose pairs of faults are played, all of them."""
    scene.bought(lines=(("MUG", 1), ("TEAPOT", 1)))
    scene.safety_net()


def crowd(scene: Scene) -> None:
    """Two to eight buyers at once who want the same few things, and everything that may become of an order."""
    chances = scene.world.random
    for number in range(1, chances.choice(_BUYERS) + 1):
        lines = tuple((chances.choice(SKUS), chances.randint(1, 2)) for _ in range(chances.choice((1, 1, 2))))
        buyer = scene.bought(
            number,
            lines=lines,
            cards=chances.choice(CARDS),
            confirms=chances.random() < 0.8,
            short=chances.random() < 0.1,
        )
        _afterwards(scene, buyer)
    if chances.random() < 0.2:
        scene.stockroom()
    if chances.random() < 0.5:
        scene.lamps_arrive()
    if chances.random() < 0.2:
        scene.pooled_for_a_while()
    scene.safety_net()


def _afterwards(scene: Scene, buyer: Buyer) -> None:
    match scene.world.random.randrange(9):
        case 0:
            scene.changes_mind(buyer)
        case 1:
            scene.races_at_handover(buyer)
        case 2:
            scene.after_delivery(buyer, scene.refunds_twice)
        case 3:
            scene.after_delivery(buyer, scene.staff.take_back)
        case 4:
            scene.after_delivery(buyer, scene.disputed)
        case 5:
            scene.ending = "lost"

