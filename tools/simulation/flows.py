"""What people do with the shop: buyers, staff, banks and carriers, each trying again as real ones do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tools.simulation.parcels import Shipment
from tools.simulation.world import Answer, World

VISA = "pm_card_visa"
WITH_3DS = "pm_card_authenticationRequired"
DECLINED = "pm_card_chargeDeclined"
CAPTURE_FAILS = "pm_card_captureFails"
PENDING_REFUND = "pm_card_pendingRefund"
CARDS = ((VISA,), (VISA,), (VISA,), (WITH_3DS,), (DECLINED, VISA), (CAPTURE_FAILS,), (PENDING_REFUND,))
"""With which cards buyers pay, one after another."""
SKUS = ("MUG", "TEAPOT", "LAST")
PRICES = {"MUG": 1800, "TEAPOT": 4200, "LAST": 9900}
STOCK = {"MUG": 6, "TEAPOT": 3, "LAST": 1}
PAUSES = (1.0, 2.0, 5.0, 15.0, 70.0, 300.0)
"""Seconds after which a client sends a request again that was not answered."""
_ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "street_address": "12 St James Square",
    "address_locality": "London",
    "postal_code": "SW1Y 4LB",
    "address_country": "GB",
}


def furnish(world: World) -> None:
    """Products and stock, as staff make them."""

    def make() -> None:
        for sku, price in PRICES.items():
            draft = {
                "title": sku.title(),
                "variants": [{"sku": sku, "prices": {"USD": price, "EUR": price}, "weight_grams": 400}],
            }
            made = world.http("admin_catalog", "POST /admin/products", body=draft, staff=True)
            assert made is not None and made.status == 201, made
            world.http(
                "admin_catalog",
                "POST /admin/products/{id}/publish",
                parameters={"id": made.body["id"]},
                headers={"if-match": '"1"'},
                staff=True,
            )
            world.http(
                "admin_inventory",
                "POST /admin/stock/{sku}/adjustments",
                parameters={"sku": sku},
                body={"quantity": STOCK[sku], "reason": "delivery"},
                headers={"idempotency-key": f"stock-{sku}"},
                staff=True,
            )

    world.scheduler.start("staff", make)
    world.scheduler.run()


@dataclass
class Person:
    """Somebody with a client that tries again under the same key."""

    world: World
    name: str
    _requests: int = 0

    def ask(self, function: str, route: str, *, key: str | None = None, **request: Any) -> Answer | None:
        """The answer, once there is one that is not about the shop's own trouble; None where all attempts failed."""
        self._requests += 1
        headers = {**request.pop("headers", {}), "idempotency-key": key or f"{self.name}-{self._requests}"}
        for pause in (*PAUSES, None):
            answer = self.world.http(function, route, headers=headers, **request)
            if answer is not None and answer.status < 500 and not _in_progress(answer):
                self._again(answer, function, route, headers, request)
                return answer
            if pause is not None:
                self.world.scheduler.sleep(pause)
        return None

    def _again(
        self, first: Answer, function: str, route: str, headers: dict[str, str], request: dict[str, Any]
    ) -> None:
        """Now and then a client sends an answered request once more: the answer must be the same."""
        if route.startswith("POST") and self.world.random.random() < 0.05:
            answer = self.world.http(function, route, headers=headers, **request)
            if answer is not None and answer.status < 500 and not _in_progress(answer):
                self.world.checks.replayed(first.text, answer.text)


def _in_progress(answer: Answer) -> bool:
    return answer.status == 409 and (answer.body or {}).get("code") == "idempotency_in_progress"


@dataclass
class Buyer(Person):
    """Buys `lines` with `cards`, one after another where the first is declined."""

    lines: Sequence[tuple[str, int]] = (("MUG", 1),)
    cards: Sequence[str] = (VISA,)
    confirms: bool = True
    """Whether the buyer does what the bank's page asks for."""
    order_id: str | None = None
    on_order: Callable[[str], None] = lambda order_id: None

    def buy(self) -> str | None:
        """The order's id, or None where the shop sold nothing."""
        made = self.ask("carts", "POST /checkout-sessions", body=self._wants())
        if made is None or made.status != 201:
            return None
        checkout_id = made.body["id"]
        for card in self.cards:
            checkout = self._pay(checkout_id, card)
            if checkout is not None and checkout["status"] == "completed":
                order_id = str(checkout["order"]["id"])
                self.order_id = order_id
                self.on_order(order_id)
                return order_id
            if checkout is None or checkout["status"] not in ("ready_for_complete", "incomplete"):
                break
        return None

    def _pay(self, checkout_id: str, card: str) -> dict[str, Any] | None:
        for attempt in range(4):
            answer = self.ask(
                "complete_checkout",
                "POST /checkout-sessions/{id}/complete",
                parameters={"id": checkout_id},
                body=_payment(card),
                key=f"{self.name}-{card}-{attempt}",
            )
            if answer is None or answer.status != 200:
                return None
            checkout: dict[str, Any] = answer.body
            if checkout["status"] == "requires_escalation":
                return self._escalated(checkout_id)
            if checkout["status"] != "complete_in_progress":
                return checkout
            self.world.scheduler.sleep(20.0)
        return None

    def _escalated(self, checkout_id: str) -> dict[str, Any] | None:
        """The bank's page, then back to the shop until it knows."""
        self.world.scheduler.sleep(30.0)
        intent = next(
            (
                order.get("payment_intent")
                for order in self.world.checks.orders()
                if order["checkout_id"] == checkout_id and order["status"] == "pending_payment"
            ),
            None,
        )
        if intent is not None:
            self.world.story.tell("confirms at the bank" if self.confirms else "declines at the bank", intent)
            self.world.payments.authenticate(intent, passed=self.confirms)
        for _ in range(5):
            self.world.scheduler.sleep(10.0)
            answer = self.ask("carts", "GET /checkout-sessions/{id}", parameters={"id": checkout_id})
            if answer is not None and answer.status == 200 and answer.body["status"] != "requires_escalation":
                return dict(answer.body)
        return None

    def _wants(self) -> dict[str, Any]:
        return {
            "line_items": [{"item": {"id": sku}, "quantity": quantity} for sku, quantity in self.lines],
            "context": {"currency": "USD", "address_country": "GB"},
            "buyer": {"email": f"{self.name}@buyers.example", "first_name": "Ada", "last_name": "Byron"},
            "fulfillment": {
                "methods": [
                    {
                        "type": "shipping",
                        "destinations": [{"id": "home", **_ADDRESS}],
                        "groups": [{"selected_option_id": "standard"}],
                    }
                ]
            },
        }

    def cancel(self) -> None:
        """Takes the order back."""
        order_id = self.order_id
        if order_id is None:
            return
        from commerce.identity.service import access_token
        from tools.simulation.functions import SIGNING_KEY

        self.ask(
            "orders",
            "POST /orders/{id}/cancel",
            parameters={"id": order_id},
            query={"access_token": access_token(SIGNING_KEY, order_id)},
        )


def _payment(card: str) -> dict[str, Any]:
    instrument = {
        "id": "card_1",
        "handler_id": "stripe",
        "type": "card",
        "selected": True,
        "credential": {"type": "token", "token": card},
    }
    return {"payment": {"instruments": [instrument]}}


@dataclass
class Warehouse(Person):
    """Picks, packs and hands over an order, whenever it is ready for the next of these."""

    short: bool = False
    """Whether a unit is missing on the shelf."""

    def work(self, order_id: str) -> None:
        """Until the order has left, or is no longer to."""
        for _ in range(40):
            order = self.world.checks.find(order_id)
            if order is None or order["status"] not in ("pending_payment", "confirmed", "picked", "packed"):
                return
            self._step(order)
            self.world.scheduler.sleep(1800.0)

    def _step(self, order: dict[str, Any]) -> None:
        match order["status"]:
            case "confirmed":
                lines = [
                    {"line_id": line["id"], "quantity": line["quantity"] - (1 if self.short and not position else 0)}
                    for position, line in enumerate(order["lines"])
                ]
                self._admin("pick", order["id"], {"lines": lines})
            case "picked":
                self._admin("pack", order["id"], {"weight_grams": 500})
            case "packed":
                self._admin("ship", order["id"], None)

    def _admin(self, step: str, order_id: str, body: Any) -> Answer | None:
        return self.ask(
            "admin_orders", f"POST /admin/orders/{{id}}/{step}", parameters={"id": order_id}, body=body, staff=True
        )


@dataclass
class Support(Person):
    """Cancels, refunds, takes returns, and asks carriers about silent parcels."""

    def act(self, step: str, order_id: str, body: Any) -> Answer | None:
        """One step of support's."""
        function = "admin_refunds" if step == "refunds" else "admin_orders"
        return self.ask(
            function, f"POST /admin/orders/{{id}}/{step}", parameters={"id": order_id}, body=body, staff=True
        )


    def does(self, step: str, order_id: str, body: Any) -> None:
        """As an actor's work."""
        self.act(step, order_id, body)


@dataclass
class Parcels:
    """What carriers do with every parcel: it travels, and arrives or is lost. `endings` is by order id."""

    world: World
    ending: str = "delivered"
    endings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.on_parcel = self.travels
        self.world.bus.overdue = self.overdue

    def travels(self, shipment: Shipment) -> None:
        """From the depot to the door."""
        self.world.scheduler.start(f"parcel {shipment.id}", lambda: self._journey(shipment), after=21_600.0)

    def _journey(self, shipment: Shipment) -> None:
        for _ in range(200):
            order = self.world.checks.find(shipment.reference)
            if shipment.refunded or order is None or order["status"] in ("canceled", "lost", "delivered"):
                return
            if order["status"] == "shipped":
                break
            self.world.scheduler.sleep(21_600.0)
        for status in ("in_transit", self._ending(shipment.reference)):
            self.world.carrier_tells(shipment, status)
            self.world.scheduler.sleep(86_400.0)

    def _ending(self, order_id: str) -> str:
        return self.endings.get(order_id, self.ending)

    def overdue(self, order_id: str) -> None:
        """Operators ask the carrier, and support writes down what it says."""
        support = Support(self.world, f"support-overdue-{order_id[-4:]}")
        told = {"status": self._ending(order_id)}
        self.world.scheduler.start("support", partial(support.does, "parcel", order_id, told), after=3600.0)


Flow = Callable[[World], None]


def _bought(world: World, number: int = 1, *, short: bool = False, **buyer: Any) -> Buyer:
    """A buyer who buys, and a warehouse that then works."""
    somebody = Buyer(world, f"buyer{number}", **buyer)

    def work() -> None:
        order_id = somebody.buy()
        if order_id:
            world.scheduler.start(
                f"warehouse {number}",
                lambda: Warehouse(world, f"warehouse{number}", short=short).work(order_id),
                after=600.0,
            )

    world.scheduler.start(somebody.name, work)
    return somebody


def checkout(world: World) -> None:
    """Bought, shipped, delivered."""
    Parcels(world)
    _bought(world, lines=(("MUG", 1), ("TEAPOT", 1)))
    _safety_net(world)


def _safety_net(world: World) -> None:
    """Whoever bought without hearing of it has an order all the same: the warehouse finds it on its list."""

    def rounds() -> None:
        for number in range(4):
            world.scheduler.sleep(43_200.0)
            for order in list(world.checks.orders()):
                if order["status"] in ("confirmed", "picked", "packed"):
                    Warehouse(world, f"round{number}-{order['id'][-4:]}").work(order["id"])

    world.scheduler.start("the warehouse's list", rounds)


def with_3ds(world: World) -> None:
    """The buyer's bank wants a confirmation, and gets it."""
    Parcels(world)
    _bought(world, cards=(WITH_3DS,))
    _safety_net(world)


def abandoned_3ds(world: World) -> None:
    """The bank wants a confirmation, and the buyer refuses it."""
    Parcels(world)
    _bought(world, cards=(WITH_3DS,), confirms=False)
    _safety_net(world)


def declined(world: World) -> None:
    """The first card is declined, the second is not."""
    Parcels(world)
    _bought(world, cards=(DECLINED, VISA))
    _safety_net(world)


def expiry(world: World) -> None:
    """The buyer leaves at the bank's page: the hold passes."""
    Parcels(world)
    somebody = Buyer(world, "buyer1", cards=(WITH_3DS,))
    somebody._escalated = lambda checkout_id: None  # type: ignore[method-assign]
    world.scheduler.start("buyer1", lambda: somebody.buy())
    _safety_net(world)


def cancel(world: World) -> None:
    """Bought, and taken back while the warehouse works."""
    Parcels(world)
    _changes_mind(world, _bought(world))
    _safety_net(world)


def _changes_mind(world: World, somebody: Buyer) -> None:
    def change_of_mind() -> None:
        for _ in range(10):
            world.scheduler.sleep(30.0 + 2400.0 * world.random.random())
            if somebody.order_id:
                somebody.cancel()
                return

    world.scheduler.start("second thoughts", change_of_mind)


def cancel_against_ship(world: World) -> None:
    """Support cancels at the moment at which the parcel is handed over."""
    Parcels(world)
    _race_at_handover(world, _bought(world))
    _safety_net(world)


def _race_at_handover(world: World, somebody: Buyer) -> None:
    def race() -> None:
        for _ in range(2000):
            world.scheduler.sleep(5.0)
            order = world.checks.find(somebody.order_id or "")
            if order is not None and order["status"] in ("ready_to_ship", "canceled", "shipped"):
                Support(world, "support").act("cancel", order["id"], {"reason": "buyer_request"})
                return

    world.scheduler.start("support", race)


def short_pick(world: World) -> None:
    """A unit is not on the shelf."""
    Parcels(world)
    _bought(world, short=True, lines=(("MUG", 2),))
    _safety_net(world)


def lost(world: World) -> None:
    """The carrier loses the parcel."""
    Parcels(world, ending="lost")
    _bought(world)
    _safety_net(world)


def capture_fails(world: World) -> None:
    """The bank takes its word back when the parcel leaves."""
    Parcels(world)
    _bought(world, cards=(CAPTURE_FAILS,))
    _safety_net(world)


def _after_delivery(world: World, somebody: Buyer, do: Callable[[str], None]) -> None:
    def wait() -> None:
        for _ in range(60):
            world.scheduler.sleep(43_200.0)
            order = world.checks.find(somebody.order_id or "")
            if order is not None and order.get("settled"):
                do(order["id"])
                return

    world.scheduler.start("support", wait)


def refund(world: World) -> None:
    """After delivery, support gives a part back, twice at once."""
    Parcels(world)
    _after_delivery(
        world, _bought(world, lines=(("TEAPOT", 1),)), lambda order_id: _refund_twice(world, order_id)
    )
    _safety_net(world)


def _refund_twice(world: World, order_id: str) -> None:
    order = world.checks.find(order_id)
    assert order is not None
    body = {"amount": order["lines"][0]["unit_price"] * 7 // 10, "reason": "a scratch"}
    for number in (1, 2):
        support = Support(world, f"support{number}-{order_id[-4:]}")
        world.scheduler.start(support.name, partial(support.does, "refunds", order_id, body))


def returned(world: World) -> None:
    """The goods come back, go onto the shelf, and the money goes back."""
    Parcels(world)
    somebody = _bought(world, lines=(("MUG", 2),), cards=(PENDING_REFUND,))
    _after_delivery(world, somebody, lambda order_id: _take_back(world, order_id))
    _safety_net(world)


def _take_back(world: World, order_id: str) -> None:
    support = Support(world, f"support-{order_id[-4:]}")
    order = world.checks.find(order_id)
    assert order is not None
    line = order["lines"][0]
    support.act("returns", order_id, {"lines": [{"line_id": line["id"], "quantity": 1}]})
    support.act("refunds", order_id, {"amount": line["unit_price"], "reason": "returned"})


def disputed(world: World) -> None:
    """The buyer's bank takes the money back while support refunds it."""
    Parcels(world)
    _after_delivery(world, _bought(world), lambda order_id: _dispute(world, order_id))
    _safety_net(world)


def _dispute(world: World, order_id: str) -> None:
    order = world.checks.find(order_id)
    assert order is not None
    intent = order["payment_intent"]

    def take() -> None:
        world.scheduler.turn(0.1)
        world.payments.dispute(intent)

    world.scheduler.start("the buyer's bank", take)
    Support(world, f"support-{order_id[-4:]}").act("refunds", order_id, {"amount": 500, "reason": "a scratch"})


def last_unit(world: World) -> None:
    """Two buyers want the last one, one of them in two lines of one."""
    Parcels(world)
    _bought(world, 1, lines=(("LAST", 1),))
    _bought(world, 2, lines=(("LAST", 1), ("MUG", 1)))
    _safety_net(world)


def crowd(world: World) -> None:
    """Two to eight buyers at once who want the same few things, and everything that may become of an order."""
    chances = world.random
    parcels = Parcels(world)
    for number in range(1, chances.randint(2, 8) + 1):
        lines = tuple((chances.choice(SKUS), chances.randint(1, 2)) for _ in range(chances.randint(1, 2)))
        cards = chances.choice(CARDS)
        somebody = _bought(
            world,
            number,
            short=chances.random() < 0.1,
            lines=lines,
            cards=cards,
            confirms=chances.random() < 0.8,
        )
        _afterwards(world, somebody, parcels)
    _safety_net(world)


def _afterwards(world: World, somebody: Buyer, parcels: Parcels) -> None:
    """What else happens to the order, by chance."""
    match world.random.randrange(8):
        case 0:
            _changes_mind(world, somebody)
        case 1:
            _race_at_handover(world, somebody)
        case 2:
            _after_delivery(world, somebody, lambda order_id: _refund_twice(world, order_id))
        case 3:
            _after_delivery(world, somebody, lambda order_id: _take_back(world, order_id))
        case 4:
            _after_delivery(world, somebody, lambda order_id: _dispute(world, order_id))
        case 5:
            somebody.on_order = lambda order_id: parcels.endings.update({order_id: "lost"})


@dataclass(frozen=True)
class Scene:
    """A flow, and the statuses in which its orders come to rest when nothing goes wrong, sorted."""

    play: Flow
    ends: tuple[str, ...]


FLOWS: dict[str, Scene] = {
    "checkout": Scene(checkout, ("delivered",)),
    "3ds": Scene(with_3ds, ("delivered",)),
    "abandoned_3ds": Scene(abandoned_3ds, ("canceled",)),
    "declined": Scene(declined, ("canceled", "delivered")),
    "expiry": Scene(expiry, ("canceled",)),
    "cancel": Scene(cancel, ("canceled",)),
    "cancel_against_ship": Scene(cancel_against_ship, ("delivered",)),
    "short_pick": Scene(short_pick, ("canceled",)),
    "lost": Scene(lost, ("lost",)),
    "capture_fails": Scene(capture_fails, ("canceled",)),
    "refund": Scene(refund, ("delivered",)),
    "return": Scene(returned, ("delivered",)),
    "dispute": Scene(disputed, ("delivered",)),
    "last_unit": Scene(last_unit, ("delivered",)),
}
