"""What makes a product valid, and what is told of one that is not."""

from typing import Any

import pytest
from pydantic import ValidationError

from builders.catalog import draft, priced, product, sized, variant
from commerce.catalog.model import Description, Media, Option, completed, offers_of
from commerce.errors import Invalid

BLUE, RED = {"Colour": "Blue"}, {"Colour": "Red"}
COLOUR = Option(name="Colour", values=("Blue", "White"))


def test_a_draft_without_a_handle_gets_one_from_its_title() -> None:
    assert completed(draft("Crème Pot")).handle == "creme-pot"


def test_a_handle_of_its_own_stays() -> None:
    assert completed(draft(handle="mug")).handle == "mug"


def test_a_title_that_gives_no_handle_needs_one() -> None:
    with pytest.raises(Invalid) as refused:
        completed(draft("花瓶"))
    assert refused.value.path == "$.handle"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"variants": (variant("A"), variant("A"))}, "$.variants[1].sku"),
        ({"options": (COLOUR,), "variants": (variant("A"),)}, "$.variants[0].options"),
        ({"variants": (variant("A", options=BLUE),)}, "$.variants[0].options"),
        ({"options": (COLOUR,), "variants": (variant("A", options=RED),)}, "$.variants[0].options.Colour"),
        (
            {"options": (COLOUR,), "variants": (variant("A", options=BLUE), variant("B", options=BLUE))},
            "$.variants[1].options",
        ),
        ({"options": (COLOUR, COLOUR), "variants": (variant("A", options=BLUE),)}, "$.options"),
        ({"options": (Option(name="Colour", values=("Blue", "Blue")),)}, "$.options[0].values"),
        ({"variants": (variant("A", compare_at={"EUR": 100}),)}, "$.variants[0].compare_at"),
        ({"variants": (variant("A", image="/media/no.svg"),)}, "$.variants[0].image"),
        ({"categories": ("kitchen", "kitchen")}, "$.categories"),
    ],
)
def test_a_broken_rule_names_its_field(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        completed(draft(**fields))
    assert refused.value.path == path


@pytest.mark.parametrize(
    "fields",
    [
        {"sku": "with space"},
        {"sku": "-first"},
        {"sku": "A" * 65},
        {"prices": {}},
        {"prices": {"USD": -1}},
        {"prices": {"USD": 1.5}},
        {"prices": {"usd": 1}},
        {"prices": {"USD": 10**12}},
        {"weight_grams": -1},
    ],
)
def test_a_variant_refuses_what_cannot_be_sold(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        variant(**fields)


def test_ninety_variants_are_the_most() -> None:
    with pytest.raises(ValidationError):
        draft(variants=tuple(variant(f"S{number}") for number in range(91)))


def test_the_plain_description_comes_from_the_html() -> None:
    assert completed(draft(description=Description(html="<p>Soft</p>"))).description.plain == "Soft"


def test_an_offer_is_named_after_product_and_variant_in_the_order_of_the_options() -> None:
    shirt = product(draft=sized())
    stirred = shirt.variants[0].model_copy(update={"options": {"Size": "S", "Colour": "Blue"}})
    offers = offers_of(shirt.model_copy(update={"variants": (stirred,)}))
    assert offers[0].title == "Linen Shirt - Blue / S"


def test_an_archived_product_offers_nothing() -> None:
    assert not offers_of(product(status="archived"))[0].published


def test_a_variant_without_a_picture_of_its_own_shows_the_products_first() -> None:
    first, second = Media(url="/media/1.svg"), Media(url="/media/2.svg")
    one, other = priced({"USD": 1}, {"USD": 2}).variants
    pictured = product(draft=priced({"USD": 1}, {"USD": 2}, media=(first, second)))
    with_own = pictured.model_copy(update={"variants": (one, other.model_copy(update={"image": second.url}))})
    assert [offer.image_url for offer in offers_of(with_own)] == [first.url, second.url]


@pytest.mark.parametrize(("before", "shown"), [(2500, 2500), (1900, None), (100, None)])
def test_a_compare_at_price_shows_only_where_it_is_higher(before: int, shown: int | None) -> None:
    assert variant(price=1900, compare_at={"USD": before}).list_price("USD") == shown


def test_prices_are_shown_in_the_first_wanted_currency_that_the_product_has() -> None:
    mug = product(variants=(variant(price=1900, eur=1700),))
    assert mug.presentment(("GBP", "EUR")) == "EUR"
    assert mug.presentment((None, "GBP")) == "USD"
