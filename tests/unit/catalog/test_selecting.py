"""Narrowing a product down to the variant that a buyer wants."""

from builders.catalog import product, sized
from builders.stock import supply
from commerce.catalog.service import Selection, select, signals

SHIRT = product(draft=sized(sizes=("S", "M", "L")))
WITHOUT_WHITE_L = SHIRT.variants[:-1]
IN_STOCK = {"SHIRT-BLUE-M": supply(3), "SHIRT-WHITE-S": supply(1)}


def chosen(sku: str | None = None, preferences: tuple[str, ...] = (), **selected: str) -> Selection:
    found = select(SHIRT, WITHOUT_WHITE_L, IN_STOCK, sku=sku, selected=selected, preferences=preferences)
    assert found is not None
    return found


def test_without_a_wish_the_first_variant_in_stock_is_featured() -> None:
    found = chosen()
    assert found.variants[0].sku == "SHIRT-BLUE-M"
    assert found.selected == {"Colour": "Blue", "Size": "M"}
    assert len(found.variants) == len(WITHOUT_WHITE_L)


def test_a_sku_is_featured_even_out_of_stock() -> None:
    assert chosen("SHIRT-BLUE-L").variants[0].sku == "SHIRT-BLUE-L"


def test_a_choice_leaves_only_the_variants_that_match_it() -> None:
    found = chosen(Colour="White")
    assert [variant.sku for variant in found.variants] == ["SHIRT-WHITE-S", "SHIRT-WHITE-M"]
    assert found.selected == {"Colour": "White"}


def test_the_least_preferred_choice_is_given_up_first() -> None:
    assert chosen(preferences=("Colour", "Size"), Colour="White", Size="L").selected == {"Colour": "White"}
    assert chosen(preferences=("Size", "Colour"), Colour="White", Size="L").selected == {"Size": "L"}


def test_a_choice_that_no_option_knows_is_ignored() -> None:
    assert chosen(Fabric="Silk", Colour="White").selected == {"Colour": "White"}


def test_values_say_whether_they_exist_and_can_be_bought_beside_the_other_choices() -> None:
    white = {"Colour": "White"}
    assert signals(WITHOUT_WHITE_L, IN_STOCK, white, "Size", "S") == (True, True)
    assert signals(WITHOUT_WHITE_L, IN_STOCK, white, "Size", "M") == (True, False)
    assert signals(WITHOUT_WHITE_L, IN_STOCK, white, "Size", "L") == (False, False)
    assert signals(WITHOUT_WHITE_L, IN_STOCK, white, "Colour", "Blue") == (True, True)


def test_a_product_with_nothing_to_choose_from_has_no_selection() -> None:
    assert select(SHIRT, (), {}, sku=None, selected={}, preferences=()) is None
