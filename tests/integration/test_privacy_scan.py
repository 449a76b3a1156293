"""The search through everything that the shop keeps, over the tables of a real engine."""

from typing import Any

import pytest

from builders.deployed import DeployedShop
from commerce.adapters.dynamodb import Table
from stacks.tables import ALL
from tools.privacy import scan as searching
from tools.privacy.scan import scan


@pytest.fixture
def shop(dynamodb: Any, tables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> DeployedShop:
    for elsewhere in ("_logs", "_executions", "_lake"):
        monkeypatch.setattr(searching, elsewhere, lambda _: iter(()))
    return DeployedShop(dynamodb, tables)


def put(shop: DeployedShop, table: str, **attributes: Any) -> None:
    item = {"pk": "THING#1", "sk": "THING#1", **attributes}
    Table(shop.client("dynamodb"), shop.output(f"{table.capitalize()}Table")).put(item)


def test_what_stands_where_it_should_not_is_named_and_not_shown(shop: DeployedShop) -> None:
    put(shop, "orders", lines=[{"engraving": "call +15005550199"}])

    [found] = map(str, scan(shop))

    assert found == "table orders, THING.lines.engraving: a phone number, +15… (12 characters)"


@pytest.mark.parametrize("table", [spec.name for spec in ALL])
def test_every_table_is_searched(shop: DeployedShop, table: str) -> None:
    put(shop, table, remark="4242 4242 4242 4242")

    assert [finding.sign.kind for finding in scan(shop)] == ["a card number"]


def test_a_suppliers_address_may_stand_where_staff_work_but_no_buyers_name(shop: DeployedShop) -> None:
    put(shop, "stockroom", email="orders@pottery.example", contact="Lovelace")
    put(shop, "audit", after={"email": "orders@pottery.example"})

    assert list(scan(shop)) == []
    assert len(list(scan(shop, words=["lovelace"]))) == 1
