"""The stories: what buyers, staff and carriers do with the shop, over HTTP and nothing else, and what must come of it.

Each is played with a plan of what goes wrong meanwhile, and must come to its end all the same: whoever asks again gets
there. Only a buyer whose payment the provider itself kept failing may leave without an order.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from commerce.fulfilment.model import share_of
from commerce.ids import order_id_for
from commerce.orders.model import TERMINAL, Order, Shipment
from tools.demo.actors import (
    BUYER,
    CARD_WITH_3DS,
    DECLINED_CARD,
    GOOD_CARD,
    Carrier,
    Shopper,
    access,
    answer,
    card,
    key,
)
from tools.demo.watch import until
from tools.local.calls import LOCAL, NO_AUTHORITIES
from tools.wire.faults import NEVER_FREE, Fault, Plan
from tools.wire.people import Journal
from tools.wire.stage import ANNEX, MAIN, Stage

PATIENCE = 300.0
"""Seconds that anything may take on a busy machine. Nothing is said about how long it does take."""
PAUSE = 0.5
AT_ONCE = 6
CARD_WITHOUT_CAPTURE = "pm_card_captureFails"
ATTEMPTS = 2
"""How often a checkout of a story is paid at most; each attempt is an order of its own."""

Checkout = dict[str, Any]


class Left(Exception):
    """The buyer went away without knowing whether they paid."""


@dataclass
class Story:
    """One story under way: who takes part, what they do, and which orders came of it."""

    name: str
    stage: Stage
    random: Random
    plan: Plan
    scarce: str
    """The SKU that a story has to itself which needs one; empty for the others."""
    provider_fails: bool
    """Whether the payment provider fails in some story of the round: it does not ask whose payment it is."""
    journal: Journal = field(default_factory=Journal)
    checkout_ids: list[str] = field(default_factory=list)
    rules: list[tuple[int, int]] = field(default_factory=list)
    """Where the plan's faults stand on the line: (position in the plan, id of the rule)."""

    def __post_init__(self) -> None:
        http = self.stage.client(self.journal)
        self.shopper = Shopper(http)
        self.warehouse, self.support, self.catalogue, self.admin = (
            self.stage.staff(group, http) for group in ("warehouse", "support", "catalogue", "admin")
        )
        self.carrier = Carrier(
            httpx.Client(base_url=self.stage.instance.carrier_url, verify=NO_AUTHORITIES, timeout=30)
        )

    @property
    def order_ids(self) -> list[str]:
        """All orders that may have come of it."""
        return [order_id for one in self.checkout_ids for order_id in _orders_of(one)]

    def begin(self) -> None:
        """From now on those faults may come that are about no order in particular, and those of the doubles."""
        self._add(about_order=False, about=())
        for trouble in self.plan.troubles:
            fault = {"operation": trouble.operation, "fault": trouble.fault, "times": trouble.times}
            self.stage.control(trouble.double, "faults", fault)

    def _add(self, *, about_order: bool, about: Iterable[str]) -> None:
        about = tuple(about)
        for position, fault in enumerate(self.plan.faults):
            if fault.boundary.about_order == about_order:
                self.rules.append((position, self.stage.line.add(fault.rules(about))[-1]))

    # what everybody does

    def checkout(self, *lines: tuple[str, int], codes: Iterable[str] = ()) -> Checkout:
        """A checkout of these (SKU, quantity) lines, or of one to three of the shared SKUs. From now on the faults may
        come that are about it."""
        if not lines:
            skus = self.random.sample(list(self.stage.shared), self.random.choice((1, 1, 2, 3)))
            lines = tuple((sku, self.random.choice((1, 1, 2))) for sku in skus)
        checkout = self.shopper.checkout(*lines, codes=codes)
        self.checkout_ids.append(checkout["id"])
        self._add(about_order=True, about=(checkout["id"], *_orders_of(checkout["id"])))
        return checkout

    def pay(self, checkout: Checkout, payment_method: str = GOOD_CARD) -> Checkout:
        """The checkout once the payment is decided, or the bank asks. Raises Left where that is never known."""
        answer = self.shopper.complete(checkout, payment_method)
        if answer["status"] == "complete_in_progress":
            answer = self.shopper.complete(checkout, payment_method)
        if answer["status"] != "complete_in_progress":
            return answer
        if self.provider_fails:
            raise Left

        def decided() -> Checkout | None:
            read: Checkout = self.shopper.get(f"/checkout-sessions/{checkout['id']}")
            return read if read["status"] != "complete_in_progress" else None

        return until("a decision about the payment", decided, patience=PATIENCE, pause=PAUSE)

    def buy(self, *lines: tuple[str, int], card: str = GOOD_CARD) -> Checkout:
        """A completed checkout."""
        return self.complete(self.checkout(*lines), card)

    def complete(self, checkout: Checkout, payment_method: str = GOOD_CARD) -> Checkout:
        """The completed checkout."""
        return self.insist("completed", self.pay(checkout, payment_method))

    def insist(self, status: str, answer: Checkout) -> Checkout:
        """The answer, which must have this status; where the provider fails, the buyer may leave instead."""
        if answer["status"] != status and self.provider_fails:
            raise Left
        expect(answer["status"] == status, f"the checkout is {answer['status']}: {answer['messages']}")
        return answer

    def becomes(self, order_id: str, *statuses: str) -> Order:
        """The order, once it has one of the statuses."""

        def look() -> Order | None:
            order = self.stage.order(order_id)
            return order if order and order.status in statuses else None

        order = until(f"{order_id} {' or '.join(statuses)}", look, patience=PATIENCE, pause=PAUSE)
        self.journal.note(f"{order_id} is {order.status}")
        return order

    def hand_over(self, order_id: str) -> Order:
        """The warehouse does its part, and the order is shipped."""
        self.prepare(order_id)
        return self.becomes(order_id, "shipped")

    def prepare(self, order_id: str) -> None:
        """The warehouse picks all, packs and hands over, each location its own parcel."""
        path = f"/orders/{order_id}"
        for parcel in self.becomes(order_id, "confirmed").shipments:
            here = {"location": parcel.location}
            self.warehouse.post(f"{path}/pick", {"lines": [line.model_dump() for line in parcel.lines], **here})
            self.warehouse.post(f"{path}/pack", {"weight_grams": self.random.randint(200, 2000), **here})
            self.warehouse.post(f"{path}/ship", here)

    def arrive(self, order: Order, news: str = "delivered") -> None:
        """The carrier tells what became of the order's parcels."""
        for shipment in order.shipments:
            self.hear(shipment, news)

    def hear(self, shipment: Shipment, news: str) -> None:
        """The carrier tells what became of this parcel."""
        if shipment.label:
            self.carrier.report(shipment.label.tracking_number, news)

    def decide(self, method: str, path: str, body: dict[str, Any] | None = None, *, seen_at: str) -> None:
        """Staff change something as they saw it at a path, and look again where it is not like that any more."""
        http, headers = self.catalogue.shop, self.catalogue.headers

        def decided() -> bool:
            version = {"If-Match": http.get(f"/admin{seen_at}", headers=headers).headers["etag"]}
            changed = http.request(method, f"/admin{path}", json=body, headers={**headers, **key(), **version})
            if changed.status_code != httpx.codes.PRECONDITION_FAILED:
                answer(changed)
            return changed.is_success

        until(f"{method} {path}", decided, patience=PATIENCE, pause=PAUSE)

    def sell(self, sku: str, **terms: Any) -> None:
        """From now on the SKU is sold under these terms."""
        policy = f"/stock/{sku}/policy"
        self.decide("PUT", policy, terms, seen_at=policy)

    @contextlib.contextmanager
    def pool(self, sku: str) -> Iterator[None]:
        """The SKU's stock lies over four rows until the block ends."""
        http, path, headers = self.warehouse.shop, f"/admin/stock/{sku}/pool", self.warehouse.headers
        answer(http.put(path, json={"shards": 4}, headers=headers))
        try:
            yield
        finally:
            answer(http.delete(path, headers=headers))

    def confirm_at_bank(self, waiting: Checkout, outcome: str) -> None:
        """What the buyer does on the bank's page: `complete` or `fail`."""
        LOCAL.post(waiting["continue_url"], data={"outcome": outcome})

    def let_time_pass(self) -> None:
        """The holds of the story's unpaid orders end, and the reconciler comes, until none is unpaid any more."""

        def ended() -> bool:
            orders = [self.stage.order(order_id) for order_id in self.order_ids]
            pending = [order.id for order in orders if order and order.status == "pending_payment"]
            for order_id in pending:
                self.stage.expire_hold(order_id)
            if pending:
                self.stage.reconcile()
            return not pending

        until("the end of the hold", ended, patience=PATIENCE, pause=4 * PAUSE)


def _orders_of(checkout_id: str) -> list[str]:
    """The ids of all orders that may come of the checkout."""
    return [order_id_for(checkout_id, attempt + 1) for attempt in range(ATTEMPTS)]


def expect(true: bool, what: str) -> None:
    """Raises AssertionError, saying what is not as it should be."""
    if not true:
        raise AssertionError(what)


def all_of(order: Order) -> list[dict[str, Any]]:
    """The picker's count when everything is there."""
    return [{"line_id": line.id, "quantity": line.quantity} for line in order.lines]


def order_of(completed: Checkout) -> str:
    """The id of a completed checkout's order."""
    return str(completed["order"]["id"])


# the stories


def bought(it: Story) -> None:
    """Somebody buys; the order waits for the warehouse."""
    it.becomes(order_of(it.buy()), "confirmed")


def delivered(it: Story) -> None:
    """An order goes all its way."""
    order = it.hand_over(order_of(it.buy()))
    it.arrive(order, "in_transit")
    it.arrive(order)
    it.becomes(order.id, "delivered")


def confirmed_at_bank(it: Story) -> None:
    """The bank asks, and the buyer says yes."""
    checkout = it.checkout()
    waiting = it.insist("requires_escalation", it.pay(checkout, CARD_WITH_3DS))
    it.confirm_at_bank(waiting, "complete")
    it.becomes(order_id_for(checkout["id"], 1), "confirmed")


def refused_at_bank(it: Story) -> None:
    """The bank asks, and the buyer says no; then they pay with another card."""
    checkout = it.checkout()
    waiting = it.insist("requires_escalation", it.pay(checkout, CARD_WITH_3DS))
    it.confirm_at_bank(waiting, "fail")
    it.becomes(order_id_for(checkout["id"], 1), "canceled")
    it.becomes(order_of(it.complete(checkout)), "confirmed")


def declined(it: Story) -> None:
    """A card is declined, another one is not."""
    checkout = it.checkout()
    told = it.insist("ready_for_complete", it.pay(checkout, DECLINED_CARD))
    expect(told["messages"][0]["code"] == "payment_declined", f"the buyer is told {told['messages']}")
    it.becomes(order_of(it.complete(checkout)), "confirmed")


def canceled_by_buyer(it: Story) -> None:
    """The buyer takes the order back."""
    completed = it.buy()
    it.shopper.cancel(completed)
    it.becomes(order_of(completed), "canceled")


def canceled_by_staff(it: Story) -> None:
    """Support takes the order back, after it was picked."""
    order_id = order_of(it.buy())
    order = it.becomes(order_id, "confirmed")
    it.warehouse.post(f"/orders/{order_id}/pick", {"lines": all_of(order)})
    it.support.post(f"/orders/{order_id}/cancel", {"reason": "merchant_request"})
    it.becomes(order_id, "canceled")


def short_picked(it: Story) -> None:
    """The picker finds nothing of one line on the shelf."""
    order = it.becomes(order_of(it.buy()), "confirmed")
    picked = all_of(order)
    picked[0]["quantity"] = 0
    it.warehouse.post(f"/orders/{order.id}/pick", {"lines": picked})
    it.becomes(order.id, "canceled")


def refunded(it: Story) -> None:
    """Something comes back to the buyer of a shipped order, once."""
    order = it.hand_over(order_of(it.buy()))
    it.support.post(f"/orders/{order.id}/refunds", {"amount": 100, "reason": "late"})
    it.arrive(order)
    ended = it.becomes(order.id, "delivered")
    _refunded_once(it, ended.id, 100)


def returned(it: Story) -> None:
    """A unit comes back, and then its price."""
    order = it.hand_over(order_of(it.buy()))
    it.arrive(order)
    ended = it.becomes(order.id, "delivered")
    line = ended.lines[0]
    back = [{"line_id": line.id, "quantity": 1, "restock": True}]
    it.warehouse.post(f"/orders/{order.id}/returns", {"lines": back})
    it.support.post(f"/orders/{order.id}/refunds", {"amount": line.unit_price, "reason": "returned"})
    _refunded_once(it, order.id, line.unit_price)


def _refunded_once(it: Story, order_id: str, amount: int) -> None:
    def back() -> bool:
        return sum(refund for refund in _refunds(it, order_id)) == amount

    until(f"{amount} back for {order_id}", back, patience=PATIENCE, pause=PAUSE)


def _refunds(it: Story, order_id: str) -> list[int]:
    return [charge["refunded"] for charge in it.stage.control("stripe", f"charges?order_id={order_id}")]


def lost(it: Story) -> None:
    """The parcel comes back to the sender: the buyer gets the money back."""
    order = it.hand_over(order_of(it.buy()))
    it.arrive(order, "return_to_sender")
    it.becomes(order.id, "lost")


def given_up(it: Story) -> None:
    """The carrier says nothing any more; support says that the parcel is lost."""
    order = it.hand_over(order_of(it.buy()))
    it.support.post(f"/orders/{order.id}/parcel", {"status": "lost"})
    it.becomes(order.id, "lost")


def from_two_places(it: Story) -> None:
    """What is ordered lies in two places; of the two parcels one is lost, and its money comes back."""
    order = it.hand_over(order_of(it.buy((it.stage.shared[0], 1), (it.stage.distant, 1))))
    arrived, missing = order.shipments
    it.hear(arrived, "delivered")
    it.hear(missing, "lost")
    ended = it.becomes(order.id, "delivered")
    _refunded_once(it, ended.id, share_of(ended, missing))


def never_captured(it: Story) -> None:
    """The bank refuses the money that it held, when the parcel is handed over: the parcel stays."""
    order_id = order_of(it.buy(card=CARD_WITHOUT_CAPTURE))
    it.prepare(order_id)
    it.becomes(order_id, "canceled")


def sold_ahead(it: Story) -> None:
    """What is not there yet is sold, and comes to another place than was said at first."""
    ahead = {"mode": "backorder", "cap": 5, "expected_on": "2099-12-24"}
    it.stage.leave_in_stock(it.scarce, 0)
    try:
        it.sell(it.scarce, **ahead, location=MAIN)
        it.sell(it.scarce, **ahead, location=ANNEX)
        order = it.becomes(order_of(it.buy((it.scarce, 1))), "confirmed")
    finally:
        it.sell(it.scarce, mode="deny")
    came = {"quantity": 1, "reason": f"the goods of {order.label}", "location": ANNEX}
    it.warehouse.post(f"/stock/{it.scarce}/adjustments", came)
    it.arrive(it.hand_over(order.id))
    it.becomes(order.id, "delivered")


def supplied(it: Story) -> None:
    """What is sold out is ordered from its supplier, comes in two deliveries, and is sold."""
    it.stage.leave_in_stock(it.scarce, 0)
    supplier = it.catalogue.post("/suppliers", {"name": f"Supplier of {it.scarce}", "currency": "EUR"})
    wanted = {"supplier_id": supplier["id"], "location": MAIN, "expected_on": "2099-12-24"}
    lines = [{"sku": it.scarce, "quantity": 3, "unit_cost": 700}]
    path = f"/purchase-orders/{it.catalogue.post('/purchase-orders', {**wanted, 'lines': lines})['id']}"
    it.catalogue.post(f"{path}/send")
    for units in (2, 1):
        ordered = it.warehouse.post(f"{path}/deliveries", {"lines": [{"sku": it.scarce, "quantity": units}]})
    expect(ordered["status"] == "received", f"the purchase order is {ordered['status']}")
    stock = it.warehouse.get(f"/stock/{it.scarce}")
    free = sum(place["available"] for place in stock["locations"])
    expect((free, stock["incoming"]) == (3, []), f"{free} came of 3, and still to come are {stock['incoming']}")
    it.hand_over(order_of(it.buy((it.scarce, 3))))


def forgotten(it: Story) -> None:
    """The buyer asks to be forgotten while the parcel is under way; once it has arrived, nobody knows who they were."""
    email = f"{uuid4().hex}@example.com"
    it.shopper = replace(it.shopper, buyer={**BUYER, "email": email})
    order = it.hand_over(order_of(it.buy()))
    wish = {"email": email, "kind": "erase", "reference": f"a letter about {order.label}"}
    path = f"/privacy/requests/{it.admin.post('/privacy/requests', wish)['id']}"
    it.arrive(order)

    def erased() -> bool:
        return bool(it.admin.get(path)["state"] == "done")

    until("the erasure", erased, patience=PATIENCE, pause=PAUSE)
    left = it.support.get(f"/orders/{order.id}")["order"]
    expect((left["status"], left["buyer"]) == ("delivered", {}), f"of a {left['status']} order {left['buyer']} is left")


def in_a_line(it: Story) -> None:
    """So many buy a hot SKU at this moment that the buyer is told to wait, and waits."""
    it.stage.leave_in_stock(it.scarce, 20)
    with it.pool(it.scarce):
        order_id = order_of(it.buy((it.scarce, 1)))
    it.hand_over(order_id)


def hot_and_short(it: Story) -> None:
    """The picker finds fewer of a hot SKU than lie there by the books."""
    it.stage.leave_in_stock(it.scarce, 20)
    with it.pool(it.scarce):
        order = it.becomes(order_of(it.buy((it.scarce, 2))), "confirmed")
        [line] = all_of(order)
        it.warehouse.post(f"/orders/{order.id}/pick", {"lines": [{**line, "quantity": 0}]})
        it.becomes(order.id, "canceled")


def pooled(it: Story) -> None:
    """A hot SKU is laid over many rows while it is sold, counted, found short, and brought together again."""
    it.stage.leave_in_stock(it.scarce, 20)
    with it.pool(it.scarce):
        order = it.becomes(order_of(it.buy((it.scarce, 2))), "confirmed")
        _counted(it, it.scarce, missing=3)
    it.hand_over(order.id)

    def together() -> bool:
        it.stage.reconcile()
        return not any(place["shards"] for place in it.warehouse.get(f"/stock/{it.scarce}")["locations"])

    until("the end of the pool", together, patience=PATIENCE, pause=4 * PAUSE)


def _counted(it: Story, sku: str, *, missing: int) -> None:
    """Somebody counts so many units less than the books say, and the books follow."""
    places = {place["location"]: place for place in it.warehouse.get(f"/stock/{sku}")["locations"]}
    count = it.warehouse.post("/stock-counts", {"location": MAIN, "skus": [sku]})["count"]
    path = f"/stock-counts/{count['id']}"
    it.warehouse.post(f"{path}/entries", {"entries": [{"sku": sku, "counted": places[MAIN]["on_hand"] - missing}]})
    it.decide("POST", f"{path}/approve", seen_at=path)

    def posted() -> bool:
        return bool(it.warehouse.post(f"{path}/post")["count"]["status"] == "posted")

    until("the end of the count", posted, patience=PATIENCE, pause=PAUSE)


def last_unit(it: Story) -> None:
    """Two buyers want the last unit, and one gets it."""
    it.stage.leave_in_stock(it.scarce, 1)
    checkouts = [it.checkout((it.scarce, 1)) for _ in range(2)]
    with ThreadPoolExecutor(2) as crowd:
        answers = [future.result() for future in [crowd.submit(_paid, it, checkout) for checkout in checkouts]]
    orders = [it.stage.order(order_id) for order_id in it.order_ids]
    standing = [order for order in orders if order and order.status not in TERMINAL]
    expect(len(standing) == 1, f"{len(standing)} orders stand for the last unit: {answers}")


def _paid(it: Story, checkout: Checkout) -> str:
    """How it ended for this buyer."""
    return str(it.pay(checkout)["status"])


def last_use(it: Story) -> None:
    """Two buyers enter a code that works once: one gets it, the other sees the whole price and pays that."""
    code = it.catalogue.post("/discounts", {"title": "Once", "basis_points": 1000, "limit": 1})["code"]
    checkouts = [it.checkout(codes=[code]) for _ in range(2)]
    with ThreadPoolExecutor(2) as crowd:
        answers = list(crowd.map(it.pay, checkouts))
    for checkout in answers:
        if checkout["status"] == "ready_for_complete":
            it.pay(checkout)
    orders = [it.stage.order(order_id) for order_id in it.order_ids]
    given = [order for order in orders if order and order.status != "canceled" and order.discounts]
    expect(len(given) <= 1, f"{len(given)} orders stand with a code that works once")


def completed_at_once(it: Story) -> None:
    """One checkout is completed many times at once, under one key: the answers are the same, byte for byte."""
    checkout, headers = it.checkout(), key()
    path = f"/checkout-sessions/{checkout['id']}/complete"

    def complete(_: int) -> tuple[int, bytes]:
        answer = it.shopper.shop.post(path, json=card(GOOD_CARD), headers=headers)
        return answer.status_code, answer.content

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = set(crowd.map(complete, range(AT_ONCE)))
    expect(len(answers) == 1, f"{len(answers)} different answers under one key: {sorted(answers)}")
    it.becomes(order_of(it.complete(checkout)), "confirmed")


def walked_away(it: Story) -> None:
    """The bank asks, and the buyer never answers."""
    it.pay(it.checkout(), CARD_WITH_3DS)
    raise Left


def gave_up(it: Story) -> None:
    """The buyer asks once, and goes whatever the answer is, or without one."""
    checkout = it.checkout()
    hasty = it.stage.client(it.journal, tries=1)
    try:
        hasty.post(f"/checkout-sessions/{checkout['id']}/complete", json=card(GOOD_CARD), headers=key())
    except httpx.TransportError as error:
        it.journal.note(f"the buyer saw {type(error).__name__}")
    raise Left


def canceled_while_shipped(it: Story) -> None:
    """The parcel is handed over while the buyer takes the order back: it is one or the other."""
    completed = it.buy()
    order = it.becomes(order_of(completed), "confirmed")
    it.warehouse.post(f"/orders/{order.id}/pick", {"lines": all_of(order)})
    it.warehouse.post(f"/orders/{order.id}/pack", {"weight_grams": 500})
    shop = it.shopper.shop
    calls: tuple[Callable[[], httpx.Response], ...] = (
        lambda: shop.post(f"/admin/orders/{order.id}/ship", headers={**it.warehouse.headers, **key()}),
        lambda: shop.post(f"/orders/{order.id}/cancel", params=access(completed), headers=key()),
    )
    with ThreadPoolExecutor(2) as crowd:
        answers = [future.result() for future in [crowd.submit(call) for call in calls]]
    statuses = {answer.status_code for answer in answers}
    expect(statuses <= {200, 409}, f"the answers are {statuses}")
    it.becomes(order.id, "shipped", "canceled")


_BUYING = ("carts", "complete_checkout", "payment_webhook", "relay_outbox", "send_email", "export_analytics")
_SHIPPING = (*_BUYING, "admin_orders", "ship_order", "carrier_webhook")
_DELIVERING = (*_SHIPPING, "settle_order")


@dataclass(frozen=True)
class Kind:
    """A kind of story: how it goes, through which functions, and how often it is told among others."""

    tell: Callable[[Story], None]
    through: tuple[str, ...]
    weight: int = 2
    alone: bool = False
    """Whether it needs a SKU of its own."""
    meets: tuple[Fault, ...] = ()
    """What goes wrong in it always."""

    @property
    def name(self) -> str:
        """As reports count it."""
        return self.tell.__name__


KINDS: tuple[Kind, ...] = (
    Kind(bought, _BUYING, 4),
    Kind(delivered, _DELIVERING, 5),
    Kind(confirmed_at_bank, _BUYING),
    Kind(refused_at_bank, (*_BUYING, "compensate_order")),
    Kind(declined, (*_BUYING, "compensate_order")),
    Kind(canceled_by_buyer, (*_BUYING, "orders", "compensate_order"), 3),
    Kind(canceled_by_staff, (*_BUYING, "admin_orders", "compensate_order")),
    Kind(short_picked, (*_BUYING, "admin_orders", "compensate_order")),
    Kind(refunded, (*_DELIVERING, "admin_refunds"), 3),
    Kind(returned, (*_DELIVERING, "admin_refunds")),
    Kind(lost, (*_SHIPPING, "compensate_order"), 3),
    Kind(given_up, _SHIPPING, 1),
    Kind(from_two_places, _DELIVERING),
    Kind(never_captured, (*_SHIPPING, "compensate_order"), 1),
    Kind(in_a_line, (*_SHIPPING, "admin_inventory"), alone=True, meets=(NEVER_FREE,)),
    Kind(hot_and_short, (*_BUYING, "admin_inventory", "admin_orders", "compensate_order"), 1, alone=True),
    Kind(sold_ahead, (*_DELIVERING, "admin_inventory"), alone=True),
    Kind(supplied, (*_SHIPPING, "admin_purchasing", "admin_inventory"), alone=True),
    Kind(forgotten, (*_DELIVERING, "admin_privacy", "erase_person")),
    Kind(pooled, (*_SHIPPING, "admin_inventory"), alone=True),
    Kind(last_unit, _BUYING, 3, alone=True),
    Kind(last_use, (*_BUYING, "admin_discounts"), 3),
    Kind(completed_at_once, _BUYING, 3),
    Kind(walked_away, (*_BUYING, "compensate_order")),
    Kind(gave_up, (*_BUYING, "compensate_order"), 3),
    Kind(canceled_while_shipped, (*_SHIPPING, "orders", "compensate_order"), 3),
)
