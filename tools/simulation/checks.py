"""The invariants of the design (I1 to I12), checked at every step where that is cheap, and at rest for all of them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from commerce.adapters.dynamodb import fields, from_item
from commerce.adapters.sealing import Sealed, unseal
from commerce.fulfilment.model import EVENT_TYPES, TrackingStatus, order_named
from commerce.inventory.model import MAX_UNITS
from commerce.orders import repository as orders_repository
from commerce.orders.model import TERMINAL
from commerce.payments.model import PaymentEvent, balance
from tools.simulation.boundary import Violation
from tools.simulation.course import Course
from tools.simulation.parcels import Shipment
from tools.simulation.shelves import Place
from tools.simulation.tables import Write

if TYPE_CHECKING:
    from tools.simulation.world import World

_COUNTS = ("on_hand", "available")
ONCE = ("order.placed", "order.confirmed", "order.shipped", "order.delivered", "order.canceled", "order.lost")
NOTICES = {"delivered": "order_delivered", "lost": "order_lost"}
"""The e-mail that tells of a terminal status."""


class Charge(NamedTuple):
    """A charge as the provider knows it; minor units."""

    order_id: str
    amount: int
    captured: int
    refunded: int
    """What went back, or is on its way."""
    disputed: bool


class Intent(NamedTuple):
    """A payment intent as the provider knows it; minor units."""

    id: str
    order_id: str
    held: int
    captured: int
    refunded: int
    """What did go back."""


@dataclass(frozen=True)
class Before:
    """What the checks know of the time before a schedule."""

    stock: Mapping[Place, dict[str, dict[str, Any]]]
    ledger: Mapping[Place, Counter[str]]
    events: frozenset[str]
    caps: Mapping[Place, int]
    limits: Mapping[str, int]


class Checks:
    """What is known of one schedule, apart from what the shop says of itself."""

    def __init__(
        self, world: "World", before: "Before | None" = None, *, decode: Callable[[Any], dict[str, Any]] = from_item
    ) -> None:
        self._world, self._decode = world, decode
        self.counts: Counter[str] = Counter()
        """How often each invariant was checked."""
        self._ledger: dict[Place, Counter[str]] = defaultdict(Counter)
        self._stock: dict[Place, dict[str, dict[str, Any]]] = {}
        """The rows of each place: one, and those of its pool, if the SKU is hot."""
        if before is not None:
            self._ledger.update({place: Counter(sums) for place, sums in before.ledger.items()})
            self._stock.update(before.stock)
        self._caps: Counter[Place] = Counter(before.caps if before else ())
        """How many units may be sold ahead at a place."""
        self._limits: dict[str, int] = dict(before.limits if before else ())
        """By SKU, or key of a discount: how many units, or uses, one buyer may have."""
        self._promised: set[str] = set()
        self._moved: Counter[tuple[str, str]] = Counter()
        """By SKU and kind of movement: by how much the units on all shelves changed."""
        self.moves: Counter[Place] = Counter()
        """How often the units at a place changed by the books."""
        self.references: set[str] = set()
        """What the movements in the ledger were for: orders, adjustments, transfers, by their ids."""
        self._orders: dict[str, tuple[Any, dict[str, Any]]] = {}
        """By id: as it is stored, and decoded."""
        self._encoded: dict[str, Any] = {}
        self._old_events = before.events if before else frozenset[str]()
        self.course = Course(world, self.find)

    # --- after every step -------------------------------------------------------------------------------------------

    def written(self, written: list[Write]) -> None:
        """I1 and I7: nothing is negative, and every balance is the sum of its ledger."""
        touched = set()
        for write in written:
            if write.table == "inventory":
                if write.sk == "POLICY" and write.new is not None:
                    policy = self._decode(write.new)
                    self._caps[write.pk[6:], policy["location"]] = policy["cap"]
                    self._limits[write.pk[6:]] = policy.get("purchase_limit", MAX_UNITS)
                elif write.new is not None and (write.sk == "DISCOUNT" or write.sk.startswith("DISCOUNT#")):
                    self._within_its_limit(write.pk, write.sk, self._decode(write.new))
                elif write.pk.startswith("STOCK#"):
                    sku, _, shard = write.pk[6:].partition("#")
                    place = (sku, write.sk[9:])
                    rows = self._stock[place] = dict(self._stock.get(place, {}))
                    rows[shard] = self._decode(write.new) if write.new else {}
                    touched.add(place)
                elif write.pk.startswith("MOVEMENT#") and write.old is None and write.new is not None:
                    movement = self._decode(write.new)
                    place = (movement["sku"], movement["location"])
                    self._ledger[place].update({name: movement.get(name, 0) for name in _COUNTS})
                    self._moved[movement["sku"], movement["kind"]] += movement["on_hand"]
                    self.moves[place] += bool(movement["on_hand"])
                    self.references.add(movement["reference"])
                    touched.add(place)
            elif write.table == "orders" and write.sk == "ORDER" and write.new is not None:
                self._encoded[write.pk[6:]] = write.new
                self.course.written(self._decode(write.old) if write.old else None, self._decode(write.new))
            elif write.sk == "CHECKOUT" and write.pk.startswith("CHECKOUT#") and write.old and write.new:
                self._follows(self._decode(write.old), self._decode(write.new))
        for place in touched:
            self._balanced(place)

    def _within_its_limit(self, pk: str, sk: str, item: dict[str, Any]) -> None:
        """No discount is used more often than it may be, not for a moment: neither by all nor by one buyer."""
        self.counts["discounts"] += 1
        most = item.get("limit", MAX_UNITS) if sk == "DISCOUNT" else self._limits[sk]
        if sk == "DISCOUNT":
            self._limits[pk] = item.get("limit_per_buyer", MAX_UNITS)
        if not 0 <= item["uses"] <= most:
            raise Violation("discounts", f"{pk} {sk} was used {item['uses']} times of {most}")

    def _follows(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Who changes a checkout has seen how it was: of two changes at once, one is made anew."""
        self.counts["versions"] += 1
        if after["version"] != before["version"] + 1 and after != before:
            raise Violation("versions", f"{after['id']}: version {after['version']} overwrites {before['version']}")

    def _balanced(self, place: Place) -> None:
        self.counts["I1"] += 1
        self.counts["I7"] += 1
        rows, ledger = self._stock.get(place, {}).values(), self._ledger[place]
        for name in _COUNTS:
            counts = [row.get(name, 0) for row in rows]
            least = -self._caps[place] if name == "available" else 0
            if min(counts, default=0) < least:
                raise Violation("I1", f"{name} of {place[0]} at {place[1]} is {min(counts)} in one row")
            if sum(counts) != ledger[name]:
                where = f"{name} of {place[0]} at {place[1]}"
                raise Violation("I7", f"{where} is {sum(counts)}; its ledger sums to {ledger[name]}")
        if any(row.get("on_hand", 0) < row.get("available", 0) for row in rows):
            raise Violation("I1", f"more of {place[0]} is available at {place[1]} than there is")

    def money(self) -> None:
        """I11, and no double capture: after everything that Stripe did."""
        self.counts["I11"] += 1
        taken: Counter[str] = Counter()
        for charge in self._world.payments.charges():
            if not charge.refunded <= charge.captured <= charge.amount:
                raise Violation("I11", f"of {charge.captured} captured, {charge.refunded} went back")
            taken[charge.order_id] += charge.captured
            order = self.find(charge.order_id)
            if order is not None and taken[charge.order_id] > _total(order):
                raise Violation("I2", f"{charge.order_id} of {_total(order)} was charged {taken[charge.order_id]}")

    def ended(self, *expected: tuple[str, ...] | None) -> None:
        """How orders end is certain when nothing goes wrong, and mostly when one thing does."""
        self.counts["flow"] += 1
        ended = tuple(sorted(order["status"] for order in self.orders()))
        if ended not in expected:
            raise Violation("flow", f"the orders ended {ended}, not {expected}")

    def promised(self, order_id: str) -> None:
        """A buyer was told that this order stands: its workflow has begun."""
        self._promised.add(order_id)
        if order_id not in self._world.executions.known:
            raise Violation("I9", f"a buyer was told that {order_id} stands; its execution was never started")

    def taken_back(self, order_id: str) -> None:
        """Somebody was told that this order is canceled."""
        order = self.find(order_id)
        if order is None or order["status"] != "canceled":
            raise Violation("I6", f"somebody was told that {order_id} is canceled; it is not")

    def led(self, checkout: Mapping[str, Any]) -> None:
        """A buyer whose bank wants a confirmation was told where: not at the shop."""
        if checkout["continue_url"].endswith(f"/checkout/{checkout['id']}"):
            raise Violation("I6", f"the buyer of {checkout['id']} is not led to the bank that wants a confirmation")

    def overdrawn(self) -> None:
        """I11: the shop itself counts what is left, and does not leave that to the provider."""
        raise Violation("I11", "the shop asked for a larger refund than is left")

    def refused(self, status: int) -> None:
        """Forged news is refused."""
        self.counts["signature"] += 1
        if status < 400:
            raise Violation("signature", f"news with a wrong signature was answered with {status}")

    def healed(self) -> None:
        """What Stripe did, the shop has in its books by now, although a webhook never came."""
        self.counts["healing"] += 1
        for intent in self._world.payments.intents():
            order = self.find(intent.order_id)
            if order is None or order.get("payment_intent") != intent.id:
                continue
            sums = balance(self._payments(order["id"]))
            if intent.held and order["status"] == "pending_payment":
                raise Violation("healing", f"{order['id']} is paid, and does not know it after a quarter of an hour")
            if sums.captured != intent.captured:
                raise Violation("healing", f"{order['id']} does not know its capture after a quarter of an hour")
            if sums.refunded != intent.refunded:
                raise Violation("healing", f"{order['id']} knows {sums.refunded} of {intent.refunded} refunded")

    def followed(self, shipment: Shipment) -> None:
        """What the carrier said of a parcel under way, the shop knows by now, although a webhook never came."""
        self.counts["healing"] += 1
        if not self.heard(shipment):
            raise Violation("healing", f"{shipment.reference} is {shipment.status}, unknown for a quarter of an hour")

    def heard(self, shipment: Shipment) -> bool:
        """Whether the last news of the parcel is in its order's history. True of one that is not under way."""
        order = self.find(order_named(shipment.reference)) or {"shipments": ()}
        sent = [one["label"]["tracking_number"] for one in order["shipments"] if one["status"] == "shipped"]
        return shipment.tracking_code not in sent or _tells(order, shipment)

    def expects(self, shipment: Shipment) -> bool:
        """Whether the order knows of the parcel: the carrier may be faster than its label."""
        order = self.find(order_named(shipment.reference))
        return order is not None and shipment.tracking_code in _labels(order)

    def lacks(self, shipment: Shipment) -> bool:
        """Whether the order is still to learn the parcel's last news. Of a second label that was bought for one of its
        parcels it never does.
        """
        order = self.find(order_named(shipment.reference))
        if order is None or order["status"] in TERMINAL or _tells(order, shipment):
            return False
        return bool({shipment.tracking_code, None} & {*_labels(order)})

    def vanished(self, sku: str, location: str) -> None:
        """I1 by a picker who finds too few where nothing was ever lost."""
        raise Violation("I1", f"nobody lost any {sku} at {location}, and the books have more than lies there")

    def mended_itself(self, needed: int) -> None:
        """I9 without a person, who was needed so many times."""
        self.counts["I9"] += 1
        if needed:
            raise Violation("I9", f"a person had to see to {needed} things after a fault that passes")

    def undisturbed(self, found: int) -> None:
        """Nothing went wrong, and the reconciler found so much all the same."""
        self.counts["flow"] += 1
        if found:
            raise Violation("flow", f"without any fault the reconciler found {found} things")

    def replayed(self, first: str, second: str) -> None:
        """I10: the same key, the same bytes."""
        self.counts["I10"] += 1
        if first != second:
            raise Violation("I10", f"a replay was answered with {second[:200]!r}, the request with {first[:200]!r}")

    # --- what the shop has stored -----------------------------------------------------------------------------------

    def orders(self) -> Iterator[dict[str, Any]]:
        """Every order, as it is now."""
        for order_id in list(self._encoded):
            order = self.find(order_id)
            if order is not None:
                yield order

    def find(self, order_id: str) -> dict[str, Any] | None:
        """The order as it is now, without a call of the shop's."""
        encoded = self._encoded.get(order_id)
        if encoded is None:
            return None
        known = self._orders.get(order_id)
        if known is None or known[0] is not encoded:
            known = self._orders[order_id] = (encoded, _order(self._decode(encoded)))
        return known[1]

    def on_hand(self, sku: str, location: str) -> int:
        """What the books say that a look at the shelf finds."""
        return sum(row.get("on_hand", 0) for row in self._stock.get((sku, location), {}).values())

    def owed(self, sku: str, location: str) -> int:
        """Units that are promised and have not come."""
        available: int = sum(row.get("available", 0) for row in self._stock.get((sku, location), {}).values())
        return max(0, -available)

    def before(self) -> Before:
        """What a schedule that begins here must know."""
        events = frozenset(pk[6:] for pk, _, _ in self._world.tables.items("outbox"))
        return Before(dict(self._stock), dict(self._ledger), events, dict(self._caps), dict(self._limits))

    # --- at rest ----------------------------------------------------------------------------------------------------

    def at_rest(self) -> None:
        """Everything that must hold once nothing moves any more."""
        self.books()
        self._shelves_hold_what_the_books_say()
        orders = list(self.orders())
        self._events_arrived(orders)
        self._letters(orders)

    def books(self) -> None:
        """What must hold then of orders, stock and money."""
        orders = list(self.orders())
        self._one_order_per_checkout(orders)
        self._ended(orders)
        self._no_promise_left()
        self._goods_are_where_they_belong(orders)
        self._limits_hold(orders)
        self._discounts_are_counted(orders)
        self._money_is_where_it_belongs(orders)
        self._executions_ended(orders)

    def _one_order_per_checkout(self, orders: list[dict[str, Any]]) -> None:
        self.counts["I3"] += 1
        alive = Counter(order["checkout_id"] for order in orders if order["status"] != "canceled")
        attempts = Counter((order["checkout_id"], order["attempt"]) for order in orders)
        for checkout, count in (alive + Counter()).items():
            if count > 1:
                raise Violation("I3", f"checkout {checkout} became {count} orders")
        for attempt, count in attempts.items():
            if count > 1:
                raise Violation("I3", f"attempt {attempt} became {count} orders")

    def _ended(self, orders: list[dict[str, Any]]) -> None:
        self.counts["I6"] += 1
        for order in orders:
            if order["status"] not in TERMINAL:
                raise Violation("I6", f"order {order['id']} came to rest {order['status']}")
            if order["status"] == "delivered" and not order.get("settled"):
                raise Violation("I6", f"order {order['id']} is delivered and not settled")
        for pk, sk, item in self._world.tables.items("carts"):
            if sk == "CHECKOUT" and pk.startswith("CHECKOUT#"):
                status = item["status"]
                if status in ("complete_in_progress", "requires_escalation"):
                    raise Violation("I6", f"checkout {pk} came to rest {status}")

    def _no_promise_left(self) -> None:
        self.counts["I4"] += 1
        for pk, sk, item in self._world.tables.items("inventory"):
            if sk.startswith("RESERVATION#") and item["status"] == "reserved":
                raise Violation("I4", f"{pk} still holds {item['quantity']} of {sk}")
        self.counts["I1"] += 1
        for place, rows in self._stock.items():
            reserved = sum(row.get("on_hand", 0) - row.get("available", 0) for row in rows.values())
            if reserved:
                raise Violation("I1", f"{reserved} of {place[0]} at {place[1]} are promised to nobody")

        for pk, sk, item in self._world.tables.items("inventory"):
            if pk.startswith("STOCK#") and item.get("draining"):
                raise Violation("I4", f"the pool of {pk} at {sk} was switched off and never ended")

    def _goods_are_where_they_belong(self, orders: list[dict[str, Any]]) -> None:
        """I1 once more, by what the orders say: what was shipped left the shelves, and what came back is on them."""
        self.counts["I1"] += 1
        expected: Counter[tuple[str, str]] = Counter()
        for order in orders:
            for line in order["lines"]:
                expected[line["sku"], "shipped"] -= line["fulfilled"]
                expected[line["sku"], "returned"] += line["returned"]
        for _, sk, item in self._world.tables.items("stockroom"):
            if sk == "PURCHASE_ORDER":
                self._received(item, expected)
        for sku in {sku for sku, _ in (*self._moved, *expected)}:
            for kind in ("received", "shipped", "returned", "transferred", "reserved", "released"):
                told, known = self._moved[sku, kind], expected[sku, kind]
                if told != known:
                    raise Violation("I1", f"{kind} of {sku}: {told} by the ledger, {known} by the orders")

    def _shelves_hold_what_the_books_say(self) -> None:
        """I1 by the goods themselves: what people would find in the warehouse is what the books say."""
        self.counts["shelves"] += 1
        shelves = self._world.shelves
        for sku, location in {*self._stock, *shelves.places()}:
            lie, known = shelves.there(sku, location), self.on_hand(sku, location)
            if lie != known:
                raise Violation("I1", f"{lie} of {sku} lie at {location}; the books say {known}")

    def _received(self, order: dict[str, Any], expected: Counter[tuple[str, str]]) -> None:
        """Deliveries are what a purchase order says, and never more than was ordered."""
        came: Counter[str] = Counter()
        for delivery in order.get("deliveries", ()):
            came.update({line["sku"]: line["quantity"] for line in delivery["lines"]})
        for line in order["lines"]:
            expected[line["sku"], "received"] += line["received"]
            if line["received"] != came[line["sku"]] or line["received"] > line["quantity"]:
                raise Violation("I1", f"of {line['quantity']} {line['sku']} ordered {line['received']} came: {came}")

    def _limits_hold(self, orders: list[dict[str, Any]]) -> None:
        """What one buyer has of a SKU with a purchase limit is counted, and not more than that."""
        self.counts["limits"] += 1
        bought: Counter[tuple[str, str]] = Counter()
        for order in orders:
            if order["status"] != "canceled":
                for line in order["lines"]:
                    bought[order.get("buyer_key", ""), line["sku"]] += line["quantity"]
        for pk, sk, item in self._world.tables.items("inventory"):
            if pk.startswith("BUYER#") and sk.startswith("LIMIT#"):
                counted, has = item["units"], bought[pk[6:], sk[6:]]
                if counted != has or counted > self._limits[sk[6:]]:
                    raise Violation("limits", f"of {sk[6:]} a buyer has {has}; counted were {counted}")

    def _discounts_are_counted(self, orders: list[dict[str, Any]]) -> None:
        """What was taken off is what the orders say of their discounts, and each counted use is an order's."""
        self.counts["discounts"] += 1
        uses: Counter[tuple[str, str]] = Counter()
        for order in orders:
            taken = -sum(entry["amount"] for entry in order["totals"] if entry["type"] == "items_discount")
            given = order.get("discounts", ())
            if sum(one["amount"] for one in given) != taken:
                raise Violation("discounts", f"{taken} were taken off {order['id']}, for {given}")
            for one in given if order["status"] != "canceled" else ():
                uses[f"DISCOUNT#{one['code']}", "DISCOUNT"] += one["counted"]
                uses[f"BUYER#{order.get('buyer_key')}", f"DISCOUNT#{one['code']}"] += one["counted_for_buyer"]
        for pk, sk, item in self._world.tables.items("inventory"):
            if "uses" in item and item["uses"] != uses[pk, sk]:
                raise Violation("discounts", f"{pk} {sk} is in use {uses[pk, sk]} times; counted were {item['uses']}")

    def _money_is_where_it_belongs(self, orders: list[dict[str, Any]]) -> None:
        self.counts["I2"] += 1
        charges: dict[str, list[Charge]] = defaultdict(list)
        for charge in self._world.payments.charges():
            charges[charge.order_id].append(charge)
        held: Counter[str] = Counter()
        for intent in self._world.payments.intents():
            order = self.find(intent.order_id)
            held[intent.order_id] += intent.held
            if (intent.held or intent.captured) and (order is None or order.get("payment_intent") != intent.id):
                raise Violation("I2", f"{intent.id} has money of {intent.order_id or 'nobody'}, which does not know it")
        for order in orders:
            own = charges[order["id"]]
            captured = sum(charge.captured for charge in own)
            refunded = sum(charge.refunded for charge in own)
            self._books(order, captured, refunded, held[order["id"]], any(charge.disputed for charge in own))

    def _books(self, order: dict[str, Any], captured: int, refunded: int, held: int, disputed: bool) -> None:
        if held:
            raise Violation("I2", f"{held} of the buyer's money are still held for {order['id']}, {order['status']}")
        sums = balance(self._payments(order["id"]))
        if (sums.captured, sums.refunded) != (captured, refunded):
            raise Violation(
                "I7",
                f"the books of {order['id']} say {sums.captured} captured, {sums.refunded} refunded; "
                f"at the provider it is {captured}, {refunded}",
            )
        refunds = (one for one in order.get("adjustments", ()) if one["type"] == "refund")
        given_back = -sum(one["amount"] for one in refunds if one["status"] == "completed")
        if given_back != refunded:
            raise Violation("I2", f"{order['id']} says {given_back} went back; it was {refunded}")
        if order["status"] == "delivered" and captured != _total(order):
            raise Violation("I2", f"{order['id']} is delivered; {captured} of {_total(order)} were captured")
        if order["status"] in ("canceled", "lost") and captured != refunded and not disputed:
            raise Violation("I2", f"{order['id']} is {order['status']}; {captured - refunded} were not given back")

    def _payments(self, order_id: str) -> list[PaymentEvent]:
        stored = self._world.tables.partition("orders", f"ORDER#{order_id}")
        return [PaymentEvent.model_validate(fields(item)) for sk, item in stored if sk.startswith("PAYMENT#")]

    def _executions_ended(self, orders: list[dict[str, Any]]) -> None:
        self.counts["I9"] += 1
        known = self._world.executions.known
        for order in orders:
            execution = known.get(order["id"])
            if execution is None:
                raise Violation("I9", f"order {order['id']} has no execution")
        for execution in known.values():
            if execution.status != "SUCCEEDED":
                raise Violation("I9", f"the execution of {execution.name} is {execution.status} in {execution.state}")

    def _events_arrived(self, orders: list[dict[str, Any]]) -> None:
        self.counts["I8"] += 1
        self.counts["I12"] += 1
        world = self._world
        outbox = {pk[6:]: item["detail_type"] for pk, _, item in self._world.tables.items("outbox")}
        put = {event: kind for event, kind in outbox.items() if event not in self._old_events}
        published = {event["id"] for event in world.bus.published}
        lost = set(put) - published
        if lost:
            raise Violation("I8", f"{', '.join(sorted(put[one] for one in lost))} never reached the bus")
        if world.emails.dead or world.analytics.dead:
            raise Violation("I8", "dead letters are left after they were sent again")
        rows = {row["id"] for row in world.rows}
        if rows != published:
            raise Violation("I12", f"{len(published - rows)} events have no row, {len(rows - published)} rows no event")
        told: dict[str, Counter[str]] = defaultdict(Counter)
        for event in {event["id"]: event for event in world.bus.published}.values():
            told[event["subject"]][event["type"]] += 1
        for order in orders:
            self._told(order, told[order["id"]])
        for order_id in self._promised:
            if not told[order_id]["order.confirmed"]:
                raise Violation("I6", f"a buyer was told that {order_id} stands; it was never confirmed")

    def told_once(self, events: Iterable[tuple[str, str, str]]) -> None:
        """I12 by what transactions published, where nobody consumes it: (id, type, order) of each event."""
        self.counts["I12"] += 1
        told: dict[str, Counter[str]] = defaultdict(Counter)
        for event_id, kind, order_id in events:
            if event_id not in self._old_events:
                told[order_id][kind] += 1
        for order in self.orders():
            self._told(order, told[order["id"]])
        for order_id in self._promised:
            if not told[order_id]["order.confirmed"]:
                raise Violation("I6", f"a buyer was told that {order_id} stands; it was never confirmed")

    def _told(self, order: dict[str, Any], told: Counter[str]) -> None:
        for kind in ONCE:
            if told[kind] > 1:
                raise Violation("I12", f"{kind} of {order['id']} was told {told[kind]} times")
        ended = f"order.{order['status']}"
        if not told["order.placed"] or not told[ended]:
            raise Violation("I12", f"{order['id']} is {order['status']}; analytics know {dict(told)}")

    def _letters(self, orders: list[dict[str, Any]]) -> None:
        self.counts["I5"] += 1
        letters: Counter[tuple[str, str]] = Counter()
        for letter in self._world.mailbox:
            letters[letter["Destination"]["ToAddresses"][0], letter["EmailTags"][0]["Value"]] += 1
        attempts, refunds = Counter[str](), Counter[str]()
        for order in orders:
            recipient = self._email(order)
            attempts[recipient] += 1
            refunds[recipient] += sum(one["type"] == "refund" for one in order.get("adjustments", ()))
        for (recipient, kind), count in letters.items():
            if count > (refunds if kind == "payment_refunded" else attempts)[recipient]:
                raise Violation("I5", f"{kind} was sent to {recipient} {count} times")
        for order in orders:
            recipient = self._email(order)
            notice = NOTICES.get(order["status"])
            if notice and not self._world.boundaries.letter_may_be_lost and letters[recipient, notice] != 1:
                raise Violation("I5", f"{notice} about {order['id']} was sent {letters[recipient, notice]} times")

    def _email(self, order: dict[str, Any]) -> str:
        """The buyer's address, which stands sealed in the order."""
        [(_, key)] = self._world.tables.partition("privacy", f"KEY#{order['checkout_id']}")
        sealed = Sealed(order["checkout_id"], order["id"], order["sealed"])
        return str(unseal(key["key"], sealed)["buyer"]["email"])


def _labels(order: dict[str, Any]) -> list[str | None]:
    """The tracking numbers of the order's parcels; None for one that has no label yet."""
    return [one["label"]["tracking_number"] if one.get("label") else None for one in order["shipments"]]


def _tells(order: dict[str, Any], shipment: Shipment) -> bool:
    """Whether the order's history has the last news of the parcel."""
    news = EVENT_TYPES[cast(TrackingStatus, shipment.status)], shipment.tracking_code
    return any((one["type"], one["tracking_number"]) == news for one in order["events"])


def _order(item: dict[str, Any]) -> dict[str, Any]:
    """The order; one that an earlier release wrote, with the parcels that this one sees in it."""
    if "shipments" not in item:
        shipments = orders_repository._order(item).shipments
        return {**item, "shipments": [one.model_dump(mode="json", exclude_none=True) for one in shipments]}
    return item


def _total(order: dict[str, Any]) -> int:
    return next(int(entry["amount"]) for entry in order["totals"] if entry["type"] == "total")
