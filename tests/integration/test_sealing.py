"""Who buys is stored sealed: no table shows it, and once its key is destroyed nothing opens it again."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from builders.checkout import NOW
from builders.orders import Shop
from commerce.adapters.dynamodb import Table
from commerce.adapters.idempotency import Claim, IdempotencyStore, Replay
from commerce.adapters.sealing import Sealed, seal, unseal
from commerce.contact import Buyer, PostalAddress
from commerce.errors import NotFound
from commerce.orders.model import Order

PERSONAL = ("ada@example.com", "Lovelace", "1 Analytical Way", "97201")


@pytest.fixture
def bought(shop: Shop) -> Order:
    return shop.bought()


def everything(shop: Shop) -> str:
    return repr([item for variable in shop.tables for item in shop.all(variable, "")])


def test_no_table_shows_who_bought_or_where_it_goes(shop: Shop, bought: Order) -> None:
    told = repr(bought)

    assert [word for word in PERSONAL if word not in told] == []
    assert [word for word in PERSONAL if word in everything(shop)] == []


def test_who_is_not_told_the_keys_moves_orders_and_sees_nobody(shop: Shop, bought: Order) -> None:
    unseeing = shop.without_buyers()
    order = unseeing.orders.get(bought.id)
    assert (order.buyer, order.shipping_address) == (Buyer(), PostalAddress())

    unseeing.orders.change(order, to="picked")

    assert shop.orders.get(bought.id).buyer == bought.buyer


def test_a_checkout_that_is_moved_by_such_a_one_keeps_its_buyer(shop: Shop) -> None:
    checkout = shop.checkout()
    unseeing = shop.without_buyers().checkouts
    seen = unseeing.get(checkout.id, NOW)

    shop.client.transact_write_items(
        TransactItems=[unseeing.action(seen, seen.model_copy(update={"status": "canceled"}))]
    )

    kept = shop.checkouts.get(checkout.id, NOW)
    assert (kept.status, kept.buyer, kept.destination) == ("canceled", checkout.buyer, checkout.destination)


def test_once_the_key_is_destroyed_the_order_stands_and_nobody_knows_whose_it_was(shop: Shop, bought: Order) -> None:
    shop.seals.destroy(bought.checkout_id)
    shop.seals.destroy(bought.checkout_id)

    order = shop.orders.get(bought.id)
    assert (order.buyer, order.shipping_address) == (Buyer(), PostalAddress())
    assert (order.total, order.lines, order.country) == (bought.total, bought.lines, "US")


def test_the_key_of_an_order_does_not_expire_with_its_checkout(shop: Shop) -> None:
    checkout = shop.checkout()
    [key] = shop.all("PRIVACY_TABLE", "KEY")
    assert key["expires_at"] > checkout.expires_at

    shop.stocked(1)
    shop.complete(checkout)

    [key] = shop.all("PRIVACY_TABLE", "KEY")
    assert "expires_at" not in key


def test_no_order_is_made_for_somebody_whose_key_was_destroyed_meanwhile(shop: Shop) -> None:
    checkout = shop.checkout()
    shop.stocked(1)
    shop.seals.destroy(checkout.id)

    answer = shop.complete(checkout)

    assert answer.status == "incomplete"
    assert shop.all_orders() == []


def test_keys_are_found_by_the_address_that_is_known_last(shop: Shop) -> None:
    checkout = shop.checkout()
    assert shop.seals.of_person(" ADA@example.com") == [checkout.id]

    shop.checkouts.save(checkout, checkout.model_copy(update={"buyer": Buyer(email="byron@example.com")}))

    assert shop.seals.of_person("ada@example.com") == []
    assert shop.seals.of_person("byron@example.com") == [checkout.id]


def test_what_is_sealed_cannot_be_moved_to_another_thing_or_changed() -> None:
    key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    text = seal(key, "checkout_1", "order_1", {"email": "ada@example.com"})

    assert unseal(key, Sealed("checkout_1", "order_1", text)) == {"email": "ada@example.com"}
    for other in (Sealed("checkout_1", "order_2", text), Sealed("checkout_2", "order_1", text)):
        with pytest.raises(InvalidTag):
            unseal(key, other)
    with pytest.raises(InvalidTag):
        unseal(key, Sealed("checkout_1", "order_1", text[:-8] + "AAAAAAA="))


def test_a_replay_that_tells_who_buys_is_sealed_and_goes_with_the_key(
    shop: Shop, dynamodb: Any, tables: dict[str, str]
) -> None:
    store = IdempotencyStore(Table(dynamodb, tables["IDEMPOTENCY_TABLE"]), shop.seals)
    checkout = shop.checkout()
    claim = store.claim("guest", "key-1", "digest")
    assert isinstance(claim, Claim)
    answer = Replay(201, {}, '{"buyer": "ada@example.com"}')
    store.keep(claim, answer, holder=checkout.id)

    assert store.claim("guest", "key-1", "digest") == answer
    assert "ada@" not in everything(shop)

    shop.seals.destroy(checkout.id)
    with pytest.raises(NotFound):
        store.claim("guest", "key-1", "digest")


def test_an_order_of_the_release_before_is_read_as_it_was_written(shop: Shop, bought: Order) -> None:
    table = shop.orders.table
    plain = bought.model_dump(mode="json", include={"buyer", "shipping_address"}, exclude_none=True)
    table.update(f"ORDER#{bought.id}", "ORDER", set=plain, remove=["sealed", "country", "region", "buyer_key"])

    order = shop.orders.get(bought.id)

    assert (order.buyer, order.shipping_address) == (bought.buyer, bought.shipping_address)
