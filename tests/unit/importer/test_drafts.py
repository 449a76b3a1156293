"""What tables become: Shopify's with all its oddities, and others through their mappings."""

import re
from pathlib import Path

import pytest

from tools.importer import drafts, mapping, tables
from tools.importer.drafts import Intakes

HEADING = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,"
    "Image Position,Image Alt Text,Gift Card,SEO Title,Variant Image,Status,Price / EUR,Compare At Price / EUR,"
    "Price / Asia"
)
COLUMNS = HEADING.split(",")


def row(handle: str = "tee", **cells: str) -> dict[str, str]:
    """A row of Shopify's table; names are the columns', in small letters with underscores."""
    names = {re.sub(r"\W+", "_", column).strip("_").lower(): column for column in COLUMNS}
    return {"Handle": handle, **{names[name]: value for name, value in cells.items()}}


def first(handle: str = "tee", **cells: str) -> dict[str, str]:
    """The first row of a product that goes in."""
    return row(handle, **{"title": "Basic Tee", "variant_sku": handle.upper(), "variant_price": "19.99", **cells})


def shopify(*rows: dict[str, str]) -> Intakes:
    """What becomes of the rows, which begin on line 2."""
    filled = [tables.Row(number, {**dict.fromkeys(COLUMNS, ""), **one}) for number, one in enumerate(rows, 2)]
    return drafts.intakes(filled, mapping.load(mapping.FOLDER / "shopify.toml"), "USD")


def test_rows_of_one_handle_are_one_product() -> None:
    found = shopify(
        first(option1_name="Size", option1_value="S", option2_name="Colour", option2_value="Red", variant_sku="A"),
        row(option1_value="M", option2_value="Red", variant_sku="B", variant_price="21"),
        row(image_src="https://pictures.example/2.jpg", image_position="2"),
    )
    [intake] = found.products
    assert {option.name: option.values for option in intake.draft.options} == {"Size": ("S", "M"), "Colour": ("Red",)}
    assert {one.sku: one.prices for one in intake.draft.variants} == {"A": {"USD": 1999}, "B": {"USD": 2100}}
    assert [picture.source for picture in intake.pictures] == ["https://pictures.example/2.jpg"]


def test_the_default_title_is_no_option() -> None:
    [intake] = shopify(first(option1_name="Title", option1_value="Default Title")).products
    assert intake.draft.options == ()


def test_prices_of_currencies_go_in_and_those_of_markets_do_not() -> None:
    [intake] = shopify(first(price_eur="18.50", compare_at_price_eur="20", price_asia="9")).products
    [tee] = intake.draft.variants
    assert (tee.prices, tee.compare_at) == ({"USD": 1999, "EUR": 1850}, {"EUR": 2000})


def test_a_compare_at_price_of_zero_is_none() -> None:
    [intake] = shopify(first(variant_compare_at_price="0.00")).products
    assert intake.draft.variants[0].compare_at == {}


def test_a_category_path_becomes_a_tree_and_the_product_hangs_on_its_end() -> None:
    [intake] = shopify(first(product_category="Apparel & Accessories > Clothing")).products
    assert [(shelf.slug, shelf.parent) for shelf in intake.shelves] == [
        ("apparel-accessories", None),
        ("apparel-accessories-clothing", "apparel-accessories"),
    ]
    assert intake.draft.categories == ("apparel-accessories-clothing",)


def test_a_blank_sku_is_made_from_handle_and_option_values() -> None:
    [intake] = shopify(first(variant_sku="", option1_name="Size", option1_value="Extra Large")).products
    assert intake.draft.variants[0].sku == "TEE-EXTRA-LARGE"


def test_a_sku_in_another_alphabet_is_changed_and_noted() -> None:
    found = shopify(first(variant_sku="'TEE/S 1"))
    assert found.products[0].draft.variants[0].sku == "TEE-S-1"
    assert found.notes[0].line == 2


def test_two_long_skus_stay_two() -> None:
    found = shopify(first("a", variant_sku="X" * 70 + "1"), first("b", variant_sku="X" * 70 + "2"))
    skus = {intake.draft.variants[0].sku for intake in found.products}
    assert len(skus) == 2
    assert all(len(sku) <= 64 for sku in skus)


@pytest.mark.parametrize(
    ("status", "published", "expected"),
    [
        ("active", "TRUE", "active"),
        ("active", "FALSE", "draft"),
        ("archived", "FALSE", "archived"),
        ("draft", "TRUE", "draft"),
        ("", "", "active"),
    ],
)
def test_status_and_published_together_say_who_sees_a_product(status: str, published: str, expected: str) -> None:
    assert shopify(first(status=status, published=published)).products[0].draft.status == expected


def test_stock_below_zero_goes_in_as_none_and_is_noted() -> None:
    found = shopify(first(variant_inventory_qty="-3"))
    assert found.products[0].stock == {"TEE": 0}
    assert "-3" in found.notes[0].reason


def test_stock_that_the_table_does_not_tell_is_not_set() -> None:
    assert shopify(first()).products[0].stock == {}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"variant_price": "1,299.00"}, "is not an amount"),
        ({"variant_price": "12.555"}, "more digits"),
        ({"variant_price": "-1"}, "is not an amount"),
        ({"variant_price": ""}, "no row of the product has a price"),
        ({"variant_grams": "heavy"}, "no weight"),
        ({"variant_inventory_qty": "many"}, "no number of units"),
        ({"gift_card": "TRUE"}, "gift cards"),
        ({"status": "sleeping"}, "no status"),
        ({"title": ""}, "title"),
        ({"image_src": "x", "option1_name": "Size", "option1_value": "S" * 200}, "100 characters"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_line_and_reason(cells: dict[str, str], reason: str) -> None:
    found = shopify(first("good"), first("bad", **cells))
    assert [intake.draft.handle for intake in found.products] == ["good"]
    [refused] = found.refused
    assert (refused.line, refused.product) == (3, "bad")
    assert reason in refused.reason


def test_a_product_goes_in_whole_or_not_at_all() -> None:
    found = shopify(
        first(option1_name="Size", option1_value="S", variant_sku="A"),
        row(option1_value="M", variant_sku="B", variant_price="free"),
    )
    assert found.products == []
    assert found.refused[0].line == 3


def test_a_row_without_a_handle_is_refused() -> None:
    assert "Handle" in shopify(first(""), first()).refused[0].reason


def test_two_products_with_one_handle_are_refused_once() -> None:
    found = shopify(first("Tee"), first("tee", variant_sku="OTHER"))
    assert len(found.products) == 1
    assert "same handle" in found.refused[0].reason


def test_the_wrong_mapping_is_noticed_before_anything_else() -> None:
    with pytest.raises(tables.TableError, match="Handle"):
        drafts.intakes([tables.Row(2, {"name": "Mug"})], mapping.load(mapping.FOLDER / "shopify.toml"), "USD")


def test_spree_states_further_currencies_in_rows_of_their_own(tmp_path: Path) -> None:
    table = tmp_path / "products.csv"
    table.write_text(
        "slug,sku,name,price,compare_at_price,currency,status,category1,option1_name,option1_value,weight,weight_unit,inventory_count\n"
        "kettle,KETTLE,Kettle,0,0,USD,active,Kitchen -> Kettles,,,,,\n"
        "kettle,KETTLE-RED,,49.99,0,USD,,,Color,Red,2,lb,7\n"
        "kettle,KETTLE-RED,,45.99,,EUR,,,,,,,\n"
    )
    spree = mapping.load(mapping.FOLDER / "spree.toml")
    [intake] = drafts.intakes(tables.read(table, "csv"), spree, "USD").products
    [red] = intake.draft.variants
    assert (red.sku, red.prices, red.weight_grams) == ("KETTLE-RED", {"USD": 4999, "EUR": 4599}, 907)
    assert intake.stock == {"KETTLE-RED": 7}
    assert intake.draft.categories == ("kitchen-kettles",)


def test_products_of_one_name_are_told_apart_by_their_id(tmp_path: Path) -> None:
    table = tmp_path / "products.yaml"
    table.write_text(
        "- {id: aaaaaaaa-1, name: Sofa, category: furniture, style: sofas, price: 9.90, current_stock: 3}\n"
        "- {id: bbbbbbbb-2, name: Sofa, category: furniture, style: sofas, price: 8, current_stock: 0}\n"
    )
    retail = mapping.load(mapping.FOLDER / "retail-demo-store.toml")
    found = drafts.intakes(tables.read(table, "yaml"), retail, "USD").products
    assert [intake.draft.handle for intake in found] == ["sofa-aaaaaaaa", "sofa-bbbbbbbb"]
    assert [intake.draft.variants[0].prices["USD"] for intake in found] == [990, 800]
