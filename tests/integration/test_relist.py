"""A shop whose lists the release before spread over shards loses no product, and `make relist` makes them whole."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from builders.catalog import NOW, draft, variant
from builders.deployed import DeployedShop
from builders.faults import calls_of
from commerce.adapters import wiring
from commerce.adapters.dynamodb import Item, Table, from_item, to_item
from commerce.catalog import service
from commerce.catalog.model import Browsing, Product
from commerce.catalog.repository import CatalogRepository
from tools import relist

ORDERS = [
    Browsing(currency="USD"),
    Browsing(currency="USD", sort="title", descending=False),
    Browsing(currency="USD", sort="price", descending=False),
]


@pytest.fixture
def catalog(function_of_the_shop: None) -> CatalogRepository:
    """The catalogue of a process that has not looked yet."""
    return wiring.catalog()


def afresh(catalog: CatalogRepository) -> CatalogRepository:
    """The same tables as another process sees them."""
    return CatalogRepository(Table(catalog.table.client, catalog.table.name), catalog.outbox, catalog.audit)


def sold(catalog: CatalogRepository, number: int, **fields: Any) -> Product:
    one = draft(f"Mug {number}", variants=(variant(f"M{number}", price=100 * (number * 7 % 10)),), **fields)
    made = service.create_product(catalog, one, categories=(), actor="anna", now=NOW)
    catalog.project(made.id, {})
    return made


def spread(catalog: CatalogRepository, one: Product) -> None:
    """Lists the product as the release before did."""
    shard = hashlib.sha256(one.id.encode()).digest()[0] % 8
    for item in items(catalog, one):
        moved = {name: f"{item[name]}#{shard}" for name in ("listing", "word") if name in item}
        catalog.table.client.put_item(TableName=catalog.table.name, Item=to_item({**item, **moved}))


def items(catalog: CatalogRepository, one: Product) -> list[Item]:
    answer = catalog.table.client.query(
        TableName=catalog.table.name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"PRODUCT#{one.id}"}},
    )
    return [from_item(item) for item in answer["Items"]]


def listed(catalog: CatalogRepository, wanted: Browsing, meanwhile: Callable[[], object] = lambda: None) -> list[str]:
    """The handles on all pages; something happens after the first."""
    found, after = catalog.browse(wanted, after=None, limit=4)
    meanwhile()
    while after:
        page, after = catalog.browse(wanted, after=after, limit=4)
        found += page
    return [entry.handle for entry in found]


@pytest.mark.parametrize("wanted", ORDERS, ids=lambda wanted: wanted.sort)
def test_what_the_release_before_listed_stands_among_what_this_one_lists(
    catalog: CatalogRepository, wanted: Browsing
) -> None:
    made = [sold(catalog, number) for number in range(10)]
    whole = listed(afresh(catalog), wanted)

    for one in made[::2]:
        spread(catalog, one)

    assert len(whole) == 10
    assert listed(afresh(catalog), wanted) == whole


def test_who_turns_the_pages_while_products_are_listed_anew_misses_none(catalog: CatalogRepository) -> None:
    made = [sold(catalog, number) for number in range(10)]
    for one in made:
        spread(catalog, one)
    reader = afresh(catalog)

    seen = listed(reader, ORDERS[0], meanwhile=lambda: relist.relist(catalog, Console(quiet=True)))

    assert sorted(seen) == sorted(one.handle for one in made)


def test_search_finds_what_the_release_before_made_findable(catalog: CatalogRepository) -> None:
    made = [sold(catalog, number, tags=("stoneware",)) for number in range(6)]
    for one in made[::2]:
        spread(catalog, one)

    found, _ = afresh(catalog).search("stoneware mugs", ORDERS[0], after=None, limit=9)

    assert sorted(found) == sorted(one.id for one in made)


def test_a_list_is_one_request_once_all_products_are_listed_anew(catalog: CatalogRepository) -> None:
    for number, status in enumerate(("active", "active", "archived", "draft")):
        spread(catalog, sold(catalog, number, status=status))

    by_title = ORDERS[1]

    def asked() -> int:
        """Queries of a second list, by a process that has looked where lists stand."""
        process = afresh(catalog)
        listed(process, by_title)
        with calls_of(catalog.table.client) as calls:
            assert listed(process, by_title) == ["mug-0", "mug-1"]
        return calls.count("Query")

    before = asked()
    relist.relist(catalog, Console(quiet=True))

    assert (before, asked()) == (9, 1)


@pytest.fixture
def command(catalog: CatalogRepository, tables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The command as it is typed."""
    monkeypatch.setattr(relist, "chosen", lambda options: DeployedShop(catalog.table.client, tables))
    return lambda: relist.main([])


def test_the_command_leaves_nothing_where_the_release_before_listed_it(
    command: Callable[[], int], catalog: CatalogRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [sold(catalog, number, status=status) for number, status in enumerate(("active", "draft", "archived"))]
    as_written = [items(catalog, one) for one in made]
    for one in made:
        spread(catalog, one)

    assert command() == 0
    assert "All 3 products are listed." in capsys.readouterr().out
    assert [items(catalog, one) for one in made] == as_written


def test_the_command_names_what_it_cannot_list_and_lists_the_rest(
    command: Callable[[], int], catalog: CatalogRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, sound = sold(catalog, 0), sold(catalog, 1)
    for one in (broken, sound):
        spread(catalog, one)
    [head] = [item for item in items(catalog, broken) if item["sk"] == "PRODUCT"]
    catalog.table.client.put_item(TableName=catalog.table.name, Item=to_item({**head, "title": 7}))

    assert command() == 1
    said = capsys.readouterr().err
    assert broken.id in said
    assert "1 of 2 products could not be listed" in said
    assert not any("#" in item.get("word", "") for item in items(catalog, sound))
