"""The demo catalogue is whole, and its pictures are what the code draws."""

import runpy
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tools.importer import drafts, mapping, tables

DEMO = Path(__file__).parents[3] / "demo"


@pytest.fixture(scope="module")
def found() -> drafts.Intakes:
    rows = tables.read(DEMO / "products.csv", "csv")
    return drafts.intakes(rows, mapping.load(mapping.FOLDER / "shopify.toml"), "USD")


@pytest.fixture(scope="module")
def drawing() -> dict[str, Any]:
    return runpy.run_path(str(DEMO / "draw.py"))


def test_every_product_goes_in_without_a_remark(found: drafts.Intakes) -> None:
    assert (found.refused, found.notes) == ([], [])
    assert len(found.products) >= 40
    assert sum(len(intake.draft.variants) for intake in found.products) >= 100


def test_every_variant_has_prices_in_both_currencies_and_a_picture(found: drafts.Intakes) -> None:
    for intake in found.products:
        assert intake.pictures
        for variant in intake.draft.variants:
            assert variant.prices.keys() == {"USD", "EUR"}
            assert variant.sku in intake.variant_pictures


def test_some_products_are_reduced_and_some_variants_sold_out(found: drafts.Intakes) -> None:
    variants = [variant for intake in found.products for variant in intake.draft.variants]
    assert 5 <= sum(variant.list_price("USD") is not None for variant in variants) <= len(variants) / 3
    assert 1 <= sum(units == 0 for intake in found.products for units in intake.stock.values()) <= 5


def test_every_product_has_texts_for_search_engines(found: drafts.Intakes) -> None:
    for intake in found.products:
        assert 15 <= len(intake.draft.seo.title) <= 60, intake.draft.title
        assert 40 <= len(intake.draft.seo.description) <= 160, intake.draft.title


def test_no_shelf_is_empty_or_alone(found: drafts.Intakes) -> None:
    shelves = Counter(intake.shelves[0].slug for intake in found.products)
    assert len(shelves) >= 7
    assert min(shelves.values()) >= 3


def test_the_pictures_are_those_that_the_code_draws(drawing: dict[str, Any]) -> None:
    drawn = {f"{name}.svg": drawing["draw"](name) for name in drawing["named"]()}
    kept = {path.name: path.read_text() for path in (DEMO / "pictures").iterdir()}
    assert kept == drawn, "run python demo/draw.py"


def test_every_picture_is_small_well_formed_and_without_script() -> None:
    for path in (DEMO / "pictures").iterdir():
        assert path.stat().st_size < 4096
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()}
        assert tags <= {"svg", "g", "path", "rect", "ellipse"}
