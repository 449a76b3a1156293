"""Each rule about the books sees what it is there for, and nothing in books that are sound."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from builders.orders import an_order
from commerce.orders.model import Order
from tools.wire import books
from tools.wire.books import Books

ORDER = an_order(status="confirmed")
CLAIM = {"kind": "order_confirmed", "sent_at": "2026-11-26T12:00:00.000Z"}
LETTER = ("Your order is confirmed", "Thank you")


def shelf(on_hand: int, available: int) -> tuple[dict[str, Any], ...]:
    """A shelf with one movement, and one reservation for whatever is not free."""
    place = {"sku": "SHIRT", "location": "main"}
    return (
        {"pk": "STOCK#SHIRT", "sk": "LOCATION#main", "on_hand": on_hand, "available": available},
        {"pk": "MOVEMENT#SHIRT#2026-11", "sk": "1", **place, "on_hand": 10, "available": 9},
        {"pk": f"ORDER#{ORDER.id}", "sk": "RESERVATION#SHIRT#main", **place, "status": "reserved", "quantity": 1},
    )


SOUND = Books(
    orders={ORDER.id: ORDER},
    ledger={ORDER.id: (ORDER.total, 0, 0)},
    charged={ORDER.id: (ORDER.total, 0, 0)},
    claims={ORDER.id: (CLAIM,)},
    letters={ORDER.label: Counter([LETTER])},
    inventory=shelf(10, 9),
    events={"evt_1": "order.confirmed"},
)


def broken(sound: Books) -> list[str]:
    return [wrong.invariant for wrong in books.wrongs(sound)]


def test_sound_books_break_no_rule() -> None:
    assert books.wrongs(SOUND) == []


@pytest.mark.parametrize(
    ("changed", "invariant"),
    [
        ({"inventory": shelf(10, 10)}, "I1"),
        ({"inventory": shelf(8, 9)}, "I1"),
        ({"inventory": shelf(9, 9)}, "I1"),
        ({"ledger": {}}, "I2"),
        ({"charged": {}}, "I2"),
        ({"orders": {}}, "I2"),
        ({"charged": {ORDER.id: (2 * ORDER.total, 0, 0)}}, "I2"),
        ({"charged": {ORDER.id: (0, ORDER.total, ORDER.total + 1)}}, "I11"),
        ({"orders": {one: an_order(id=one, status="confirmed") for one in ("order_1", "order_2")}}, "I3"),
        ({"orders": {ORDER.id: an_order(status="pending_payment")}}, "I4"),
        ({"orders": {ORDER.id: an_order(status="canceled")}}, "I4"),
        ({"letters": {ORDER.label: Counter({LETTER: 2})}}, "I5"),
        ({"letters": {}}, "I5"),
        ({"claims": {}}, "I5"),
        ({"orders": {ORDER.id: an_order(status="lost")}}, "I5"),
        ({"inventory": (*shelf(10, 9), {"pk": "DISCOUNT#ONCE", "sk": "DISCOUNT", "uses": 1})}, "discounts"),
        ({"inventory": (*shelf(10, 9), {"pk": "BUYER#a", "sk": "DISCOUNT#ONCE", "uses": 1})}, "discounts"),
    ],
)
def test_what_is_wrong_breaks_its_rule(changed: dict[str, Any], invariant: str) -> None:
    assert invariant in broken(replace(SOUND, **changed))


def test_an_e_mail_whose_fate_is_unknown_may_have_left_or_not() -> None:
    unknown = replace(SOUND, claims={ORDER.id: ({"kind": "order_confirmed"},)})

    assert broken(unknown) == []
    assert broken(replace(unknown, letters={})) == []


def test_the_end_of_an_order_is_told_once_unless_its_buyer_was_erased_before() -> None:
    told = {"kind": "order_delivered", "sent_at": CLAIM["sent_at"]}
    delivered = an_order(status="delivered", erased_at="2026-11-26T12:00:00.000Z")

    def of_letters(order: Order, *claims: dict[str, str]) -> list[str]:
        sent = Counter({(claim["kind"], "text"): claims.count(claim) for claim in claims})
        read = replace(SOUND, orders={order.id: order}, claims={order.id: claims}, letters={order.label: sent})
        return [wrong.what for wrong in books.letters(read)]

    assert of_letters(delivered, CLAIM) == of_letters(delivered, CLAIM, told) == []
    assert of_letters(delivered.model_copy(update={"erased_at": None}), CLAIM) != []
    assert of_letters(delivered, CLAIM, told, told) != []


def test_an_event_that_was_never_on_the_bus_is_missed() -> None:
    assert list(books.published(SOUND, {"evt_1", "evt_2"})) == []
    assert [wrong.about for wrong in books.published(SOUND, {"evt_2"})] == ["evt_1"]
