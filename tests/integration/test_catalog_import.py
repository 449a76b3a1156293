"""Imports on a real data engine: everything goes in, and a second run changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from builders.catalog import NOW, function
from commerce.adapters import wiring
from commerce.catalog import service
from commerce.catalog.model import Browsing
from commerce.inventory.service import set_stock
from tools.importer import drafts, load, mapping, tables
from tools.importer.load import Report, Shop
from tools.importer.pictures import Pictures

DEMO = Path(__file__).parents[2] / "demo"


class Silent:
    """Progress that nobody watches."""

    def begin(self, step: str, total: int) -> None:
        pass

    def advance(self) -> None:
        pass


@pytest.fixture
def shop(function_of_the_shop: None) -> Iterator[Shop]:
    inventory, catalog, audit = wiring.inventory(), wiring.catalog(), wiring.audit()
    with mock_aws():
        storage = boto3.client("s3", region_name="us-east-1")
        storage.create_bucket(Bucket="media")
        yield Shop(catalog, inventory, audit, inventory.locations[0], Pictures(DEMO, "media", storage))


def run(shop: Shop, table: Path, name: str = "shopify", **options: Any) -> Report:
    read_as = mapping.load(mapping.FOLDER / f"{name}.toml")
    found = drafts.intakes(tables.read(table, read_as.format), read_as, "USD")
    return load.load(shop, found, Silent(), threads=4, **options)


def test_the_demo_catalogue_goes_in_whole_and_a_second_run_changes_nothing(shop: Shop) -> None:
    first = run(shop, DEMO / "products.csv")
    assert (first.products["created"], first.refused, first.pictures_missing) == (42, [], 0)
    assert first.stock_set == 102, "all but the two variants that are sold out"
    second = run(shop, DEMO / "products.csv")
    assert second.products == {"created": 0, "changed": 0, "unchanged": 42, "refused": 0}
    assert (second.stock_set, second.categories_created) == (0, 0)
    assert shop.catalog.by_handle("harbour-stoneware-mug").version == 1


def test_every_picture_is_where_its_product_says(shop: Shop) -> None:
    run(shop, DEMO / "products.csv")
    mug = shop.catalog.by_handle("harbour-stoneware-mug")
    stored = shop.pictures.storage.list_objects_v2(Bucket="media")["Contents"]
    assert {media.url for media in mug.media} <= {"/" + one["Key"] for one in stored}
    assert len({variant.image for variant in mug.variants}) == 3


def test_what_was_imported_is_found_by_words_and_categories(shop: Shop) -> None:
    run(shop, DEMO / "products.csv")
    products = [shop.catalog.by_handle(handle) for handle in ("harbour-stoneware-mug", "trail-bottle")]
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {"Keys": {"pk": {"S": f"PRODUCT#{one.id}"}, "sk": {"S": "PRODUCT"}}, "SequenceNumber": one.id},
        }
        for one in products
    ]
    assert function("project_catalog").handler({"Records": records}, None) == {"batchItemFailures": []}
    in_kitchen = Browsing(currency="EUR", category="kitchen")
    listed, _ = shop.catalog.browse(in_kitchen, after=None, limit=5)
    assert [entry.handle for entry in listed] == ["harbour-stoneware-mug"]
    found, _ = shop.catalog.search("insulated bottles", Browsing(currency="USD"), after=None, limit=5)
    assert found == [products[1].id]


def test_stock_that_the_shop_knows_is_left_alone_unless_asked(shop: Shop) -> None:
    run(shop, DEMO / "products.csv")
    set_stock(shop.inventory, shop.audit, sku="PEN", available=1, reason="sold", actor="anna", now=NOW)
    run(shop, DEMO / "products.csv")
    assert shop.inventory.stock("PEN", "main").available == 1
    assert run(shop, DEMO / "products.csv", replace_stock=True).stock_set == 1
    assert shop.inventory.stock("PEN", "main").available == 85


def test_an_import_cut_off_before_its_stock_goes_on_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(load, "_set_stock", lambda *_, **__: 0)
        run(shop, DEMO / "products.csv")
    assert shop.inventory.stock("PEN", "main").available == 0
    report = run(shop, DEMO / "products.csv")
    assert (report.products["unchanged"], report.stock_set) == (42, 102)


def test_what_staff_changed_is_brought_back_to_the_table(shop: Shop) -> None:
    run(shop, DEMO / "products.csv")
    pen = shop.catalog.by_sku("PEN")
    service.archive_product(shop.catalog, pen, actor="anna", now=NOW)
    assert run(shop, DEMO / "products.csv").products["changed"] == 1
    assert shop.catalog.by_sku("PEN").published


def test_a_dry_run_tells_and_writes_nothing(shop: Shop) -> None:
    report = run(shop, DEMO / "products.csv", dry_run=True)
    assert (report.products["created"], report.stock_set) == (42, 102)
    assert shop.catalog.owners(["PEN"]) == {}
    assert shop.catalog.categories() == ()
    assert "Contents" not in shop.pictures.storage.list_objects_v2(Bucket="media")


def test_a_sku_of_another_product_is_refused_with_its_line(shop: Shop, tmp_path: Path) -> None:
    run(shop, DEMO / "products.csv")
    table = tmp_path / "t.csv"
    table.write_text("Handle,Title,Variant SKU,Variant Price\nother-pen,Other Pen,PEN,1\ngood,Good,GOOD,2\n")
    report = run(shop, table)
    assert (report.products["created"], report.products["refused"]) == (1, 1)
    assert (report.refused[0].line, report.refused[0].product) == (2, "other-pen")
    assert "PEN" in report.refused[0].reason


def test_one_bad_product_holds_up_no_other_in_the_projection(shop: Shop) -> None:
    run(shop, DEMO / "products.csv")
    pen = shop.catalog.by_sku("PEN")
    shop.catalog.table.put({"pk": "PRODUCT#broken", "sk": "PRODUCT", "id": "broken"})
    records = [
        {"eventName": name, "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, "SequenceNumber": number}}
        for name, pk, sk, number in (
            ("INSERT", "PRODUCT#broken", "PRODUCT", "1"),
            ("MODIFY", f"PRODUCT#{pen.id}", "PRODUCT", "2"),
            ("MODIFY", f"PRODUCT#{pen.id}", "WORD#pen", "3"),
            ("INSERT", "HANDLE#x", "HANDLE", "4"),
        )
    ]
    answer = function("project_catalog").handler({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    listed, _ = shop.catalog.browse(Browsing(currency="USD", category="desk"), after=None, limit=5)
    assert [entry.handle for entry in listed] == ["brass-ballpoint"]
