"""After all that the other tests did to the shop: provider, orders and shelves tell one story, and nothing leaked."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest

from stacks.config import load
from tools.demo.actors import ADDRESS, BUYER
from tools.demo.watch import NotSeen, until
from tools.local.instance import Instance
from tools.privacy.scan import scan
from tools.wire import books
from tools.wire.books import Books, Wrong

PERSONAL = (BUYER["email"], ADDRESS["street_address"], ADDRESS["postal_code"])
"""Of the shopper of all these tests, whose name is a word that other things are called by, too."""
WRITTEN_BY_ATTACKERS = "eve@example.com"
"""Into every field there is, even into those that are no address (test_hostile_requests.py)."""


@pytest.fixture(scope="module")
def settled(instance: Instance) -> Books:
    """The books once they are sound, or those that never were: webhooks and compensations may still be on their way."""
    httpx.get(f"{instance.stripe_url}/_double/idle", params={"timeout": 30}, timeout=60)
    read: Books

    def sound() -> bool:
        nonlocal read
        read = Books.read(instance)
        return not books.wrongs(read)

    with suppress(NotSeen):
        until("sound books", sound, pause=0.5)
    return read


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(books.money, id="what was charged is what the ledger says, order by order"),
        pytest.param(books.standing, id="who was charged has an order, and every order that stands is paid"),
        pytest.param(books.stock, id="every shelf holds what its movements sum to and what orders were promised"),
        pytest.param(books.checkouts, id="no checkout led to two orders"),
        pytest.param(books.holds, id="no order that ended holds stock"),
        pytest.param(books.letters, id="each e-mail left at most once, and those of an end exactly once"),
    ],
)
def test_the_books_say(settled: Books, rule: Callable[[Books], Iterator[Wrong]]) -> None:
    assert list(map(str, rule(settled))) == []


def test_nothing_that_the_shop_keeps_tells_who_bought_or_how_they_paid(instance: Instance) -> None:
    nobodys = (load("local").shop.email_from, WRITTEN_BY_ATTACKERS)

    found = {str(finding) for finding in scan(instance, words=PERSONAL, own=nobodys)}

    assert found == set()
