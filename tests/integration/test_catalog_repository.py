"""Products on a real data engine: what is unique stays unique, what is old never wins, and lists come in order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.catalog import NOW, draft, priced, product, sized, variant
from commerce.adapters import wiring
from commerce.adapters.dynamodb import Table
from commerce.adapters.outbox import Outbox
from commerce.catalog import service
from commerce.catalog.model import Browsing, Category, Media, PriceRange, Product, ProductDraft
from commerce.catalog.repository import CatalogRepository
from commerce.errors import Conflict, Invalid, NotFound, StaleVersion

USD = Browsing(currency="USD")


@pytest.fixture
def catalog(function_of_the_shop: None) -> CatalogRepository:
    return wiring.catalog()


def create(catalog: CatalogRepository, one: ProductDraft, categories: tuple[str, ...] = ()) -> Product:
    made = service.create_product(catalog, one, categories=categories, actor="anna", now=NOW)
    catalog.project(made.id, {})
    return made


def replace(catalog: CatalogRepository, old: Product, **fields: Any) -> Product:
    content = old.draft.model_copy(update=fields)
    return service.replace_product(catalog, old, content, categories=(), actor="anna", now=NOW)


def found(catalog: CatalogRepository, query: str, wanted: Browsing = USD) -> list[str]:
    return catalog.search(query, wanted, after=None, limit=50)[0]


def pages(catalog: CatalogRepository, wanted: Browsing, limit: int) -> Iterator[list[str]]:
    after = None
    while True:
        page, after = catalog.browse(wanted, after=after, limit=limit)
        yield [entry.product_id for entry in page]
        if after is None:
            return


# writing


def test_a_product_comes_back_as_it_was_written(catalog: CatalogRepository) -> None:
    made = create(catalog, sized())
    assert catalog.get(made.id) == made
    assert catalog.by_handle("linen-shirt") == made
    assert catalog.by_sku("SHIRT-BLUE-M") == made


def test_a_write_leaves_an_audit_entry_and_an_event(catalog: CatalogRepository, tables: dict[str, str]) -> None:
    made = create(catalog, draft())
    service.archive_product(catalog, made, actor="ben", now=NOW)
    entries = {entry.action: entry for entry in catalog.history(made.id)}
    actors = {action: entry.actor for action, entry in entries.items()}
    assert actors == {"product.created": "anna", "product.archived": "ben"}
    archived = entries["product.archived"]
    assert archived.before == {"status": "active", "version": 1}
    assert archived.after == {"status": "archived", "version": 2}
    events = catalog.table.client.scan(TableName=tables["OUTBOX_TABLE"])["Items"]
    assert [event["detail_type"]["S"] for event in events] == ["product.changed"] * 2


def test_an_audit_entry_tells_only_the_variants_that_changed(catalog: CatalogRepository) -> None:
    made = create(catalog, priced({"USD": 1}, {"USD": 2}))
    one, other = made.variants
    replace(catalog, made, variants=(one, other.model_copy(update={"prices": {"USD": 3}})))
    [entry] = [entry for entry in catalog.history(made.id) if entry.action == "product.changed"]
    assert entry.before and entry.after
    assert entry.before["variants"].keys() == {"S1"}
    assert entry.after["variants"]["S1"]["prices"] == {"USD": 3}


def test_a_handle_belongs_to_one_product(catalog: CatalogRepository) -> None:
    create(catalog, draft())
    with pytest.raises(Conflict) as refused:
        create(catalog, draft(variants=(variant("OTHER"),)))
    assert refused.value.path == "$.handle"
    assert catalog.owners(["OTHER"]) == {}


def test_a_handle_leads_to_who_has_it_now_however_often_it_was_looked_up(catalog: CatalogRepository) -> None:
    first = create(catalog, draft(handle="shirt"))
    assert catalog.by_handle("shirt").id == first.id

    moved = replace(catalog, first, handle="old-shirt")
    with pytest.raises(NotFound):
        catalog.by_handle("shirt")
    second = create(catalog, draft(handle="shirt", variants=(variant("OTHER"),)))

    assert catalog.by_handle("shirt").id == second.id
    assert catalog.by_handle("old-shirt").id == moved.id


def test_a_handle_that_was_given_up_is_free(catalog: CatalogRepository) -> None:
    made = create(catalog, draft())
    replace(catalog, made, handle="mug")
    with pytest.raises(NotFound):
        catalog.by_handle("stoneware-mug")
    create(catalog, draft(variants=(variant("OTHER"),)))


def test_a_sku_belongs_to_one_product_and_the_refusal_names_it(catalog: CatalogRepository) -> None:
    create(catalog, draft("First"))
    with pytest.raises(Conflict) as refused:
        create(catalog, draft("Second"))
    assert refused.value.path == "$.variants[0].sku"


def test_a_sku_that_was_removed_is_not_sold_and_never_comes_to_mean_another_product(
    catalog: CatalogRepository,
) -> None:
    made = create(catalog, draft())
    replace(catalog, made, variants=(variant("NEW"),))
    assert not catalog.offers(["MUG"])["MUG"].published
    with pytest.raises(Conflict):
        create(catalog, draft("Another"))


def test_a_product_can_take_its_own_sku_back(catalog: CatalogRepository) -> None:
    made = create(catalog, draft())
    without = replace(catalog, made, variants=(variant("NEW"),))
    replace(catalog, without, variants=(variant("MUG", price=2100),))
    assert catalog.offers(["MUG"])["MUG"].prices == {"USD": 2100}


def test_a_change_of_an_old_version_is_refused_and_changes_nothing(catalog: CatalogRepository) -> None:
    made = create(catalog, draft())
    replace(catalog, made, title="New Mug")
    with pytest.raises(StaleVersion):
        replace(catalog, made, title="Other Mug", variants=(variant("X"),))
    assert catalog.get(made.id).title == "New Mug"
    assert catalog.owners(["X"]) == {}


def test_of_many_changes_at_once_exactly_one_holds(catalog: CatalogRepository) -> None:
    made = create(catalog, draft())

    def change(number: int) -> bool:
        try:
            replace(catalog, made, title=f"Mug {number}")
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(change, range(16))) == 1
    assert catalog.get(made.id).version == 2


def test_of_many_products_with_one_sku_exactly_one_is_made(catalog: CatalogRepository) -> None:
    def make(number: int) -> bool:
        try:
            service.create_product(catalog, draft(f"Mug {number}"), categories=(), actor="anna", now=NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(16))) == 1


def test_ninety_variants_fit_into_one_write(catalog: CatalogRepository) -> None:
    made = create(catalog, priced(*({"USD": number} for number in range(90))))
    archived = service.archive_product(catalog, made, actor="anna", now=NOW)
    offers = catalog.offers(variant.sku for variant in archived.variants)
    assert len(offers) == 90
    assert not any(offer.published for offer in offers.values())


def test_an_exchange_too_large_for_one_write_is_refused_in_words(catalog: CatalogRepository) -> None:
    made = create(catalog, priced(*({"USD": number} for number in range(60))))
    renamed = tuple(one.model_copy(update={"sku": f"N-{one.sku}"}) for one in made.variants)
    with pytest.raises(Invalid) as refused:
        replace(catalog, made, variants=renamed)
    assert refused.value.path == "$.variants"


def test_offers_have_absolute_pictures_and_only_known_skus(catalog: CatalogRepository) -> None:
    create(catalog, draft(media=(Media(url="/media/1/mug.svg"),)))
    offers = catalog.offers(["MUG", "NONE", "MUG"])
    assert offers.keys() == {"MUG"}
    assert offers["MUG"].image_url == "https://shop.example/media/1/mug.svg"


# lists


def test_pages_of_a_list_hold_every_product_once_in_order(catalog: CatalogRepository) -> None:
    made = [
        create(catalog, draft(f"Mug {n}", variants=(variant(f"M{n}", price=(n * 37) % 50),))) for n in range(23)
    ]
    by_price = {one.id: one.variants[0].prices["USD"] for one in made}
    for wanted in (USD, Browsing(currency="USD", sort="title", descending=False)):
        listed = [one for page in pages(catalog, wanted, 5) for one in page]
        assert sorted(listed) == sorted(by_price)
    for descending in (False, True):
        wanted = Browsing(currency="USD", sort="price", descending=descending)
        prices = [by_price[one] for page in pages(catalog, wanted, 4) for one in page]
        assert prices == sorted(by_price.values(), reverse=descending)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    low=st.none() | st.integers(0, 60),
    high=st.none() | st.integers(0, 60),
    limit=st.integers(1, 7),
    cheap=st.booleans(),
)
def test_a_price_filter_finds_exactly_the_products_with_a_variant_in_it(
    catalog: CatalogRepository, low: int | None, high: int | None, limit: int, cheap: bool
) -> None:
    ranges = {f"prod_{n}": ({"USD": n * 5}, {"USD": n * 5 + 12}) for n in range(10)}
    for product_id, prices in ranges.items():
        if catalog.products([product_id]):
            continue
        handle = product_id.replace("_", "-")
        one = priced(*prices, handle=handle)
        variants = tuple(v.model_copy(update={"sku": f"{handle}-{v.sku}"}) for v in one.variants)
        stored = product(product_id, draft=one.model_copy(update={"variants": variants}))
        catalog.save(None, stored, actor="anna", action="created", now=NOW)
        catalog.project(product_id, {})
    wanted = Browsing(currency="USD", price=PriceRange(min=low, max=high), sort="price", descending=not cheap)
    listed = [one for page in pages(catalog, wanted, limit) for one in page]
    expected = [
        product_id
        for product_id, prices in ranges.items()
        if any((low is None or p["USD"] >= low) and (high is None or p["USD"] <= high) for p in prices)
    ]
    assert listed == (expected if cheap else expected[::-1])


def test_a_category_lists_what_is_on_it_and_below_it(catalog: CatalogRepository) -> None:
    for category in (Category(slug="kitchen", title="Kitchen"), Category(slug="mugs", title="Mugs", parent="kitchen")):
        service.put_category(catalog, category, version=None, actor="anna", now=NOW)
    made = service.create_product(
        catalog, draft(categories=("mugs",)), categories=("mugs",), actor="anna", now=NOW
    )
    catalog.project(made.id, {one.slug: one.parent for one in catalog.categories()})
    for category in ("kitchen", "mugs", "all"):
        assert list(pages(catalog, Browsing(currency="USD", category=category), 5)) == [[made.id]]
    assert list(pages(catalog, Browsing(currency="USD", category="garden"), 5)) == [[]]
    assert list(pages(catalog, Browsing(currency="EUR"), 5)) == [[]]


def test_staff_list_products_in_every_state(catalog: CatalogRepository) -> None:
    made = [
        create(catalog, draft(f"M{number}", variants=(variant(f"M{number}"),), status=status))
        for number, status in enumerate(("draft", "active", "archived"))
    ]
    everything, position = catalog.admin_list(None, after=None, limit=2)
    rest, end = catalog.admin_list(None, after=position, limit=2)
    assert {entry.product_id for entry in everything + rest} == {one.id for one in made}
    assert end is None
    assert [entry.title for entry in catalog.admin_list("draft", after=None, limit=9)[0]] == ["M0"]


# search


def test_all_words_must_lead_to_a_product(catalog: CatalogRepository) -> None:
    blue = create(catalog, draft("Blue Linen Shirt", variants=(variant("A"),)))
    create(catalog, draft("White Linen Shirt", variants=(variant("B"),)))
    create(catalog, draft("Blue Mug", variants=(variant("C"),)))
    assert found(catalog, "blue shirts") == [blue.id]
    assert len(found(catalog, "linen")) == 2
    assert found(catalog, "green shirt") == []
    assert found(catalog, "the") == []


def test_search_pages_through_every_hit_once(catalog: CatalogRepository) -> None:
    made = {create(catalog, draft(f"Mug {n}", variants=(variant(f"M{n}"),), tags=("stoneware",))).id for n in range(12)}
    hits: list[str] = []
    after = None
    while True:
        page, after = catalog.search("stoneware mug", USD, after=after, limit=5)
        hits += page
        if after is None:
            break
    assert len(hits) == len(set(hits)) == 12
    assert set(hits) == made


def test_search_keeps_to_price_and_category(catalog: CatalogRepository) -> None:
    cheap = create(catalog, draft("Cheap Mug", variants=(variant("A", price=500),)))
    create(catalog, draft("Dear Mug", variants=(variant("B", price=5000),)))
    assert found(catalog, "mug", Browsing(currency="USD", price=PriceRange(max=1000))) == [cheap.id]
    assert found(catalog, "mug", Browsing(currency="USD", categories=("kitchen",))) == []
    assert found(catalog, "mug", Browsing(currency="EUR", price=PriceRange(max=1000))) == []


# projection


def test_projecting_again_changes_nothing(catalog: CatalogRepository) -> None:
    made = create(catalog, sized())
    assert catalog.project(made.id, {}) == 0


def test_only_the_difference_is_written(catalog: CatalogRepository) -> None:
    made = create(catalog, draft("Blue Mug"))
    replace(catalog, made, tags=("gift",))
    assert catalog.project(made.id, {}) == 2, "the new word, and the version in the staff's list"


def test_what_is_archived_leaves_every_list_and_word(catalog: CatalogRepository) -> None:
    made = create(catalog, draft())
    service.archive_product(catalog, made, actor="anna", now=NOW)
    catalog.project(made.id, {})
    assert list(pages(catalog, USD, 5)) == [[]]
    assert found(catalog, "mug") == []


def test_a_product_of_very_many_words_and_listings_is_projected_whole(catalog: CatalogRepository) -> None:
    shelves = tuple(f"shelf-{n}" for n in range(20))
    tags = tuple(f"tag{n} word{n}" for n in range(45))
    made = service.create_product(
        catalog,
        draft(categories=shelves, tags=tags, variants=(variant(prices={"USD": 1, "EUR": 1, "GBP": 1}),)),
        categories=shelves,
        actor="anna",
        now=NOW,
    )
    assert catalog.project(made.id, {}) > 100
    assert catalog.project(made.id, {}) == 0
    assert found(catalog, "tag0 word20") == [made.id]
    assert list(pages(catalog, Browsing(currency="GBP", category="shelf-19"), 2)) == [[made.id]]


class _Slow:
    """A client whose first transaction waits until something else has happened."""

    def __init__(self, client: Any, meanwhile: Any) -> None:
        self.client = client
        self.meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def transact_write_items(self, **parameters: Any) -> Any:
        if self.meanwhile:
            act, self.meanwhile = self.meanwhile, None
            act()
        return self.client.transact_write_items(**parameters)


def test_a_slow_projection_of_an_old_version_never_overwrites_a_newer_one(catalog: CatalogRepository) -> None:
    made = create(catalog, draft("Old Name"))
    old = replace(catalog, made, tags=("first",))

    def meanwhile() -> None:
        replace(catalog, old, title="New Name", tags=())
        catalog.project(made.id, {})

    slow = CatalogRepository(
        Table(_Slow(catalog.table.client, meanwhile), catalog.table.name), Outbox(""), catalog.audit
    )
    slow.project(made.id, {})
    [entry], _ = catalog.browse(USD, after=None, limit=5)
    assert entry.title == "New Name"
    assert found(catalog, "old") == found(catalog, "first") == []
    assert found(catalog, "new") == [made.id]


def test_racing_projections_end_where_the_product_is(catalog: CatalogRepository) -> None:
    made = create(catalog, draft())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: catalog.project(made.id, {}), range(8)))
    assert catalog.project(made.id, {}) == 0


# categories


def test_a_category_changes_only_for_who_has_seen_its_version(catalog: CatalogRepository) -> None:
    kitchen = Category(slug="kitchen", title="Kitchen")
    _, version = service.put_category(catalog, kitchen, version=None, actor="anna", now=NOW)
    renamed = kitchen.model_copy(update={"title": "Cooking"})
    for stale in (None, 7):
        with pytest.raises(StaleVersion):
            service.put_category(catalog, renamed, version=stale, actor="anna", now=NOW)
    assert service.put_category(catalog, renamed, version=version, actor="anna", now=NOW) == (renamed, 2)
    assert catalog.category("kitchen") == (renamed, 2)


def test_a_category_needs_a_parent_that_exists_and_stays_under_it(catalog: CatalogRepository) -> None:
    mugs = Category(slug="mugs", title="Mugs", parent="kitchen")
    with pytest.raises(Invalid):
        service.put_category(catalog, mugs, version=None, actor="anna", now=NOW)
    service.put_category(catalog, Category(slug="kitchen", title="Kitchen"), version=None, actor="anna", now=NOW)
    service.put_category(catalog, mugs, version=None, actor="anna", now=NOW)
    with pytest.raises(Conflict):
        service.put_category(catalog, mugs.model_copy(update={"parent": None}), version=1, actor="anna", now=NOW)


@pytest.mark.parametrize("slug", ["all", "admin"])
def test_the_shops_own_words_are_no_categories(catalog: CatalogRepository, slug: str) -> None:
    with pytest.raises(Invalid):
        service.put_category(catalog, Category(slug=slug, title="X"), version=None, actor="anna", now=NOW)


def test_a_product_in_a_category_that_is_not_there_is_refused(catalog: CatalogRepository) -> None:
    with pytest.raises(Invalid) as refused:
        create(catalog, draft(categories=("nowhere",)))
    assert refused.value.path == "$.categories[0]"
