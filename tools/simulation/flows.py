"""What happens in a shop: one scene for each way that orders, stock and money can go."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from commerce.adapters import wiring
from commerce.supply import SellingPolicy
from tools.simulation.people import VISA, Buyer, Parcels, Person, Stockroom, Support, Warehouse
from tools.simulation.world import World

WITH_3DS = "pm_card_authenticationRequired"
DECLINED = "pm_card_chargeDeclined"
CAPTURE_FAILS = "pm_card_captureFails"
PENDING_REFUND = "pm_card_pendingRefund"
CARDS = ((VISA,), (VISA,), (VISA,), (WITH_3DS,), (DECLINED, VISA), (CAPTURE_FAILS,), (PENDING_REFUND,))
"""With which cards buyers pay, one after another."""
SKUS = ("MUG", "TEAPOT", "LAST", "LAMP", "PRINT")
PRICES = {"MUG": 1800, "TEAPOT": 4200, "LAST": 9900, "LAMP": 5000, "PRINT": 2500}
STOCK = {
    ("MUG", "main"): 6,
    ("TEAPOT", "main"): 2,
    ("TEAPOT", "annex"): 2,
    ("LAST", "main"): 1,
    ("LAMP", "main"): 1,
    ("PRINT", "main"): 5,
}
"""Units at the start, by SKU and location."""
POLICIES = {
    "LAMP": SellingPolicy(version=1, mode="backorder", cap=2, location="main"),
    "PRINT": SellingPolicy(version=1, purchase_limit=2),
}
"""Lamps are sold ahead of their stock, and one buyer gets two prints."""
DISCOUNTS = (
    {"code": "ONCE", "title": "Five off, once", "amounts": {"USD": 500}, "limit": 1},
    {"code": "WELCOME", "title": "Ten per cent, once each", "basis_points": 1000, "limit_per_buyer": 1},
)
CODES = ((), (), (), ("WELCOME",), ("ONCE",), ("ONCE", "WELCOME"))
"""What buyers of a crowd enter."""
BUYERS = (2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 5, 8)
"""How many want the same things at once, mostly few: most of what can go wrong goes wrong between two."""


def furnish(world: World) -> None:
    """Products, discounts and stock, as staff make them."""

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
        for sku, policy in POLICIES.items():
            wiring.inventory().save_policy(sku, SellingPolicy(), policy)
        for discount in DISCOUNTS:
            made = world.http(
                "admin_discounts",
                "POST /admin/discounts",
                body=discount,
                headers={"idempotency-key": f"discount-{discount['code']}"},
                staff=True,
            )
            assert made is not None and made.status == 201, made
        for (sku, location), quantity in STOCK.items():
            world.http(
                "admin_inventory",
                "POST /admin/stock/{sku}/adjustments",
                parameters={"sku": sku},
                body={"quantity": quantity, "location": location, "reason": "delivery"},
                headers={"idempotency-key": f"stock-{sku}-{location}"},
                staff=True,
            )
            world.shelves.add(sku, location, quantity)

    world.scheduler.start("staff", make)
    world.scheduler.run()


Flow = Callable[[World], None]


def _bought(
    world: World,
    number: int = 1,
    *,
    short: bool = False,
    after: float = 0.0,
    patient: bool = True,
    sharp: bool = False,
    **buyer: Any,
) -> Buyer:
    """A buyer who buys, `after` so many seconds, and a warehouse that works ten minutes later, `sharp` where it begins
    with the minute, as the reconciler does.
    """
    somebody = Buyer(world, f"buyer{number}", patient, **buyer)

    def work() -> None:
        order_id = somebody.buy()
        if order_id:
            world.scheduler.start(
                f"warehouse {number}",
                lambda: Warehouse(world, f"warehouse{number}", patient, short=short).work(order_id),
                after=600.0 - (world.scheduler.now % 60.0 if sharp else 0.0),
            )

    world.scheduler.start(somebody.name, work, after=after)
    return somebody


def checkout(world: World) -> None:
    """Bought, shipped, delivered."""
    Parcels(world)
    _bought(world, lines=(("MUG", 1), ("TEAPOT", 1)))
    _safety_net(world)


def _safety_net(world: World, after: float = 0.0) -> None:
    """Whoever bought without hearing of it has an order all the same: the warehouse finds it on its list."""

    def rounds() -> None:
        for number in range(4):
            world.scheduler.sleep(43_200.0)
            _what_is_owed_comes(world, number)
            for order in list(world.checks.orders()):
                if order["status"] in ("confirmed", "picked", "packed"):
                    Warehouse(world, f"round{number}-{order['id'][-4:]}").work(order["id"])

    world.scheduler.start("the warehouse's list", rounds, after=after)


def _what_is_owed_comes(world: World, number: int) -> None:
    """What was sold ahead comes in the end, whatever became of its first delivery."""
    for sku, location in STOCK:
        owed = world.checks.owed(sku, location)
        if owed:
            Stockroom(world, f"goods-in-{number}-{sku}").adjust(sku, owed, location, "what was owed has come")


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


def last_second(world: World) -> None:
    """The buyer confirms at the bank just when the hold passes."""
    Parcels(world)
    hold = world.functions.config.shop.hold_seconds
    _bought(world, cards=(WITH_3DS,), hesitates=hold - 4.0 + 5.0 * world.random.random())
    _safety_net(world)


def two_tabs(world: World) -> None:
    """The buyer pays in two tabs at once, with a card that is declined and with one that is not."""
    Parcels(world)
    somebody = Buyer(world, "buyer1")

    def open_tabs() -> None:
        checkout_id = somebody.begin()
        if checkout_id:
            for card in (DECLINED, VISA):
                world.scheduler.start(f"tab of {card}", partial(somebody.pay, checkout_id, card))

    world.scheduler.start("buyer1", open_tabs)
    _safety_net(world)


def two_minds(world: World) -> None:
    """The buyer pays in one tab, and wants another one more in the other at the same moment."""
    Parcels(world)
    somebody = Buyer(world, "buyer1")

    def open_tabs() -> None:
        checkout_id = somebody.begin()
        if checkout_id:
            world.scheduler.start("tab that pays", partial(somebody.pay, checkout_id, VISA))
            world.scheduler.start("tab that changes", partial(somebody.change, checkout_id, (("MUG", 2),)))

    world.scheduler.start("buyer1", open_tabs)
    _safety_net(world)


def once(world: World) -> None:
    """Nobody asks twice, answered or not: two buyers, one of whom changes their mind, and the warehouse."""
    Parcels(world)
    _bought(world, 1, patient=False)
    _changes_mind(world, _bought(world, 2, patient=False, lines=(("TEAPOT", 1),)))
    _safety_net(world)


def swift(world: World) -> None:
    """The carrier takes the parcel when it is handed over, and brings it before the shop may know that it has left."""
    Parcels(world, swift=True)
    _bought(world)
    _safety_net(world)


def slow_warehouse(world: World) -> None:
    """Nobody picks before the workflow has given up its wait for the warehouse."""
    Parcels(world)
    world.scheduler.start("buyer1", Buyer(world, "buyer1").buy)
    _safety_net(world, after=1.5 * world.functions.config.warehouse_seconds)


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
    def look() -> None:
        order = world.checks.find(somebody.order_id or "")
        if order is not None and order["status"] in ("ready_to_ship", "canceled", "shipped"):
            world.on_order.remove(look)
            support = Support(world, "support")
            cancel = partial(support.act, "cancel", order["id"], {"reason": "buyer_request"})
            world.scheduler.start(support.name, cancel, after=1.5 * world.random.random())

    world.on_order.append(look)


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


def overdue(world: World) -> None:
    """The parcel arrives days after the workflow has given up its wait for it."""
    Parcels(world, late=True)
    _bought(world)
    _safety_net(world)


def sent_again(world: World) -> None:
    """The buyer's client sends everything once more, two minutes after it was answered."""
    Parcels(world)
    _bought(world, repeats=120.0)
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
    Stockroom(world, f"returns-{order_id[-4:]}").take_back(order_id, line, 1)
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
    """Two buyers want the last one, and mugs in two lines of one; a third wants two of the last one, in two lines."""
    Parcels(world)
    _bought(world, 1, lines=(("LAST", 1), ("MUG", 1), ("MUG", 1)))
    _bought(world, 2, lines=(("MUG", 1), ("LAST", 1), ("MUG", 1)))
    _bought(world, 3, lines=(("LAST", 1), ("LAST", 1)))
    _safety_net(world)


def split(world: World) -> None:
    """No single place has all of it: two parcels, and both arrive."""
    Parcels(world)
    _bought(world, lines=(("TEAPOT", 3), ("MUG", 1)))
    _safety_net(world)


def one_of_two_lost(world: World) -> None:
    """Of two parcels one is lost: what was paid for it goes back."""
    parcels = Parcels(world)
    somebody = _bought(world, lines=(("TEAPOT", 3),))
    somebody.on_order = lambda order_id: parcels.endings.update({f"{order_id}-annex": "lost"})
    _safety_net(world)


def hot(world: World) -> None:
    """Staff spread a SKU over a pool, and bring it together, while three buyers want it: one of them changes their
    mind, of another one's a unit breaks.
    """
    Parcels(world)
    _pool_for_a_while(world)
    chances = world.random
    buyers = [
        _bought(world, number, short=number == 2, sharp=True, lines=(("MUG", number),), after=2.0 * chances.random())
        for number in (1, 2, 3)
    ]
    _changes_mind(world, buyers[2])
    _bought(world, 4, lines=(("TEAPOT", 1),))
    _safety_net(world)


def _pool_for_a_while(world: World) -> None:
    def pool() -> None:
        staff = Person(world, "staff")
        world.scheduler.sleep(0.3 * world.random.random())
        staff.ask(
            "admin_inventory",
            "PUT /admin/stock/{sku}/pool",
            parameters={"sku": "MUG"},
            body={"shards": 3},
            staff=True,
        )
        world.scheduler.sleep(4000.0 * world.random.random())
        staff.ask("admin_inventory", "DELETE /admin/stock/{sku}/pool", parameters={"sku": "MUG"}, staff=True)

    world.scheduler.start("staff", pool)


def transfer(world: World) -> None:
    """Staff carry units to the other place, and correct a count, while buyers take them."""
    Parcels(world)
    for number in (1, 2):
        _bought(world, number, lines=(("TEAPOT", 1),))
    _stockroom(world)
    _safety_net(world)


def _stockroom(world: World) -> None:
    def carry() -> None:
        staff = Stockroom(world, "stockroom")
        for origin, destination in (("main", "annex"), ("annex", "main")):
            world.scheduler.sleep(0.4 * world.random.random())
            staff.carry("TEAPOT", 1, origin, destination, "nearer to the door")
        staff.adjust("TEAPOT", -1, "annex", "broken")

    world.scheduler.start("stockroom", carry)


def backorder(world: World) -> None:
    """The lamp on the shelf is sold; then two buyers at once want two each, of which two may be sold ahead in all; when
    one of them has been refused, lamps arrive.
    """
    Parcels(world)
    _bought(world, 1, lines=(("LAMP", 1),))
    for number in (2, 3):
        _bought(world, number, lines=(("LAMP", 2),), after=60.0)
    _lamps_arrive(world, earliest=600.0)
    _safety_net(world)


def _lamps_arrive(world: World, earliest: float = 0.0) -> None:
    def receive() -> None:
        Stockroom(world, "delivery").adjust("LAMP", 2, "main", "the lamps have come")

    world.scheduler.start("delivery", receive, after=earliest + (7200.0 - earliest) * world.random.random())


def purchase(world: World) -> None:
    """Lamps are ordered from their supplier and come in three boxes at once, one too many, while buyers want them."""
    Parcels(world)
    _bought(world, 1, lines=(("LAMP", 2),))
    _lamps_are_ordered(world)
    late = Buyer(world, "buyer2", lines=(("LAMP", 3),))
    world.scheduler.start("buyer2", late.buy, after=9000.0)
    _safety_net(world)


def _lamps_are_ordered(world: World) -> None:
    def order() -> None:
        staff = Person(world, "purchasing")

        def ask(route: str, body: Any = None, **parameters: str) -> Any:
            answer = staff.ask("admin_purchasing", route, parameters=parameters, body=body, staff=True)
            return answer.body if answer and answer.status < 300 else None

        supplier = ask("POST /admin/suppliers", {"name": "Lamps & Co", "currency": "USD"})
        wanted = {
            "supplier_id": supplier["id"] if supplier else "none",
            "location": "main",
            "expected_on": "2026-12-01",
            "lines": [{"sku": "LAMP", "quantity": 4, "unit_cost": 2000}],
        }
        made = ask("POST /admin/purchase-orders", wanted)
        if made is None:
            return
        sent = ask("POST /admin/purchase-orders/{id}/send", id=made["id"])
        if sent is None and world.keeps_answers:
            return
        # Else whoever sends it twice hears that it was changed meanwhile, and the boxes come all the same.
        world.scheduler.sleep(3600.0 * world.random.random())
        for box, units in ((1, 2), (2, 2), (3, 1)):
            clerk = Stockroom(world, f"goods-in-{box}")
            world.scheduler.start(clerk.name, partial(clerk.receive, made["id"], "LAMP", units, "main"))

    world.scheduler.start("purchasing", order)


def counted(world: World) -> None:
    """Staff count two SKUs while buyers take them: a mug is missing, a teapot was forgotten. Somebody else sees the one
    that is missing, too, and writes it off.
    """
    Parcels(world)
    for number in (1, 2):
        _bought(world, number, lines=(("MUG", number), ("TEAPOT", 1)))
    _stock_is_taken(world)
    world.scheduler.start(
        "shop floor",
        lambda: Stockroom(world, "shop-floor").correct("MUG", "main"),
        after=14_400.0 * world.random.random(),
    )
    _safety_net(world)


def _stock_is_taken(world: World) -> None:
    def take_stock() -> None:
        if world.shelves.there("MUG", "main") > 1:
            world.shelves.lose("MUG", "main")
        world.shelves.add("TEAPOT", "main", 1)
        Stockroom(world, "stocktaking").count("main", ("MUG", "TEAPOT"))

    world.scheduler.start("stocktaking", take_stock, after=2.0 * world.random.random())


def by_table(world: World) -> None:
    """Staff adjust three SKUs by a table while buyers want the same; before that they send one with a mistake."""
    Parcels(world)
    _bought(world, 1, lines=(("LAST", 1), ("MUG", 1)))
    _changes_mind(world, _bought(world, 2, lines=(("TEAPOT", 2),)))
    _adjusted_by_table(world)
    _safety_net(world)


def _adjusted_by_table(world: World) -> None:
    rows = (("MUG", "main", 2, "delivery"), ("TEAPOT", "annex", -1, "broken"), ("LAST", "main", -1, "broken"))

    def adjust() -> None:
        staff = Stockroom(world, "table")
        staff.send_table([*rows, ("MUGG", "main", 1, "no such SKU")])  # is refused: no goods are moved
        staff.adjust_by_table(rows)

    world.scheduler.start("table", adjust, after=0.6 * world.random.random())


def limited(world: World) -> None:
    """One buyer with a limit of two prints buys twice at once, cancels, and buys again."""
    Parcels(world)
    first = _bought(world, 1, lines=(("PRINT", 2),), email="ada@buyers.example")
    _bought(world, 2, lines=(("PRINT", 1),), email="ada+second@buyers.example")
    _changes_mind(world, first)

    def again() -> None:
        world.scheduler.sleep(40_000.0)
        Buyer(world, "buyer3", lines=(("PRINT", 1),), email="Ada@buyers.example").buy()

    world.scheduler.start("buyer3", again)
    _safety_net(world)


def coupon(world: World) -> None:
    """In two tabs at once a buyer enters the code that works once and the one that works once each, and another buyer
    the first; then one order is canceled, and the buyer enters both again.
    """
    Parcels(world)
    first = _bought(world, 1, codes=("ONCE", "WELCOME"), email="ada@buyers.example")
    _bought(world, 2, codes=("welcome",), email="Ada+second@buyers.example")
    _bought(world, 4, codes=("once",))
    _changes_mind(world, first)

    def again() -> None:
        world.scheduler.sleep(40_000.0)
        Buyer(world, "buyer3", codes=("ONCE", "WELCOME"), email="Ada+again@buyers.example").buy()

    world.scheduler.start("buyer3", again)
    _safety_net(world)


def crowd(world: World) -> None:
    """Two to eight buyers at once who want the same few things, and everything that may become of an order."""
    chances = world.random
    parcels = Parcels(world)
    for number in range(1, chances.choice(BUYERS) + 1):
        lines = tuple((chances.choice(SKUS), chances.randint(1, 2)) for _ in range(chances.randint(1, 2)))
        cards = chances.choice(CARDS)
        somebody = _bought(
            world,
            number,
            short=chances.random() < 0.1,
            lines=lines,
            cards=cards,
            confirms=chances.random() < 0.8,
            codes=chances.choice(CODES),
        )
        _afterwards(world, somebody, parcels)
    if chances.random() < 0.2:
        _stockroom(world)
    (_lamps_are_ordered if chances.random() < 0.3 else _lamps_arrive)(world)
    if chances.random() < 0.2:
        _pool_for_a_while(world)
    if chances.random() < 0.15:
        _stock_is_taken(world)
    if chances.random() < 0.15:
        _adjusted_by_table(world)
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
    otherwise: tuple[str, ...] | None = None
    """If it depends on who comes first."""
    firm: bool = True
    """Whether its orders end so with any single fault, too: else people may try again, or give up."""
    mends: bool = False
    """Whether the reconciler has something to do all the same."""

FLOWS: dict[str, Scene] = {
    "checkout": Scene(checkout, ("delivered",)),
    "3ds": Scene(with_3ds, ("delivered",)),
    "abandoned_3ds": Scene(abandoned_3ds, ("canceled",)),
    "declined": Scene(declined, ("canceled", "delivered"), firm=False),
    "expiry": Scene(expiry, ("canceled",)),
    "last_second": Scene(last_second, ("delivered",), ("canceled",), mends=True),
    "once": Scene(once, ("canceled", "delivered"), firm=False),
    "two_minds": Scene(two_minds, ("delivered",)),
    "swift": Scene(swift, ("delivered",)),
    "two_tabs": Scene(two_tabs, ("delivered",), ("canceled",), firm=False),
    "slow_warehouse": Scene(slow_warehouse, ("delivered",)),
    "cancel": Scene(cancel, ("canceled",)),
    "cancel_against_ship": Scene(cancel_against_ship, ("delivered",), ("canceled",)),
    "short_pick": Scene(short_pick, ("canceled",)),
    "lost": Scene(lost, ("lost",)),
    "overdue": Scene(overdue, ("delivered",)),
    "sent_again": Scene(sent_again, ("delivered",)),
    "capture_fails": Scene(capture_fails, ("canceled",)),
    "refund": Scene(refund, ("delivered",)),
    "return": Scene(returned, ("delivered",)),
    "dispute": Scene(disputed, ("delivered",)),
    "last_unit": Scene(last_unit, ("delivered",)),
    "split": Scene(split, ("delivered",)),
    "one_of_two_lost": Scene(one_of_two_lost, ("delivered",)),
    "transfer": Scene(transfer, ("delivered", "delivered")),
    "backorder": Scene(backorder, ("delivered", "delivered")),
    "purchase": Scene(purchase, ("delivered", "delivered")),
    "count": Scene(counted, ("delivered", "delivered")),
    "table": Scene(by_table, ("canceled", "delivered"), otherwise=("canceled",)),
    "limit": Scene(limited, ("canceled", "delivered"), otherwise=("delivered", "delivered")),
    "coupon": Scene(
        coupon, ("canceled", *("delivered",) * 3), otherwise=("delivered",) * 4
    ),
    "hot": Scene(hot, ("canceled", "canceled", "delivered", "delivered"), firm=False),
}
