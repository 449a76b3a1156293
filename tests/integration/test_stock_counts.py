"""Stock counts on a real engine: posted once, resumed after a crash, and never at the cost of what is promised."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from builders.checkout import NOW
from builders.faults import answers_lost_after_the_write, dying_at_the_transaction, transactions_in_conflict
from builders.fulfilment import Crash
from builders.orders import Shop, part
from commerce.adapters.dynamodb import ConditionFailed, Table, transact
from commerce.errors import Conflict, Invalid, StaleVersion
from commerce.inventory.model import Stock
from commerce.inventory.pooling import switch_on
from commerce.inventory.service import adjust_stock
from commerce.stockroom import service
from commerce.stockroom.model import CountLine, Entry, StockCount, settled
from commerce.stockroom.repository import StockCountRepository

LATER = NOW + timedelta(hours=1)


class Counting:
    """A shop with a stock count, and what a test wants of it in one line."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.counts = StockCountRepository(Table(shop.client, shop.tables["STOCKROOM_TABLE"]), shop.outbox)

    def open(self, *skus: str, count_id: str = "count_1", **changes: Any) -> StockCount:
        fields = {"location": "main", "skus": skus, "note": "", "actor": "anna", "now": NOW, **changes}
        return service.open_count(
            self.counts, self.shop.inventory, self.shop.catalog, self.shop.audit, count_id=count_id, **fields
        )

    def enter(self, count_id: str = "count_1", actor: str = "anna", **counted: int) -> tuple[CountLine, ...]:
        return service.enter(
            self.counts,
            self.shop.inventory,
            self.shop.catalog,
            self.shop.audit,
            count_id=count_id,
            entries=tuple(Entry(sku=sku, counted=units) for sku, units in counted.items()),
            actor=actor,
            now=NOW,
        )

    def approve(self, count_id: str = "count_1", expected: int | None = None) -> StockCount:
        version = expected or self.counts.get(count_id).version
        return service.approve(
            self.counts, self.shop.audit, count_id=count_id, expected=version, actor="berta", now=LATER
        )

    def post(self, count_id: str = "count_1") -> StockCount:
        return service.post(
            self.counts, self.shop.inventory, self.shop.audit, count_id=count_id, actor="berta", now=LATER
        )

    def cancel(self, count_id: str = "count_1") -> StockCount:
        return service.cancel(self.counts, self.shop.audit, count_id=count_id, actor="berta", now=LATER)

    def line(self, sku: str, count_id: str = "count_1") -> CountLine:
        [line] = [line for line in self.counts.lines(count_id) if line.sku == sku]
        return line

    def reserve(self, quantity: int, sku: str = "MUG") -> None:
        deadline = NOW + timedelta(minutes=15)
        actions = self.shop.inventory.reserve_actions("order_1", [part(quantity, sku)], deadline=deadline, now=NOW)
        transact(self.shop.client, actions)

    def on_hand(self, sku: str = "MUG") -> int:
        return self.shop.stock(sku).on_hand


@pytest.fixture
def counting(shop: Shop) -> Counting:
    return Counting(shop)


def test_a_count_corrects_the_shelf_and_says_so_everywhere(counting: Counting) -> None:
    shop = counting.shop
    shop.stocked(10, "MUG")
    shop.stocked(3, "HAT")
    counting.open("MUG", "HAT")
    counting.enter(MUG=8)
    counting.enter(HAT=3, actor="carl")
    counting.approve()

    posted = counting.post()

    assert (posted.status, posted.approved_by) == ("posted", "berta")
    assert (counting.on_hand("MUG"), counting.on_hand("HAT")) == (8, 3)
    newest = next(iter(shop.inventory.movements("MUG", "2026-11", limit=1)))
    assert (newest.kind, newest.on_hand, newest.actor) == ("adjusted", -2, "berta")
    assert newest.reference.startswith("count_1")
    [counted] = [event for event in shop.published() if event["type"] == "stock.counted"]
    assert (counted["subject"], counted["skus"], counted["differing"]) == ("count_1", 2, 1)
    actions = [entry["action"] for entry in shop.all("AUDIT_TABLE", "") if entry["pk"] == "count#count_1"]
    steps = "opened entered entered approved posting posted".split()
    assert sorted(actions) == sorted(f"count.{step}" for step in steps)
    assert shop.ledger_balances("MUG")


def test_goods_that_are_sold_between_counting_and_posting_are_no_difference(counting: Counting) -> None:
    shop = counting.shop
    shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=9)
    counting.reserve(4)
    transact(shop.client, shop.inventory.ship_actions("order_1", [part(4, "MUG")], now=LATER))

    counting.approve()
    counting.post()

    assert (counting.on_hand(), shop.stock("MUG").available) == (5, 5)
    assert shop.ledger_balances("MUG")


def test_what_is_promised_to_orders_stays_in_the_books_and_is_told(counting: Counting) -> None:
    shop = counting.shop
    shop.stocked(10, "MUG")
    counting.reserve(6)
    counting.open()
    counting.enter(MUG=1)
    counting.approve()

    assert counting.post().status == "posted"

    stock, line = shop.stock("MUG"), counting.line("MUG")
    assert (stock.on_hand, stock.available, stock.reserved) == (6, 0, 6)
    assert (line.outcome, line.posted, line.short) == ("short", -4, 5)
    [counted] = [event for event in shop.published() if event["type"] == "stock.counted"]
    assert counted["short"] == 5
    assert shop.ledger_balances("MUG")


def test_two_counts_of_one_shelf_correct_it_once(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    for count_id in ("count_1", "count_2"):
        counting.open(count_id=count_id)
        counting.enter(count_id, MUG=8)
        counting.approve(count_id)

    for count_id in ("count_1", "count_2"):
        counting.post(count_id)

    assert counting.on_hand() == 8
    assert counting.line("MUG", "count_2").outcome == "outdated"


def test_a_correction_by_hand_makes_the_count_of_that_shelf_worthless(counting: Counting) -> None:
    shop = counting.shop
    shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=8)
    adjust_stock(
        shop.inventory,
        shop.audit,
        sku="MUG",
        quantity=-2,
        reason="broken",
        actor="anna",
        adjustment_id="adj_1",
        now=NOW,
    )
    counting.approve()
    counting.post()

    assert counting.on_hand() == 8
    assert counting.line("MUG").outcome == "outdated"


def test_counting_again_replaces_what_was_entered(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=3)
    counting.enter(MUG=9, actor="carl")
    counting.approve()
    counting.post()

    assert counting.on_hand() == 9
    assert counting.line("MUG").counted_by == "carl"


def test_people_count_side_by_side(counting: Counting) -> None:
    skus = [f"SKU{number}" for number in range(16)]
    for sku in skus:
        counting.shop.stocked(5, sku)
    counting.open(*skus)

    with transactions_in_conflict(counting.shop.client, share=0.2) as collided, ThreadPoolExecutor(8) as people:
        list(people.map(lambda sku: counting.enter(**{sku: 4}), skus))

    assert collided
    assert [line.variance for line in counting.counts.lines("count_1")] == [-1] * 16


def test_nobody_approves_what_they_have_not_seen(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=9)
    seen = counting.counts.get("count_1").version
    counting.enter(MUG=1, actor="carl")

    with pytest.raises(StaleVersion):
        counting.approve(expected=seen)

    assert counting.counts.get("count_1").status == "open"


def test_an_approval_that_comes_again_changes_nothing(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=9)
    seen = counting.counts.get("count_1").version

    assert counting.approve(expected=seen) == counting.approve(expected=seen)


def test_a_listed_sku_that_nobody_counted_holds_the_approval_up(counting: Counting) -> None:
    counting.open("MUG", "HAT")
    counting.enter(MUG=0)

    with pytest.raises(Conflict, match="HAT"):
        counting.approve()


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Between the look at the shelf and its correction something `happens`, once."""
    waiting = [happens]

    def settle_late(line: CountLine, shelf: Stock) -> CountLine:
        done = settled(line, shelf)
        if waiting:
            waiting.pop()()
        return done

    monkeypatch.setattr(service, "settled", settle_late)


def test_a_correction_in_the_very_moment_of_posting_is_not_made_twice(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting.shop.stocked(10, "MUG")
    for count_id in ("count_1", "count_2"):
        counting.open(count_id=count_id)
        counting.enter(count_id, MUG=8)
        counting.approve(count_id)

    meanwhile(monkeypatch, lambda: counting.post("count_2"))
    counting.post()

    assert counting.on_hand() == 8
    assert counting.line("MUG").outcome == "outdated"


def test_an_order_canceled_in_the_very_moment_of_posting_gives_its_units_to_the_count(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = counting.shop
    shop.stocked(10, "MUG")
    counting.reserve(6)
    counting.open()
    counting.enter(MUG=1)
    counting.approve()

    def cancel() -> None:
        transact(shop.client, shop.inventory.release_actions("order_1", [part(6, "MUG")], now=LATER))

    meanwhile(monkeypatch, cancel)
    counting.post()

    line = counting.line("MUG")
    assert (counting.on_hand(), line.outcome, line.short) == (1, "adjusted", 0)
    assert shop.ledger_balances("MUG")


def four_counted(counting: Counting) -> list[str]:
    """Of four SKUs, one is as the books say."""
    skus = ["A", "B", "C", "D"]
    for sku in skus:
        counting.shop.stocked(10, sku)
    counting.open(*skus)
    counting.enter(A=9, B=12, C=0, D=10)
    counting.approve()
    return skus


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_post_that_was_cut_off_anywhere_is_simply_asked_for_again(counting: Counting, number: int) -> None:
    skus = four_counted(counting)

    with dying_at_the_transaction(counting.shop, number), pytest.raises(Crash):
        counting.post()
    assert counting.counts.get("count_1").status == ("approved" if number == 1 else "posting")

    assert counting.post().status == "posted"
    assert [counting.on_hand(sku) for sku in skus] == [9, 12, 0, 10]
    assert counting.shop.events()["stock.counted"] == 1
    assert all(counting.shop.ledger_balances(sku) for sku in skus)


def test_such_a_post_has_five_transactions_so_that_the_crashes_above_meet_them_all(counting: Counting) -> None:
    four_counted(counting)

    with dying_at_the_transaction(counting.shop, 6):
        assert counting.post().status == "posted"


def test_a_post_whose_answers_are_lost_posts_once(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=8)
    counting.approve()

    with answers_lost_after_the_write(counting.shop.client, times=2) as lost:
        counting.post()

    assert (len(lost), counting.on_hand()) == (2, 8)
    assert counting.shop.ledger_balances("MUG")


def test_two_who_post_at_once_post_once(counting: Counting) -> None:
    skus = [f"SKU{number}" for number in range(6)]
    for sku in skus:
        counting.shop.stocked(5, sku)
    counting.open(*skus)
    counting.enter(**dict.fromkeys(skus, 3))
    counting.approve()

    with ThreadPoolExecutor(4) as people:
        posted = list(people.map(lambda _: counting.post(), range(4)))

    assert {count.status for count in posted} == {"posted"}
    assert [counting.on_hand(sku) for sku in skus] == [3] * 6
    assert counting.shop.events()["stock.counted"] == 1
    assert all(counting.shop.ledger_balances(sku) for sku in skus)


def test_what_became_of_a_line_is_recorded_once(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    count = counting.open()
    [line] = counting.enter(MUG=8)
    outdated = settled(line, Stock(sku="MUG", location="main", on_hand=8, available=8, adjustments=9))
    short = settled(line, Stock(sku="MUG", location="main", on_hand=8, available=0, adjustments=line.adjustments))
    counting.counts.settle(count, outdated, actions=[])

    with pytest.raises(ConditionFailed):
        counting.counts.settle(count, short, actions=[])


def test_a_long_count_is_posted_in_several_requests(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "POSTED_AT_ONCE", 2)
    skus = ["A", "B", "C"]
    for sku in skus:
        counting.shop.stocked(5, sku)
    counting.open()
    counting.enter(A=1, B=1, C=1)
    counting.approve()

    assert [counting.post().status for _ in range(3)] == ["posting", "posted", "posted"]
    assert [counting.on_hand(sku) for sku in skus] == [1, 1, 1]


def test_a_canceled_count_leaves_the_stock_and_takes_nothing_more(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=1)
    counting.approve()

    assert counting.cancel().status == counting.cancel().status == "canceled"
    for step in (counting.post, lambda: counting.enter(MUG=1), counting.approve):
        with pytest.raises(Conflict):
            step()
    assert counting.on_hand() == 10


def test_what_is_being_posted_cannot_be_canceled(counting: Counting) -> None:
    counting.shop.stocked(10, "MUG")
    counting.open()
    counting.enter(MUG=1)
    counting.approve()
    counting.post()

    with pytest.raises(Conflict):
        counting.cancel()


def test_a_count_opened_twice_is_one_count(counting: Counting) -> None:
    first = counting.open("MUG")
    counting.enter(MUG=0)

    again = counting.open("MUG")

    assert again.version == first.version + 1
    assert counting.line("MUG").counted == 0


@pytest.mark.parametrize(
    ("skus", "changes", "path"),
    [((), {"location": "the moon"}, "$.location"), (("MUG", "MUG"), {}, "$.skus[1]")],
    ids=["no such place", "named twice"],
)
def test_a_count_that_cannot_be_names_its_field(
    counting: Counting, skus: tuple[str, ...], changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        counting.open(*skus, **changes)

    assert refused.value.path == path


def test_counts_are_listed_by_status_the_oldest_first_and_in_pages(counting: Counting) -> None:
    for number in range(5):
        counting.open(count_id=f"count_{number}", now=NOW + timedelta(minutes=number))
    counting.cancel("count_4")

    first, position = counting.counts.page("open", after=None, limit=3)
    rest, end = counting.counts.page("open", after=position, limit=3)

    assert [count.id for count in (*first, *rest)] == ["count_0", "count_1", "count_2", "count_3"]
    assert end is None
    assert [count.id for count in counting.counts.page("canceled", after=None, limit=3)[0]] == ["count_4"]


def test_lines_are_read_in_pages(counting: Counting) -> None:
    counting.open()
    counting.enter(**{"A": 1, "A-2": 1, "B": 1})

    first = [line.sku for line in counting.counts.lines("count_1", limit=1)]
    rest = [line.sku for line in counting.counts.lines("count_1", after="A")]

    assert (first, rest) == (["A"], ["A-2", "B"])


def test_a_hot_skus_pool_is_counted_as_one_shelf(counting: Counting) -> None:
    shop = counting.shop
    shop.stocked(20, "MUG")
    switch_on(shop.inventory, shop.audit, sku="MUG", shards=4, actor="anna", now=NOW)
    counting.open()
    [line] = counting.enter(MUG=3)
    counting.approve()

    counting.post()

    assert (line.on_hand, line.variance) == (20, -17)
    assert (shop.stock("MUG").on_hand, counting.line("MUG").posted) == (3, -17)
