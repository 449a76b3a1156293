"""Discounts on a real data engine: who may use them how often, whatever happens at once, and what staff do."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from builders.checkout import NOW, buyer
from builders.discounts import discount
from builders.office import Answer, Office
from builders.orders import DECLINED, Shop, an_order, card
from builders.rights import role_of
from commerce.adapters import wiring
from commerce.adapters.dynamodb import Table
from commerce.checkout.model import Checkout
from commerce.contact import Buyer
from commerce.discounts.model import BuyerLimitReached, Discount
from commerce.discounts.repository import DiscountRepository
from commerce.errors import ConditionFailed, NotFound
from commerce.inventory.model import MAX_PARTS
from commerce.orders.model import Order
from commerce.orders.service import cancel_order, place_order
from commerce.pricing.model import amount_of


def made(shop: Shop, code: str = "SPRING", **changes: Any) -> Discount:
    one = discount(code, **changes)
    shop.discounts.add(one, actions=[])
    return one


def wanting(shop: Shop, number: int = 1, *codes: str, email: str | None = None, **changes: Any) -> Checkout:
    """A stored checkout, shown to its buyer with these codes."""
    who = buyer(email=email or f"buyer{number}@example.com")
    checkout = shop.checkout(id=f"chk_{number}", buyer=who, codes=codes or ("SPRING",), **changes)
    return shop.seen(checkout)


def uses(shop: Shop, code: str = "SPRING") -> int:
    return shop.discounts.get(code).uses


def order_of(shop: Shop, checkout: Checkout) -> Order:
    return shop.orders.get(str(checkout.order_id))


def cancel(shop: Shop, order: Order) -> None:
    with role_of("orders"):
        cancel_order(shop.stores, shop.workflow, order, reason="buyer_request", actor="buyer", now=NOW)


def test_an_order_is_given_what_its_code_takes_off_and_pays_no_more(shop: Shop) -> None:
    shop.stocked(5)
    made(shop, limit=10)

    completed = shop.complete(wanting(shop))

    order = order_of(shop, completed)
    assert amount_of(order.totals, "items_discount") == -250
    assert order.total == amount_of(completed.totals, "total") == shop.gateway.intents[f"pi_{order.id}"].amount
    assert [(one.code, one.amount, one.counted) for one in order.discounts] == [("SPRING", 250, True)]
    assert uses(shop) == 1
    [placed] = [event for event in shop.published() if event["type"] == "order.placed"]
    assert placed["discounts"] == [{"code": "SPRING", "amount": 250}]


def test_of_twenty_buyers_at_once_ten_get_the_ten_uses_and_the_others_see_the_whole_price(shop: Shop) -> None:
    shop.stocked(50)
    made(shop, limit=10)
    checkouts = [wanting(shop, number) for number in range(20)]
    together = Barrier(len(checkouts), timeout=60)

    def buy(checkout: Checkout) -> Checkout:
        together.wait()
        return shop.complete(checkout)

    with ThreadPoolExecutor(len(checkouts)) as pool:
        answers = list(pool.map(buy, checkouts))

    assert Counter(answer.status for answer in answers) == {"completed": 10, "ready_for_complete": 10}
    assert uses(shop) == 10
    for answer in answers:
        codes = [message.code for message in answer.messages]
        assert (answer.status == "completed") is (codes == []), codes
        if answer.status != "completed":
            assert codes == ["discount_code_usage_limit_reached", "price_changed"]
            assert shop.complete(answer).status == "completed"
    assert uses(shop) == 10


def test_one_buyer_uses_it_once_from_two_tabs_at_once(shop: Shop) -> None:
    shop.stocked(5)
    made(shop, limit_per_buyer=1)
    emails = ("ada@example.com", "Ada+two@example.com")
    checkouts = [wanting(shop, number, email=email) for number, email in enumerate(emails)]
    together = Barrier(2, timeout=60)

    def buy(checkout: Checkout) -> Checkout:
        together.wait()
        return shop.complete(checkout)

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(buy, checkouts), key=lambda answer: answer.status)

    assert [answer.status for answer in answers] == ["completed", "incomplete"]
    told = [(message.code, message.path) for message in answers[1].messages]
    assert told == [("discount_code_user_ineligible", "$.discounts.codes[0]")]
    assert shop.stock().reserved == 1
    assert shop.complete(wanting(shop, 3, email="eve@example.com")).status == "completed"


def place(shop: Shop, number: int, discounts: list[Discount]) -> Order:
    """As a completion does that has read the discounts before somebody else's."""
    checkout = shop.checkout(id=f"chk_{number}", buyer=buyer(email="ada@example.com"))
    order = an_order(id=f"order_{number}", checkout_id=checkout.id, buyer=checkout.buyer, discounts=())
    with role_of("complete_checkout"):
        place_order(shop.stores, order, checkout, {}, discounts, now=NOW)
    return order


def test_what_was_read_before_another_order_used_it_is_refused_by_the_count(shop: Shop) -> None:
    shop.stocked(5)
    [last, each] = made(shop, "LAST", limit=1), made(shop, "EACH", limit_per_buyer=1)
    place(shop, 1, [last, each])

    with pytest.raises(BuyerLimitReached, match="EACH"):
        place(shop, 2, [each])
    with pytest.raises(ConditionFailed):
        place(shop, 3, [last])
    assert (uses(shop, "LAST"), shop.stock().reserved) == (1, 1)


def test_what_was_read_before_staff_changed_it_is_refused_by_its_version(shop: Shop) -> None:
    shop.stocked(5)
    old = made(shop, limit=5)
    shop.discounts.save(old, old.model_copy(update={"basis_points": 1, "version": 2}), actions=[])
    with pytest.raises(ConditionFailed):
        place(shop, 1, [old])
    assert uses(shop) == 0


def test_the_buyers_use_is_given_back_though_nobody_knows_the_buyer_any_more(shop: Shop) -> None:
    shop.stocked(5)
    made(shop, limit_per_buyer=1)
    order = order_of(shop, shop.complete(wanting(shop, email="ada@example.com")))
    assert order.buyer_key
    cancel(shop, order.model_copy(update={"buyer": Buyer()}))
    assert shop.complete(wanting(shop, 2, email="ada@example.com")).status == "completed"


def test_an_order_that_is_canceled_or_not_paid_gives_its_uses_back_once(shop: Shop) -> None:
    shop.stocked(5)
    made(shop, limit=1, limit_per_buyer=1)
    declined = shop.complete(wanting(shop), card(DECLINED))
    assert (declined.status, uses(shop)) == ("ready_for_complete", 0)

    order = order_of(shop, shop.complete(declined))
    assert uses(shop) == 1
    cancel(shop, order)
    cancel(shop, shop.orders.get(order.id))
    assert uses(shop) == 0
    assert shop.complete(wanting(shop, 2, email="buyer1@example.com")).status == "completed"


def test_a_code_that_is_changed_while_a_buyer_pays_is_shown_first(shop: Shop) -> None:
    shop.stocked(5)
    old = made(shop, limit=5)
    checkout = wanting(shop)
    shop.discounts.save(old, old.model_copy(update={"basis_points": 500, "version": 2}), actions=[])

    told = shop.complete(checkout)

    assert ([message.code for message in told.messages], uses(shop)) == (["price_changed"], 0)
    assert order_of(shop, shop.complete(told)).discounts[0].amount == 125


def test_nothing_is_read_for_what_cannot_be_a_code() -> None:
    assert DiscountRepository(Table(None, "inventory")).discounts(["", "a b", "x" * 200, "\x00", "ß"]) == {}


def test_an_order_keeps_a_discount_without_a_limit_uncounted(shop: Shop) -> None:
    shop.stocked(5)
    made(shop)
    order = order_of(shop, shop.complete(wanting(shop)))
    cancel(shop, order)
    assert (order.discounts[0].counted, order.buyer_key, uses(shop)) == (False, None, 0)


def test_a_change_keeps_the_count_and_forgets_what_is_left_out(shop: Shop) -> None:
    shop.stocked(5)
    old = made(shop, limit=5, minimum={"USD": 1})
    shop.complete(wanting(shop))
    shop.discounts.save(old, old.model_copy(update={"limit": 9, "minimum": {}, "version": 2}), actions=[])
    now = shop.discounts.get("spring")
    assert (now.uses, now.limit, now.minimum, now.version) == (1, 9, {}, 2)


def test_uses_of_a_discount_that_was_lost_are_given_back_to_nobody(shop: Shop) -> None:
    shop.stocked(5)
    lost = made(shop, limit=5)
    order = order_of(shop, shop.complete(wanting(shop)))
    shop.discounts.table.delete("DISCOUNT#SPRING", "DISCOUNT")

    cancel(shop, order)

    assert shop.discounts.discounts(["SPRING"]) == {}
    with pytest.raises(NotFound):
        shop.discounts.get("SPRING")
    shop.discounts.add(lost.model_copy(update={"title": "Once more"}), actions=[])
    assert uses(shop) == 0


def test_what_is_counted_needs_room_in_the_orders_transaction(shop: Shop) -> None:
    skus = [shop.stocked(1, f"SKU-{number}") for number in range(MAX_PARTS)]
    made(shop, limit=5)
    lines = [(sku, 1) for sku in skus]
    full = shop.seen(shop.checkout(*lines, codes=("SPRING",)))
    assert [message.code for message in shop.complete(full).messages] == ["too_many_parts"]
    assert shop.complete(shop.checkout(*lines, id="chk_2")).status == "completed"


def test_pages_follow_the_codes(shop: Shop) -> None:
    for number in (3, 1, 2):
        made(shop, f"CODE-{number}")
    first, end = shop.discounts.page(after=None, limit=2)
    assert ([one.code for one in first], end) == (["CODE-1", "CODE-2"], "CODE-2")
    rest, end = shop.discounts.page(after=end, limit=2)
    assert ([one.code for one in rest], end) == (["CODE-3"], None)


# staff


class Products:
    """A catalogue of one product."""

    def products(self, product_ids: Any) -> dict[str, Any]:
        return {one: object() for one in product_ids if one == "prod_mug"}


CONTENT = {"title": "Spring sale", "basis_points": 1000}
ONE = "/admin/discounts/{code}"


@pytest.fixture
def office(function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(wiring, "catalog", Products)
    return Office(Office.of("admin_discounts").handler, group="catalogue")


def create(office: Office, **changes: Any) -> Answer:
    return office.send("POST /admin/discounts", {"code": "spring-10", **CONTENT, **changes})


def test_staff_make_a_discount_look_at_it_change_it_and_end_it(office: Office) -> None:
    answer = create(office, limit=3, product_ids=["prod_mug"], starts_at="2099-12-24T18:00:00+01:00")
    assert (answer.status, answer.etag) == (201, '"1"')
    assert (answer.body["code"], answer.body["state"]) == ("SPRING-10", "scheduled")
    assert answer.body["starts_at"] == "2099-12-24T17:00:00.000Z"
    read = office.send(f"GET {ONE}", group="support", code="Spring-10")
    assert read.body == answer.body

    changed = office.send(f"PUT {ONE}", {**CONTENT, "limit": 5}, match=read.etag, code="spring-10")
    assert (changed.status, changed.body["limit"], changed.etag) == (200, 5, '"2"')
    stale = office.send(f"PUT {ONE}", CONTENT, match=read.etag, code="spring-10")
    assert stale.status == 412

    soon = office.send(f"PUT {ONE}", {**CONTENT, "starts_at": "2099-12-24T18:00:00Z"}, match='"2"', code="spring-10")
    ended = office.send(f"POST {ONE}/end", code="spring-10")
    assert (soon.body["state"], ended.body["state"], ended.etag) == ("scheduled", "ended", '"4"')
    assert office.send(f"POST {ONE}/end", code="spring-10").etag == '"4"'
    again = office.send(f"PUT {ONE}", CONTENT, match='"4"', code="spring-10")
    assert again.body["state"] == "active"
    listed = office.send("GET /admin/discounts").body
    assert ([one["code"] for one in listed["discounts"]], listed.get("cursor")) == (["SPRING-10"], None)


def test_a_code_that_nobody_guesses_is_made_where_staff_name_none(office: Office) -> None:
    codes = {office.send("POST /admin/discounts", CONTENT).body["code"] for _ in range(2)}
    assert len(codes) == 2
    assert {len(code) for code in codes} == {12}


def test_a_code_is_taken_once_and_the_same_request_is_answered_alike(office: Office) -> None:
    assert create(office).status == create(office).status == 201
    taken = create(office, title="Another")
    assert (taken.status, "SPRING-10" in taken.text) == (409, True)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"code": "abc"}, "$.code"),
        ({"code": "SPRING 10"}, "$.code"),
        ({"basis_points": 10_001}, "$.basis_points"),
        ({"amounts": {"USD": 500}}, "$"),
        ({"basis_points": None}, "$"),
        ({"basis_points": None, "amounts": {"USD": 0}}, "$.amounts.USD"),
        ({"limit": 0}, "$.limit"),
        ({"limits": 5}, "$.limits"),
        ({"ends_at": "2026-12-24"}, "$.ends_at"),
        ({"ends_at": "tomorrow"}, "$.ends_at"),
        ({"ends_at": "2026-W52-4T18:00:00Z"}, "$.ends_at"),
        ({"ends_at": "2026-12-24T25:00:00Z"}, "$.ends_at"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "$.ends_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "$.starts_at"),
        ({"code": "ßßßß"}, "$.code"),
        ({"title": " "}, "$.title"),
        ({"product_ids": ["x" * 101]}, "$.product_ids[0]"),
        ({"product_ids": [""]}, "$.product_ids[0]"),
        ({"starts_at": "2026-12-24T00:00:00Z", "ends_at": "2026-12-23T00:00:00Z"}, "$.ends_at"),
        ({"product_ids": ["prod_mug", "prod_none"]}, "$.product_ids[1]"),
    ],
)
def test_what_is_wrong_is_named_and_makes_nothing(office: Office, changes: dict[str, Any], path: str) -> None:
    answer = create(office, **changes)
    assert (answer.status, answer.faults) == (400, [path]), answer.text
    assert office.send("GET /admin/discounts").body["discounts"] == []


def test_there_is_no_discount_that_nobody_made(office: Office) -> None:
    assert office.send(f"GET {ONE}", code="NONE").status == 404
