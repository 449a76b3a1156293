"""Purchase orders on a real engine: what is on its way, what has come, and that a delivery comes once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, dying_at_the_transaction, transactions_in_conflict
from builders.fulfilment import Crash
from builders.orders import Shop
from commerce.adapters.dynamodb import Table
from commerce.errors import Conflict, Invalid, NotFound, StaleVersion
from commerce.inventory.model import Incoming
from commerce.purchasing import service
from commerce.purchasing.model import Ending, PurchaseLine, PurchaseOrder, ReceivedLine, Supplier, SupplierContent
from commerce.purchasing.repository import PurchasingRepository


class Buying:
    """A shop with a supplier, and what a test wants of its purchases in one line."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.store = PurchasingRepository(Table(shop.client, shop.tables["STOCKROOM_TABLE"]), shop.outbox)
        self.supplier("supplier_1")

    def supplier(self, supplier_id: str, name: str = "Slow Pottery", currency: str = "EUR") -> Supplier:
        content = SupplierContent(name=name, currency=currency)
        return service.create_supplier(
            self.store, self.shop.audit, content, supplier_id=supplier_id, actor="anna", now=NOW
        )

    def draft(self, order_id: str = "po_1", now: Any = NOW, **changes: Any) -> PurchaseOrder:
        fields = {"supplier_id": "supplier_1", "location": "main", "expected_on": "2026-12-24", "note": "", **changes}
        lines = fields.pop("lines", {"MUG": 10, "HAT": 4})
        return service.create_order(
            self.store,
            self.shop.inventory,
            self.shop.catalog,
            self.shop.audit,
            order_id=order_id,
            lines=tuple(PurchaseLine(sku=sku, quantity=units, unit_cost=700) for sku, units in lines.items()),
            actor="anna",
            now=now,
            **fields,
        )

    def send(self, order_id: str = "po_1", expected: int | None = None) -> PurchaseOrder:
        return service.send_order(
            self.store, self.shop.audit, order_id=order_id, expected=expected, actor="anna", now=NOW
        )

    def sent(self, order_id: str = "po_1", **changes: Any) -> PurchaseOrder:
        self.draft(order_id, **changes)
        return self.send(order_id)

    def receive(self, order_id: str = "po_1", key: str = "box 1", **units: int) -> PurchaseOrder:
        return service.receive(
            self.store,
            self.shop.inventory,
            self.shop.audit,
            order_id=order_id,
            lines=tuple(ReceivedLine(sku=sku, quantity=quantity) for sku, quantity in units.items()),
            note=key,
            key=key,
            actor="carl",
            now=NOW,
        )

    def end(self, to: Ending, order_id: str = "po_1") -> PurchaseOrder:
        return service.end_order(
            self.store, self.shop.audit, order_id=order_id, to=to, expected=None, actor="anna", now=NOW
        )

    def incoming(self, sku: str = "MUG") -> list[Incoming]:
        return list(self.store.incoming(sku))

    def coming(self, sku: str = "MUG") -> int:
        return sum(one.quantity for one in self.incoming(sku))

    def on_hand(self, sku: str = "MUG") -> int:
        return self.shop.stock(sku).on_hand

    def told(self, event_type: str) -> list[dict[str, Any]]:
        return [event for event in self.shop.published() if event["type"] == event_type]


@pytest.fixture
def buying(shop: Shop) -> Buying:
    return Buying(shop)


def test_a_draft_is_nothing_that_comes(buying: Buying) -> None:
    order = buying.draft()

    assert (order.status, order.currency, order.cost) == ("draft", "EUR", 14 * 700)
    assert buying.incoming() == []


def test_what_was_sent_is_incoming_with_its_day(buying: Buying) -> None:
    buying.sent()

    assert buying.incoming() == [Incoming(location="main", quantity=10, expected_on="2026-12-24")]
    [event] = buying.told("purchase_order.sent")
    assert (event["subject"], event["units"], event["cost"], event["currency"]) == ("po_1", 14, 9800, "EUR")


def test_a_delivery_moves_what_is_incoming_onto_the_shelf(buying: Buying) -> None:
    buying.sent()

    order = buying.receive(MUG=6, HAT=4)

    assert order.status == "partly_received"
    assert (buying.coming("MUG"), buying.coming("HAT")) == (4, 0)
    assert (buying.on_hand("MUG"), buying.on_hand("HAT")) == (6, 4)
    [movement] = buying.shop.inventory.movements("MUG", "2026-11")
    assert (movement.kind, movement.on_hand, movement.available) == ("received", 6, 6)
    assert (movement.reference, movement.actor) == ("po_1", "carl")
    [event] = buying.told("purchase_order.received")
    assert (event["units"], event["complete"], event["location"]) == (10, False, "main")
    assert buying.shop.ledger_balances("MUG")


def test_the_last_delivery_ends_the_order(buying: Buying) -> None:
    buying.sent()
    buying.receive(MUG=6, HAT=4)

    order = buying.receive(key="box 2", MUG=4)

    assert (order.status, [delivery.note for delivery in order.deliveries]) == ("received", ["box 1", "box 2"])
    assert (buying.coming(), buying.on_hand()) == (0, 10)
    assert [event["complete"] for event in buying.told("purchase_order.received")].count(True) == 1
    [closed] = buying.told("purchase_order.closed")
    assert (closed["status"], closed["units"], closed["outstanding"]) == ("received", 14, 0)
    with pytest.raises(Conflict):
        buying.receive(key="box 3", MUG=1)


def test_a_delivery_that_is_reported_again_changes_nothing(buying: Buying) -> None:
    buying.sent()

    assert buying.receive(MUG=6) == buying.receive(MUG=6)

    assert (buying.coming(), buying.on_hand()) == (4, 6)
    assert len(buying.told("purchase_order.received")) == 1


def test_a_delivery_whose_answer_is_lost_comes_once(buying: Buying) -> None:
    buying.sent()

    with answers_lost_after_the_write(buying.shop.client, times=2) as lost:
        buying.receive(MUG=6)

    assert (len(lost), buying.on_hand(), buying.coming()) == (2, 6, 4)
    assert buying.shop.ledger_balances("MUG")


def test_deliveries_that_come_at_once_are_all_taken_in_and_none_twice(buying: Buying) -> None:
    buying.sent()

    def take_in(number: int) -> None:
        buying.receive(key=f"box {number}", MUG=2)

    with transactions_in_conflict(buying.shop.client, share=0.2), ThreadPoolExecutor(5) as people:
        for done in [people.submit(take_in, number) for number in range(5)]:
            done.result()
    take_in(3)

    assert (buying.on_hand(), buying.coming()) == (10, 0)
    assert buying.shop.ledger_balances("MUG")


@pytest.mark.parametrize("moment", ["before-send", "after-call"])
def test_a_delivery_that_was_cut_off_is_simply_reported_again(buying: Buying, moment: str) -> None:
    buying.sent()
    with dying_at_the_transaction(buying.shop, moment=moment), pytest.raises(Crash):
        buying.receive(MUG=6)

    buying.receive(MUG=6)

    assert (buying.on_hand(), buying.coming()) == (6, 4)
    assert buying.shop.ledger_balances("MUG")


def test_more_than_was_ordered_is_refused_and_nothing_of_it_comes(buying: Buying) -> None:
    buying.sent()

    with pytest.raises(Conflict) as refused:
        buying.receive(HAT=1, MUG=11)

    assert refused.value.path == "$.lines[1].quantity"
    assert "10 units of MUG are still to come" in refused.value.content
    assert (buying.on_hand("HAT"), buying.coming("HAT")) == (0, 4)


def test_what_was_not_ordered_is_refused(buying: Buying) -> None:
    buying.sent()

    with pytest.raises(Invalid) as refused:
        buying.receive(SHOE=1)

    assert refused.value.path == "$.lines[0].sku"


def test_closing_short_takes_the_rest_off_what_is_incoming(buying: Buying) -> None:
    buying.sent()
    buying.receive(MUG=6)

    assert buying.end("closed").status == buying.end("closed").status == "closed"

    assert (buying.coming("MUG"), buying.coming("HAT"), buying.on_hand()) == (0, 0, 6)
    [closed] = buying.told("purchase_order.closed")
    assert (closed["status"], closed["units"], closed["outstanding"]) == ("closed", 6, 8)


def test_what_was_sent_and_has_not_come_can_be_canceled(buying: Buying) -> None:
    buying.sent()

    assert buying.end("canceled").status == "canceled"
    assert buying.coming() == 0


@pytest.mark.parametrize(
    ("status", "to"), [("draft", "closed"), ("partly_received", "canceled"), ("received", "closed")]
)
def test_a_step_that_does_not_fit_the_status_is_refused(buying: Buying, status: str, to: Ending) -> None:
    buying.draft()
    if status != "draft":
        buying.send()
        buying.receive(MUG=10, **({"HAT": 4} if status == "received" else {}))

    with pytest.raises(Conflict):
        buying.end(to)
    with pytest.raises(Conflict):
        buying.receive(key="more", HAT=5)
    assert buying.store.get("po_1").status == status


def test_incoming_stock_of_several_orders_stands_side_by_side(buying: Buying) -> None:
    buying.sent("po_1")
    buying.sent("po_2", expected_on="2026-12-01", lines={"MUG": 3})
    buying.receive("po_1", MUG=10)

    assert buying.incoming() == [Incoming(location="main", quantity=3, expected_on="2026-12-01")]


def test_another_day_moves_what_is_incoming(buying: Buying) -> None:
    buying.sent()

    service.reschedule(
        buying.store, buying.shop.audit, order_id="po_1", expected_on="2027-01-10", actor="anna", now=NOW
    )

    assert [one.expected_on for one in buying.incoming()] == ["2027-01-10"]


def change(buying: Buying, expected: int, **lines: int) -> PurchaseOrder:
    return service.change_order(
        buying.store,
        buying.shop.inventory,
        buying.shop.catalog,
        buying.shop.audit,
        order_id="po_1",
        expected=expected,
        supplier_id="supplier_1",
        location="main",
        expected_on="2026-12-24",
        lines=tuple(PurchaseLine(sku=sku, quantity=units, unit_cost=700) for sku, units in lines.items()),
        note="",
        actor="anna",
        now=NOW,
    )


def test_a_draft_is_changed_and_what_was_sent_is_not(buying: Buying) -> None:
    buying.draft()
    assert change(buying, 1, MUG=5).units == 5
    with pytest.raises(StaleVersion):
        change(buying, 1, MUG=6)
    with pytest.raises(StaleVersion):
        buying.send(expected=1)
    buying.send(expected=2)

    with pytest.raises(Conflict):
        change(buying, 3, MUG=6)
    assert buying.coming() == 5


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"location": "the moon"}, "$.location"), ({"supplier_id": "supplier_9"}, None)],
    ids=["no such place", "no such supplier"],
)
def test_a_draft_that_cannot_be_is_refused(buying: Buying, changes: dict[str, Any], path: str | None) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        buying.draft(**changes)

    assert refused.value.path == path


def test_an_archived_supplier_gets_no_new_orders_and_keeps_those_it_has(buying: Buying) -> None:
    buying.sent("po_1")
    buying.draft("po_2")
    service.archive_supplier(buying.store, buying.shop.audit, supplier_id="supplier_1", actor="anna", now=NOW)

    with pytest.raises(Conflict):
        buying.draft("po_3")
    with pytest.raises(Conflict):
        buying.send("po_2")
    assert buying.receive("po_1", MUG=1).status == "partly_received"


def test_suppliers_are_listed_by_name_and_in_pages(buying: Buying) -> None:
    for number, name in enumerate(("berg", "Alm", "Zoo")):
        buying.supplier(f"supplier_{number + 2}", name)

    first, position = buying.store.suppliers("active", after=None, limit=3)
    rest, end = buying.store.suppliers("active", after=position, limit=3)

    assert [one.name for one in (*first, *rest)] == ["Alm", "berg", "Slow Pottery", "Zoo"]
    assert end is None


def test_orders_are_listed_by_status_the_oldest_first(buying: Buying) -> None:
    for number in range(3):
        buying.draft(f"po_{number}", now=NOW + timedelta(minutes=number))
    buying.send("po_1")

    assert [order.id for order in buying.store.page("draft", after=None, limit=5)[0]] == ["po_0", "po_2"]
    assert [order.id for order in buying.store.page("sent", after=None, limit=5)[0]] == ["po_1"]


def test_every_step_leaves_an_audit_entry(buying: Buying) -> None:
    buying.sent()
    buying.receive(MUG=1)
    buying.end("closed")

    entries = [entry for entry in buying.shop.all("AUDIT_TABLE", "") if entry["pk"] == "purchase_order#po_1"]

    steps = {"created": "anna", "sent": "anna", "received": "carl", "closed": "anna"}
    assert {entry["action"].rpartition(".")[2]: entry["actor"] for entry in entries} == steps


def test_the_largest_order_and_the_largest_delivery_fit_into_a_transaction(buying: Buying) -> None:
    skus = [f"SKU{number:02}" for number in range(90)]
    buying.sent(lines=dict.fromkeys(skus, 2))
    for start in range(0, 90, 31):
        buying.receive(key=f"box {start}", **dict.fromkeys(skus[start : start + 31], 2))

    assert buying.store.get("po_1").status == "received"
    assert all(buying.on_hand(sku) == 2 for sku in skus[::30])
