"""Carts and checkouts as they are kept: what goes in comes out, and nobody overwrites what they have not read."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from builders.checkout import NOW, checkout, ready_checkout
from builders.faults import answers_lost_after_the_write
from builders.pricing import wanted
from commerce.adapters.dynamodb import Table, transact
from commerce.adapters.sealing import Seals
from commerce.carts.model import Cart
from commerce.carts.repository import CartRepository
from commerce.checkout.model import Checkout
from commerce.checkout.repository import CheckoutRepository
from commerce.clock import epoch, iso
from commerce.errors import ConditionFailed, Conflict, NotFound
from commerce.ids import new_id


def a_cart() -> Cart:
    return Cart(
        id=new_id("cart"),
        currency="USD",
        lines=(wanted(),),
        created_at=iso(NOW),
        updated_at=iso(NOW),
        expires_at=epoch(NOW + timedelta(days=30)),
    )


def a_checkout(**changes: object) -> Checkout:
    return ready_checkout(id=new_id("checkout"), **changes)


@pytest.fixture
def carts_table(dynamodb: Any, tables: dict[str, str]) -> Table:
    return Table(dynamodb, tables["CARTS_TABLE"])


@pytest.fixture
def seals(dynamodb: Any, tables: dict[str, str]) -> Seals:
    return Seals(Table(dynamodb, tables["PRIVACY_TABLE"]))


@pytest.fixture
def carts(carts_table: Table, seals: Seals) -> CartRepository:
    return CartRepository(carts_table, seals)


@pytest.fixture
def checkouts(carts_table: Table, seals: Seals) -> CheckoutRepository:
    return CheckoutRepository(carts_table, seals)


def test_what_is_kept_comes_back_as_it_was(carts: CartRepository, checkouts: CheckoutRepository) -> None:
    cart, whole, bare = a_cart(), a_checkout(owner="ada"), checkout(id=new_id("checkout"), destination=None, lines=())
    carts.add(cart)
    checkouts.add(whole)
    checkouts.add(bare)

    assert carts.get(cart.id, NOW) == cart
    assert checkouts.get(whole.id, NOW) == whole
    assert checkouts.get(bare.id, NOW) == bare


def test_what_has_expired_or_never_was_is_not_found(carts: CartRepository, checkouts: CheckoutRepository) -> None:
    cart, kept = a_cart(), a_checkout()
    carts.add(cart)
    checkouts.add(kept)

    for read in (
        lambda: carts.get(cart.id, NOW + timedelta(days=30)),
        lambda: checkouts.get(kept.id, NOW + timedelta(hours=6)),
        lambda: carts.get("cart_none", NOW),
        lambda: checkouts.get("checkout_none", NOW),
    ):
        with pytest.raises(NotFound):
            read()


def test_of_many_changes_of_the_same_version_one_is_kept(checkouts: CheckoutRepository) -> None:
    read = a_checkout()
    checkouts.add(read)

    def change(number: int) -> bool:
        try:
            checkouts.save(read, read.model_copy(update={"option_id": f"option {number}"}))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(16) as crowd:
        kept = list(crowd.map(change, range(16)))

    assert kept.count(True) == 1
    now = checkouts.get(read.id, NOW)
    assert (now.version, now.option_id) == (2, f"option {kept.index(True)}")


def test_a_transaction_replaces_a_checkout_only_as_it_was_read(checkouts: CheckoutRepository) -> None:
    read = a_checkout()
    checkouts.add(read)
    moved = read.model_copy(update={"status": "complete_in_progress", "order_id": "order_1"})

    transact(checkouts.table.client, [checkouts.action(read, moved)])
    assert checkouts.get(read.id, NOW) == moved.model_copy(update={"version": 2})

    with pytest.raises(ConditionFailed):
        transact(checkouts.table.client, [checkouts.action(read, read.model_copy(update={"status": "canceled"}))])


def test_a_write_whose_answer_got_lost_is_still_a_success(
    carts: CartRepository, checkouts: CheckoutRepository, dynamodb: Any
) -> None:
    cart, kept = a_cart(), a_checkout()
    carts.add(cart)
    checkouts.add(kept)

    with answers_lost_after_the_write(dynamodb, times=1, operation="PutItem") as of_the_cart:
        assert carts.save(cart, cart.model_copy(update={"lines": ()})).version == 2
    with answers_lost_after_the_write(dynamodb, times=1, operation="PutItem") as of_the_checkout:
        assert checkouts.save(kept, kept.model_copy(update={"option_id": "express"})).version == 2

    assert of_the_cart == of_the_checkout == [200]
    assert checkouts.get(kept.id, NOW).option_id == "express"


def test_of_two_conversions_at_once_one_wins_and_the_other_can_find_it(checkouts: CheckoutRepository) -> None:
    cart_id = new_id("cart")
    mine, theirs = a_checkout(cart_id=cart_id), a_checkout(cart_id=cart_id)

    with ThreadPoolExecutor(2) as both:
        won = list(both.map(lambda one: checkouts.add_for_cart(one, instead_of=None), (mine, theirs)))

    assert sorted(won) == [False, True]
    winner = mine if won[0] else theirs
    assert checkouts.converted(cart_id) == winner.id
    assert checkouts.find(winner.id) == winner
    assert checkouts.find((theirs if won[0] else mine).id) is None


def test_a_later_conversion_replaces_the_one_that_it_knows_of(checkouts: CheckoutRepository) -> None:
    cart_id = new_id("cart")
    first, second, late = (a_checkout(cart_id=cart_id) for _ in range(3))

    assert checkouts.add_for_cart(first, instead_of=None)
    assert checkouts.add_for_cart(second, instead_of=first.id)
    assert not checkouts.add_for_cart(late, instead_of=first.id)
    assert checkouts.converted(cart_id) == second.id


def test_a_cart_that_is_removed_twice_is_gone(carts: CartRepository) -> None:
    cart = a_cart()
    carts.add(cart)

    carts.remove(cart)
    carts.remove(cart)

    with pytest.raises(NotFound):
        carts.get(cart.id, NOW)
