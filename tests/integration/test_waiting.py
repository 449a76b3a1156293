"""The waiting room on a real engine: 429 with a place in line that nothing loses, and no stock behind it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from builders.checkout import NOW
from builders.faults import transactions_in_conflict
from builders.orders import Shop
from commerce.adapters import dynamodb
from commerce.checkout.model import Checkout
from commerce.errors import WaitingRoom

MOMENT = int(NOW.timestamp() * 1000)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(sleep=lambda _: None))


def told(shop: Shop, checkout: Checkout, *, share: float = 1.0, now: datetime = NOW) -> WaitingRoom:
    """What a buyer is told while so large a share of all transactions collides."""
    with transactions_in_conflict(shop.client, share=share), pytest.raises(WaitingRoom) as waiting:
        shop.complete(checkout, now=now)
    return waiting.value


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_buyer_in_a_crowd_is_told_their_place_and_nothing_is_taken(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout()

    answer = told(shop, checkout)

    assert (answer.code, answer.details["position"] >= 1, answer.retry_after >= 1) == ("waiting_room", True, True)
    assert (shop.stock().reserved, shop.all_orders(), shop.gateway.intents) == (0, [], {})
    assert shop.checkouts.get("chk_1", NOW).status == checkout.status


def test_asking_again_keeps_the_place_and_at_its_slot_the_buyer_is_let_in(shop: Shop) -> None:
    shop.stocked(5)
    checkout = shop.checkout()
    told(shop, checkout)
    place = shop.checkouts.get("chk_1", NOW).waiting
    assert place is not None

    told(shop, checkout)
    told(shop, checkout, now=later(2))

    assert shop.checkouts.get("chk_1", NOW).waiting == place
    assert shop.complete(checkout, now=later(2)).status == "completed"


def test_newcomers_join_the_line_while_the_crowd_is_there_and_no_longer(shop: Shop) -> None:
    shop.stocked(5)
    told(shop, shop.checkout())

    with pytest.raises(WaitingRoom):
        shop.complete(shop.checkout(id="chk_2"))

    shop.till.lines.rushes.clear()  # type: ignore[attr-defined]
    assert shop.complete(shop.checkout(id="chk_3")).status == "completed"


def test_a_place_promises_no_stock_and_whoever_waits_for_what_is_gone_is_told_so(shop: Shop) -> None:
    shop.stocked(1)
    waiting = shop.checkout()
    told(shop, waiting)
    shop.till.lines.rushes.clear()  # type: ignore[attr-defined]
    shop.complete(shop.checkout(id="chk_2"))

    answer = shop.complete(waiting, now=later(2))

    assert [message.code for message in answer.messages] == ["out_of_stock"]


def test_a_line_gives_every_buyer_a_slot_of_their_own(shop: Shop) -> None:
    def join(_: int) -> int:
        return shop.till.lines.join("SHIRT-M", 3, interval=20, now=MOMENT)

    with ThreadPoolExecutor(8) as crowd:
        slots = sorted(crowd.map(join, range(8)))

    assert [second - first for first, second in pairwise(slots)] == [20] * 7


def test_a_line_that_came_to_its_end_begins_anew(shop: Shop) -> None:
    first = shop.till.lines.join("SHIRT-M", 3, interval=20, now=MOMENT)
    much_later = shop.till.lines.join("SHIRT-M", 3, interval=20, now=MOMENT + 60_000)

    assert (first, much_later) == (MOMENT, MOMENT + 60_000)
