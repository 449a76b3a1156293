"""The people around a shop: buyers, the warehouse, support, carriers. Each tries again, as real ones do."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from commerce.fulfilment.model import order_named
from commerce.identity.model import KeyRing
from commerce.identity.service import access_token
from commerce.ids import derived_id
from tools.simulation.functions import SIGNING_KEY
from tools.simulation.parcels import Shipment
from tools.simulation.world import STAFF, Answer, World

VISA = "pm_card_visa"
PAUSES = (1.0, 2.0, 5.0, 15.0, 70.0, 300.0)
"""Seconds after which a client sends a request again that was not answered."""
LATEST = 31.0
"""Seconds after which nothing of a request that was not answered is under way any more."""
BOOKED = ("adjusted", "done_before")
"""What the shop says of a row of a table that stands in the books."""
PATIENCE = 48
"""How many hours people go on who must know what became of it."""
_ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "street_address": "12 St James Square",
    "address_locality": "London",
    "postal_code": "SW1Y 4LB",
    "address_country": "GB",
}


@dataclass
class Person:
    """Somebody with a client that tries again under the same key."""

    world: World
    name: str
    patient: bool = True
    """Whether it does."""
    repeats: float | None = None
    """After so many seconds it sends every request that was answered once more."""
    _requests: int = 0
    _unsure: bool = False
    """Whether an earlier attempt of the last request was not answered: what it asked for may still come about."""

    def ask(self, function: str, route: str, *, key: str | None = None, **request: Any) -> Answer | None:
        """The answer, once there is one that is not about the shop's own trouble; None where all attempts failed."""
        self._requests += 1
        self._unsure = self._unsure and key is not None
        headers = {**request.pop("headers", {}), "idempotency-key": key or f"{self.name}-{self._requests}"}
        for pause in (*PAUSES, None) if self.patient else (None,):
            answer = self.world.http(function, route, headers=headers, **request)
            if answer is not None and not _to_be_sent_again(answer):
                self._again(answer, function, route, headers, request)
                return answer
            self._unsure = True
            if pause is not None:
                self.world.scheduler.sleep(pause)
        return None

    def insist(self, function: str, route: str, **request: Any) -> Answer | None:
        """As `ask`, for days: who has the goods in their hands does not leave the books without them."""
        key, self._unsure = f"{self.name}-{self._requests + 1}", False
        for _ in range(PATIENCE):
            answer = self.ask(function, route, key=key, **request)
            if answer is not None:
                return answer
            self.world.scheduler.sleep(3600.0)
        return None

    def sees(self, sku: str, location: str) -> int:
        """Units that lie there. Parcels that were sent and wait for the carrier have left already."""
        sent = ("shipped", "delivered", "lost")
        left = [order["id"] for order in self.world.checks.orders() if order["status"] in sent]
        return self.world.shelves.there(sku, location, without=left)

    def _again(
        self, first: Answer, function: str, route: str, headers: dict[str, str], request: dict[str, Any]
    ) -> None:
        """Now and then a client sends an answered request once more: the answer must be the same.

        Not one that was refused by a shop that keeps no answers: it might be taken at the second time.
        """
        again = route.startswith("POST") and (self.repeats or self.world.random.random() < 0.05)
        if again and (self.world.keeps_answers or first.status < 300):
            if self.repeats:
                self.world.scheduler.sleep(self.repeats)
            answer = self.world.http(function, route, headers=headers, **request)
            if answer is not None and first.text and not _to_be_sent_again(answer):
                self.world.checks.replayed(first.text, answer.text)


def _to_be_sent_again(answer: Answer) -> bool:
    """The shop is in trouble, has a waiting room, or is still at work on the first request."""
    at_work = answer.status == 409 and (answer.body or {}).get("code") == "idempotency_in_progress"
    return answer.status >= 500 or answer.status == 429 or at_work


@dataclass
class Buyer(Person):
    """Buys `lines` with `cards`, one after another where the first is declined."""

    lines: Sequence[tuple[str, int]] = (("MUG", 1),)
    cards: Sequence[str] = (VISA,)
    confirms: bool = True
    """Whether the buyer does what the bank's page asks for."""
    hesitates: float = 30.0
    """Seconds at the bank's page."""
    email: str | None = None
    """If it is not made of the name."""
    codes: Sequence[str] = ()
    """Discount codes that the buyer enters."""
    order_id: str | None = None
    on_order: Callable[[str], None] = lambda order_id: None

    def buy(self) -> str | None:
        """The order's id, or None where the shop sold nothing."""
        checkout_id = self.begin()
        if checkout_id is None:
            return None
        for card in self.cards:
            checkout = self.pay(checkout_id, card)
            if self.order_id is not None:
                return self.order_id
            if checkout is None or checkout["status"] not in ("ready_for_complete", "incomplete"):
                break
        return None

    def begin(self) -> str | None:
        """The checkout's id, or None where there is nothing to be sold."""
        made = self.ask("carts", "POST /checkout-sessions", body=self._wants(self.lines))
        return str(made.body["id"]) if made is not None and made.status == 201 else None

    def pay(self, checkout_id: str, card: str) -> dict[str, Any] | None:
        """Completes the checkout with this card, and keeps in mind which order it became."""
        checkout = self._pay(checkout_id, card)
        if checkout is not None and checkout["status"] == "completed":
            self.order_id = str(checkout["order"]["id"])
            self.world.checks.promised(self.order_id)
            self.on_order(self.order_id)
        return checkout

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
                self.world.checks.led(checkout)
                return self._escalated(checkout_id)
            if _shown_anew(checkout) or self._takes_codes_out(checkout):
                continue
            if checkout["status"] != "complete_in_progress":
                return checkout
            self.world.scheduler.sleep(20.0)
        return None

    def _takes_codes_out(self, checkout: dict[str, Any]) -> bool:
        """Whether there were codes that this buyer has used up: then they go on without them."""
        spent = [one for one in checkout.get("messages") or () if one["code"] == "discount_code_user_ineligible"]
        if not spent:
            return False
        positions = {one["path"] for one in spent}
        self.codes = [code for n, code in enumerate(self.codes) if f"$.discounts.codes[{n}]" not in positions]
        self.change(checkout["id"], self.lines)
        return True

    def _escalated(self, checkout_id: str) -> dict[str, Any] | None:
        """The bank's page, then back to the shop until it knows."""
        self.world.scheduler.sleep(self.hesitates)
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

    def change(self, checkout_id: str, lines: Sequence[tuple[str, int]]) -> None:
        """Wants these goods instead."""
        self.ask("carts", "PUT /checkout-sessions/{id}", parameters={"id": checkout_id}, body=self._wants(lines))

    def _wants(self, lines: Sequence[tuple[str, int]]) -> dict[str, Any]:
        return {
            "line_items": [{"item": {"id": sku}, "quantity": quantity} for sku, quantity in lines],
            "context": {"currency": "USD", "address_country": "GB"},
            "discounts": {"codes": list(self.codes)},
            "buyer": {"email": self.email or f"{self.name}@buyers.example", "first_name": "Ada", "last_name": "Byron"},
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
        answer = self.ask(
            "orders",
            "POST /orders/{id}/cancel",
            parameters={"id": order_id},
            query={"access_token": access_token(KeyRing(key=SIGNING_KEY), order_id)},
        )
        if answer is not None and answer.status < 300:
            self.world.checks.taken_back(order_id)


def _shown_anew(checkout: dict[str, Any]) -> bool:
    """Whether the buyer was told something that they had not agreed to: another price, or goods that come later."""
    warned = any(message["type"] == "warning" for message in checkout.get("messages") or ())
    return checkout["status"] == "ready_for_complete" and warned


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
        for number, parcel in enumerate(order["shipments"]):
            at = {"location": parcel["location"]}
            match parcel["status"]:
                case "pending" if order["status"] == "confirmed" and self._there(order, parcel):
                    self._pick(order, parcel, breaks=self.short and number == 0)
                case "picked":
                    self._admin("pack", order["id"], {"weight_grams": 500, **at})
                case "packed":
                    self._admin("ship", order["id"], at)

    def _pick(self, order: dict[str, Any], parcel: dict[str, Any], *, breaks: bool) -> None:
        """Into a box goes what is on the shelf. Of the first line a unit may break in the picker's hands."""
        shelves, box = self.world.shelves, (order["id"], parcel["location"])
        shelves.unpack_all([one["id"] for one in self.world.checks.orders() if one["status"] == "canceled"])
        skus = {line["id"]: line["sku"] for line in order["lines"]}
        wanted = Counter[str]()
        for line in parcel["lines"]:
            wanted[skus[line["line_id"]]] += line["quantity"]
        if not shelves.quiet(wanted):
            return
        found = shelves.pick(box, wanted)
        missing = wanted - found
        if missing and not any(self._lost(sku, parcel["location"]) for sku in missing):
            shelves.unpack(box)
            return
        fragile = skus[parcel["lines"][0]["line_id"]]
        broken = int(breaks and found[fragile] > 0)
        if broken:
            shelves.drop(box, fragile)
        with shelves.in_hands(wanted if found != wanted else ()):
            lines = _counted(parcel, skus, found)
            answer = self._insist("pick", order["id"], {"lines": lines, "location": parcel["location"]})
            if answer is None or answer.status >= 300:
                shelves.add(fragile, parcel["location"], broken)  # whole after all: nobody was told
            if not self._boxed(box):
                shelves.unpack(box)

    def _lost(self, sku: str, location: str) -> bool:
        """Whether fewer units are there than the books say: else the missing ones have not come, or are in a box."""
        lost = self.sees(sku, location) < self.world.checks.on_hand(sku, location)
        if lost and not self.world.shelves.lost(sku, location):
            self.world.checks.vanished(sku, location)
        return lost

    def _boxed(self, box: tuple[str, str]) -> bool:
        """Whether the shop knows the box."""
        order = self.world.checks.find(box[0])
        assert order is not None
        known = any(one["location"] == box[1] and one["status"] != "pending" for one in order["shipments"])
        return known and order["status"] != "canceled"

    def _there(self, order: dict[str, Any], parcel: dict[str, Any]) -> bool:
        """Whether the shelf has what the parcel needs: goods that were sold ahead must have come."""
        skus = {line["id"]: line["sku"] for line in order["lines"]}
        return all(
            self.world.checks.on_hand(skus[line["line_id"]], parcel["location"]) >= line["quantity"]
            for line in parcel["lines"]
        )

    def _admin(self, step: str, order_id: str, body: Any) -> Answer | None:
        return self.ask(
            "admin_orders", f"POST /admin/orders/{{id}}/{step}", parameters={"id": order_id}, body=body, staff=True
        )

    def _insist(self, step: str, order_id: str, body: Any) -> Answer | None:
        return self.insist(
            "admin_orders", f"POST /admin/orders/{{id}}/{step}", parameters={"id": order_id}, body=body, staff=True
        )


def _counted(parcel: dict[str, Any], skus: dict[str, str], found: Counter[str]) -> list[dict[str, Any]]:
    """The picker's count, line by line."""
    left, lines = Counter(found), []
    for line in parcel["lines"]:
        units = min(line["quantity"], left[skus[line["line_id"]]])
        left[skus[line["line_id"]]] -= units
        lines.append({"line_id": line["line_id"], "quantity": units})
    return lines


@dataclass
class Stockroom(Person):
    """Receives goods, carries them, throws them away and counts them: with its hands, and in the books."""

    def adjust(self, sku: str, units: int, location: str, reason: str) -> None:
        """Units (signed) arrive, or are thrown away."""
        body = {"quantity": units, "location": location, "reason": reason}
        with self.world.shelves.in_hands([sku]):
            if self._booked("adjustments", "adj", sku, body):
                self.world.shelves.add(sku, location, units)

    def carry(self, sku: str, units: int, origin: str, destination: str, reason: str) -> None:
        """Units change their place, if so many are free."""
        body = {"quantity": units, "origin": origin, "destination": destination, "reason": reason}
        with self.world.shelves.in_hands([sku]):
            if self._booked("transfers", "transfer", sku, body):
                self.world.shelves.add(sku, origin, -units)
                self.world.shelves.add(sku, destination, units)

    def receive(self, purchase_order: str, sku: str, units: int, location: str) -> None:
        """A delivery of the purchase order; what was not ordered goes back."""
        body = {"lines": [{"sku": sku, "quantity": units}]}
        route, parameters = "POST /admin/purchase-orders/{id}/deliveries", {"id": purchase_order}
        with self.world.shelves.in_hands([sku]):
            if self._done(route, parameters, body, "admin_purchasing"):
                self.world.shelves.add(sku, location, units)

    def take_back(self, order_id: str, line: dict[str, Any], units: int) -> None:
        """Goods that a buyer sent back go to the shelf that they came from."""
        body = {"lines": [{"line_id": line["id"], "quantity": units}]}
        route = "POST /admin/orders/{id}/returns"
        with self.world.shelves.in_hands([line["sku"]]):
            if self._done(route, {"id": order_id}, body, "admin_orders"):
                self.world.shelves.add(line["sku"], line["allocations"][0]["location"], units)

    def send_table(self, rows: Sequence[tuple[str, str, int, str]]) -> Answer | None:
        """SKU, location, units (signed) and reason of each adjustment."""
        table = "\n".join(("sku,location,quantity,reason", *(",".join(map(str, row)) for row in rows)))
        headers = {"content-type": "text/csv"}
        return self.insist("admin_inventory", "POST /admin/stock-adjustments", text=table, headers=headers, staff=True)

    def adjust_by_table(self, rows: Sequence[tuple[str, str, int, str]]) -> None:
        """Goods arrive and are thrown away as the table says, which is sent twice, and again while a row says so."""
        done: set[tuple[str, str]] = set()
        with self.world.shelves.in_hands([sku for sku, *_ in rows]):
            for attempt in range(PATIENCE):
                answer = self.send_table(rows)
                outcomes = answer.body["rows"] if answer and answer.status < 300 else ()
                done |= {(row["sku"], row["location"]) for row in outcomes if row["outcome"] in BOOKED}
                if attempt and not self._unsure and all(row["outcome"] != "try_again" for row in outcomes):
                    break
                self.world.scheduler.sleep(60.0)
            for sku, location, units, _ in rows:
                if (sku, location) in done:
                    self.world.shelves.add(sku, location, units)

    def count(self, location: str, skus: Sequence[str]) -> None:
        """Counts until a count was posted that nothing came between."""
        for _ in range(PATIENCE):
            opened = self._step("", None, {"location": location, "skus": skus})
            count_id = opened["count"]["id"] if opened else None
            if count_id and self._enter(count_id, location, skus) and self._post(count_id, skus):
                return
            self.world.scheduler.sleep(600.0)

    def _enter(self, count_id: str, location: str, skus: Sequence[str]) -> bool:
        """What lies there; anew where goods came or left between the look and the entry."""
        for _ in range(5):
            before = self._state(location, skus)
            entries = [{"sku": sku, "counted": self.sees(sku, location)} for sku in skus]
            entered = self._step("/{id}/entries", count_id, {"entries": entries})
            if entered and before is not None and before == self._state(location, skus):
                variances = [line["variance"] for line in entered["lines"]]
                return self._approve(count_id, variances)
            self.world.scheduler.sleep(300.0)
        self._step("/{id}/cancel", count_id)
        return False

    def _state(self, location: str, skus: Sequence[str]) -> list[int] | None:
        """What changes whenever goods move; None while somebody carries some."""
        return [self.world.checks.moves[sku, location] for sku in skus] if self.world.shelves.quiet(skus) else None

    def _approve(self, count_id: str, variances: Sequence[int]) -> bool:
        """Accepts what was entered, if that is what the count says."""
        shown = self.ask("admin_inventory", "GET /admin/stock-counts/{id}", parameters={"id": count_id}, staff=True)
        if shown is not None and shown.status == 200:
            figures = shown.body["figures"]
            if figures["over"] - figures["under"] == sum(variances):
                match = {"if-match": f'"{shown.body["count"]["version"]}"'}
                if self._step("/{id}/approve", count_id, headers=match):
                    return True
        self._step("/{id}/cancel", count_id)
        return False

    def _post(self, count_id: str, skus: Sequence[str]) -> bool:
        """Hours later. Whether every line was: one that somebody adjusted meanwhile is counted again."""
        self.world.scheduler.sleep(14_400.0 * self.world.random.random())
        while not self.world.shelves.quiet(skus):
            self.world.scheduler.sleep(600.0)
        with self.world.shelves.in_hands(skus):
            posted = self._step("/{id}/post", count_id)
        return posted is not None and not posted["figures"]["outdated"]

    def correct(self, sku: str, location: str) -> None:
        """Who sees that one is missing, and that the books do not know, writes it off by hand."""
        while not self.world.shelves.quiet([sku]):
            self.world.scheduler.sleep(600.0)
        with self.world.shelves.in_hands([sku]):
            if self.sees(sku, location) < self.world.checks.on_hand(sku, location):
                body = {"quantity": -1, "location": location, "reason": "one is missing"}
                self._booked("adjustments", "adj", sku, body)

    def _step(self, step: str, count_id: str | None, body: Any = None, headers: Any = None) -> Any:
        """What the shop answers to a step of a count; None where it refuses."""
        answer = self.insist(
            "admin_inventory",
            f"POST /admin/stock-counts{step}",
            parameters={"id": count_id} if count_id else {},
            body=body,
            headers=headers or {},
            staff=True,
        )
        return answer.body if answer is not None and answer.status < 300 else None

    def _booked(self, change: str, prefix: str, sku: str, body: Any) -> bool:
        """Whether stock was changed. Who was refused, and had no answer before, looks into the ledger later: the first
        request may have come about meanwhile, when again enough was free.
        """
        reference = derived_id(prefix, sku, STAFF["sub"], f"{self.name}-{self._requests + 1}")
        if self._done(f"POST /admin/stock/{{sku}}/{change}", {"sku": sku}, body, "admin_inventory"):
            return True
        if self._unsure:
            self.world.scheduler.sleep(LATEST)
        return reference in self.world.checks.references

    def _done(self, route: str, parameters: dict[str, str], body: Any, function: str) -> bool:
        answer = self.insist(function, route, parameters=parameters, body=body, staff=True)
        return answer is not None and answer.status < 300


@dataclass
class Support(Person):
    """Cancels, refunds, takes returns, and asks carriers about silent parcels."""

    def act(self, step: str, order_id: str, body: Any) -> Answer | None:
        """One step of support's."""
        function = "admin_refunds" if step == "refunds" else "admin_orders"
        answer = self.ask(
            function, f"POST /admin/orders/{{id}}/{step}", parameters={"id": order_id}, body=body, staff=True
        )
        if step == "cancel" and answer is not None and answer.status < 300:
            self.world.checks.taken_back(order_id)
        return answer


    def does(self, step: str, order_id: str, body: Any) -> None:
        """As an actor's work."""
        self.act(step, order_id, body)


@dataclass
class Parcels:
    """What carriers do with every parcel: it travels, and arrives or is lost. `endings` is by parcel or by order.

    A `swift` carrier does not wait for the books: it takes what is handed over. The parcels of a `late` one arrive
    after the workflow has given up its wait for them.
    """

    world: World
    ending: str = "delivered"
    endings: dict[str, str] = field(default_factory=dict)
    swift: bool = False
    late: bool = False

    def __post_init__(self) -> None:
        self.world.on_parcel = self.travels
        self.world.bus.overdue = self.overdue

    def travels(self, shipment: Shipment) -> None:
        """From the depot to the door."""
        after = 5.0 if self.swift else 21_600.0
        self.world.scheduler.start(f"parcel {shipment.id}", lambda: self._journey(shipment), after=after)

    def _journey(self, shipment: Shipment) -> None:
        for _ in range(200):
            order = self.world.checks.find(order_named(shipment.reference))
            if shipment.refunded or order is None or order["status"] in ("canceled", "lost", "delivered"):
                return
            if self.swift or order["status"] == "shipped":
                order_id, _, location = shipment.reference.partition("-")
                self.world.shelves.leaves((order_id, location or order["shipments"][0]["location"]))
                break
            self.world.scheduler.sleep(21_600.0)
        for status in ("in_transit", self._ending(shipment.reference)):
            self.world.carrier_tells(shipment, status)
            self.world.scheduler.sleep(self._on_its_way())

    def _on_its_way(self) -> float:
        """Seconds between two news of a parcel."""
        if self.late:
            return 1.5 * self.world.functions.config.delivery_deadline_seconds
        return 20.0 if self.swift else 86_400.0

    def _ending(self, reference: str) -> str:
        """A parcel's own ending, its order's, or the usual one."""
        return self.endings.get(reference, self.endings.get(order_named(reference), self.ending))

    def overdue(self, order_id: str) -> None:
        """Operators ask the carrier, and support writes down what it says of each parcel that is still out.

        A late carrier says that it is on its way: nobody has anything to do but to wait.
        """
        if self.late:
            return
        self.world.overdue += 1
        self.world.scheduler.start("support", partial(self._asked, order_id), after=3600.0)

    def _asked(self, order_id: str) -> None:
        order = self.world.checks.find(order_id)
        out = [one for one in order["shipments"] if one["status"] == "shipped"] if order else []
        for parcel in out or [{"location": None}]:
            location = parcel["location"]
            told = {"status": self._ending(f"{order_id}-{location}"), **({"location": location} if location else {})}
            Support(self.world, f"support-overdue-{order_id[-4:]}-{location}").act("parcel", order_id, told)
