"""Where products are listed, and under which words they are found."""

from hypothesis import given
from hypothesis import strategies as st

from builders.catalog import priced, product, sized, variant
from commerce.catalog.model import (
    MAX_WORDS,
    Browsing,
    PriceRange,
    Product,
    categories_of,
    listings_of,
    price_key,
    words_of,
)
from commerce.catalog.projection import listing, projection

PARENTS = {"kitchen": None, "kitchen-coffee": "kitchen", "home": None}
amounts = st.integers(min_value=0, max_value=99_999_999_999)
currencies = st.sampled_from(["USD", "EUR", "GBP"])
products = st.builds(
    lambda prices, shelves: product(draft=priced(*prices, categories=tuple(shelves))),
    st.lists(st.dictionaries(currencies, amounts, min_size=1), min_size=1, max_size=5),
    st.lists(st.sampled_from(list(PARENTS)), unique=True),
)


def test_a_product_is_listed_under_all_its_categories_and_those_above_in_every_currency() -> None:
    mug = product(variants=(variant(eur=1700),), categories=("kitchen-coffee",))
    places = {(entry.category, entry.currency) for entry in listings_of(mug, PARENTS)}
    assert places == {(c, m) for c in ("all", "kitchen", "kitchen-coffee") for m in ("USD", "EUR")}


def test_a_draft_is_listed_for_staff_alone() -> None:
    items = projection(product(status="draft"), PARENTS)
    assert list(items) == ["LISTING#admin#draft"]


def test_a_circle_of_categories_ends() -> None:
    assert categories_of(product(categories=("a",)), {"a": "b", "b": "a"}) == ("a", "b")


@given(products)
def test_every_listing_holds_the_prices_of_its_currency_and_nothing_else(one: Product) -> None:
    for entry in listings_of(one, PARENTS):
        prices = {v.prices[entry.currency] for v in one.variants if entry.currency in v.prices}
        assert entry.amounts == tuple(sorted(prices))
        assert entry.price_key.startswith(price_key(min(prices)))


@given(amounts, amounts)
def test_price_keys_sort_like_prices(one: int, other: int) -> None:
    assert (price_key(one) < price_key(other)) == (one < other)


@given(products)
def test_projecting_is_pure_and_every_listing_survives_its_storage(one: Product) -> None:
    items = projection(one, PARENTS)
    assert items == projection(one, PARENTS)
    stored = {sk: listing(item) for sk, item in items.items() if "currency" in item}
    assert sorted(stored) == sorted(f"LISTING#{e.category}#{e.currency}" for e in listings_of(one, PARENTS))
    assert all(entry in listings_of(one, PARENTS) for entry in stored.values())


def test_words_come_from_title_type_vendor_categories_tags_and_options() -> None:
    shirt = product(
        draft=sized("Linen Shirt", vendor="Tern & Tide", product_type="Tops", categories=("home",), tags=("summer",))
    )
    assert words_of(shirt) == (
        *("linen", "shirt", "top", "tern", "tide", "home", "summer"),
        *("blue", "white", "s", "m"),
    )


def test_a_product_has_a_limited_number_of_words() -> None:
    talkative = product(tags=tuple(f"tag{number} word{number}" for number in range(50)))
    assert len(words_of(talkative)) == MAX_WORDS


@given(st.lists(amounts, min_size=1), st.none() | amounts, st.none() | amounts)
def test_a_price_filter_holds_if_some_variant_lies_in_it(prices: list[int], low: int | None, high: int | None) -> None:
    wanted = Browsing(currency="USD", price=PriceRange(min=low, max=high))
    expected = any((low is None or price >= low) and (high is None or price <= high) for price in prices)
    assert wanted.holds((), prices) == expected


def test_of_several_categories_any_one_will_do() -> None:
    wanted = Browsing(currency="USD", categories=("home", "kitchen"))
    assert wanted.holds(("kitchen",), (1,))
    assert not wanted.holds(("garden",), (1,))
