"""The catalogue as storefronts and agents see it, judged by the protocol's own models."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from ucp_sdk.models.schemas.shopping.catalog_lookup import GetProductResponse, LookupResponse
from ucp_sdk.models.schemas.shopping.catalog_search import SearchResponse

from builders.catalog import NOW, draft, sized, variant
from builders.office import Answer, Office
from commerce.adapters import wiring
from commerce.catalog import service
from commerce.catalog.model import Category, Media, Product, ProductDraft
from commerce.inventory.service import set_stock

Send = Callable[..., Answer]


@pytest.fixture
def send(function_of_the_shop: None) -> Send:
    """Calls the catalogue's function: `send("GET /products", limit="5")`, `send("POST /catalog/search", {...})`."""
    catalog = Office.of("catalog", group=None)

    def call(
        route: str, body: Any = None, *, handle: str | None = None, headers: dict[str, str] | None = None, **query: str
    ) -> Answer:
        parameters: dict[str, Any] = {} if handle is None else {"handle": handle}
        return catalog.send(route, body, key=None, headers=headers, query=query, **parameters)

    return call


def sell(one: ProductDraft, units: int = 5) -> Product:
    """Makes a product, with its listings and stock."""
    catalog, inventory = wiring.catalog(), wiring.inventory()
    made = service.create_product(catalog, one, categories=one.categories, actor="anna", now=NOW)
    catalog.project(made.id, {category.slug: category.parent for category in catalog.categories()})
    for each in made.variants:
        set_stock(inventory, wiring.audit(), sku=each.sku, available=units, reason="test", actor="anna", now=NOW)
    return made


def archive(one: Product) -> None:
    service.archive_product(wiring.catalog(), one, actor="anna", now=NOW)


# pages for shops


def test_a_list_shows_published_products_with_prices_and_pictures(send: Send) -> None:
    made = sell(draft(media=(Media(url="/media/1/mug.svg", alt="A mug", width=400, height=400),)))
    sell(draft("Hidden", variants=(variant("HIDDEN"),), status="draft"))
    [listed] = send("GET /products").body["products"]
    assert listed["id"] == made.id
    assert listed["price_range"]["min"] == {"amount": 1900, "currency": "USD"}
    assert listed["media"][0]["url"] == "https://shop.example/media/1/mug.svg"


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_published_looks_like_what_is_not_there(send: Send, status: str) -> None:
    hidden = sell(draft("Hidden", variants=(variant("HIDDEN"),), status="draft" if status == "draft" else "active"))
    if status == "archived":
        archive(hidden)

    def told(route: str, body: Any = None, **more: Any) -> str:
        answer = send(route, body, **more)
        headers = {name: text for name, text in answer.headers.items() if not name.startswith("x-")}
        return json.dumps([answer.status, headers, answer.body])

    assert told("GET /products/{handle}", handle="hidden") == told("GET /products/{handle}", handle="nothing")
    for known, unknown in ((hidden.id, f"{hidden.id[:-1]}~"), ("HIDDEN", "NOTHING")):
        for route, body in (
            ("POST /catalog/product", lambda one: {"id": one}),
            ("POST /catalog/lookup", lambda one: {"ids": [one]}),
        ):
            assert told(route, body(known)).replace(known, "it") == told(route, body(unknown)).replace(unknown, "it")


def test_pages_follow_each_other_by_cursor(send: Send) -> None:
    for number in range(5):
        sell(draft(f"Mug {number}", variants=(variant(f"M{number}", price=number),)))
    titles: list[str] = []
    query = {"sort": "-price", "limit": "2"}
    while True:
        answer = send("GET /products", **query).body
        titles += [listed["title"] for listed in answer["products"]]
        if not answer["pagination"]["has_next_page"]:
            break
        query["cursor"] = answer["pagination"]["cursor"]
    assert titles == ["Mug 4", "Mug 3", "Mug 2", "Mug 1", "Mug 0"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"limit": "0"}, "$.limit"),
        ({"limit": "101"}, "$.limit"),
        ({"limit": "many"}, "$.limit"),
        ({"sort": "best"}, "$.sort"),
        ({"min_price": "-1"}, "$.min_price"),
        ({"max_price": "1.5"}, "$.max_price"),
        ({"max_price": "9" * 30}, "$.max_price"),
        ({"currency": "GBP"}, "$.currency"),
        ({"currency": "dollars"}, "$.currency"),
        ({"category": "No Slug"}, "$.category"),
        ({"cursor": "made up"}, "$.cursor"),
    ],
)
def test_a_query_that_cannot_be_right_is_refused_by_name(send: Send, query: dict[str, str], path: str) -> None:
    answer = send("GET /products", **query)
    assert (answer.status, answer.body["path"]) == (400, path)


def test_a_cursor_is_good_for_its_own_list_only(send: Send) -> None:
    for number in range(2):
        sell(draft(f"Mug {number}", variants=(variant(f"M{number}"),)))
    cursor = send("GET /products", limit="1").body["pagination"]["cursor"]
    assert send("GET /products", limit="1", cursor=cursor).status == 200
    assert send("GET /products", limit="1", sort="price", cursor=cursor).status == 400


def test_who_has_a_page_already_gets_no_second_copy(send: Send) -> None:
    sell(draft())
    pages = (("GET /products", None), ("GET /products/{handle}", "stoneware-mug"), ("GET /categories", None))
    for route, handle in pages:
        first = send(route, handle=handle)
        assert "max-age" in first.headers["cache-control"]
        again = send(route, handle=handle, headers={"if-none-match": first.headers["etag"]})
        assert (again.status, again.body) == (304, None)


def test_a_products_page_shows_everything_but_the_number_of_units(send: Send) -> None:
    sell(sized(vendor="Tern & Tide"), units=7)
    answer = send("GET /products/{handle}", handle="linen-shirt")
    assert answer.body["vendor"] == "Tern & Tide"
    assert [one["availability"]["status"] for one in answer.body["variants"]] == ["in_stock"] * 4
    assert answer.body["seo"]["title"] == "Linen Shirt"
    assert "7" not in json.dumps([one["availability"] for one in answer.body["variants"]])


def test_a_product_is_shown_in_the_currency_that_is_asked_for(send: Send) -> None:
    sell(draft(variants=(variant(eur=1700),)))
    answer = send("GET /products/{handle}", handle="stoneware-mug", currency="EUR")
    assert answer.body["variants"][0]["price"] == {"amount": 1700, "currency": "EUR"}
    assert send("GET /products/{handle}", handle="stoneware-mug", currency="GBP").status == 400


@pytest.mark.parametrize("handle", ["none", "x" * 5000, "ü", "HANDLE#x"])
def test_an_unknown_handle_is_not_found(send: Send, handle: str) -> None:
    assert send("GET /products/{handle}", handle=handle).status == 404


def test_what_is_archived_is_seen_nowhere_at_once_but_in_lists(send: Send) -> None:
    made = sell(draft())
    archive(made)
    assert send("GET /products/{handle}", handle="stoneware-mug").status == 404
    assert send("POST /catalog/search", {"query": "mug"}).body["products"] == []
    assert send("POST /catalog/lookup", {"ids": [made.id, "MUG"]}).body["products"] == []
    assert send("POST /catalog/product", {"id": "MUG"}).body["ucp"]["status"] == "error"


def test_categories_are_a_tree_in_the_order_of_their_positions(send: Send) -> None:
    for number, category in enumerate(
        (
            Category(slug="kitchen", title="Kitchen", position=2),
            Category(slug="home", title="Home", position=1),
            Category(slug="mugs", title="Mugs", parent="kitchen"),
        )
    ):
        service.put_category(wiring.catalog(), category, version=None, actor=f"anna {number}", now=NOW)
    assert send("GET /categories").body == {
        "categories": [
            {"slug": "home", "title": "Home", "children": []},
            {"slug": "kitchen", "title": "Kitchen", "children": [{"slug": "mugs", "title": "Mugs", "children": []}]},
        ]
    }


def test_the_profile_may_be_kept_by_everybody_for_a_while(send: Send) -> None:
    answer = send("GET /.well-known/ucp")
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert answer.body["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"] == "https://shop.example"


# the protocol


def test_a_search_answers_in_the_protocols_shape(send: Send) -> None:
    made = sell(sized(media=(Media(url="https://pictures.example/1.jpg"),)))
    answer = send("POST /catalog/search", {"query": "linen shirts", "context": {"currency": "USD"}})
    found = SearchResponse.model_validate(answer.body)
    assert [one.id for one in found.products] == [made.id]
    assert found.products[0].variants[0].id == "SHIRT-BLUE-S"
    assert found.pagination and found.pagination.has_next_page is False
    assert "messages" not in answer.body


def test_a_search_that_finds_nothing_is_no_error(send: Send) -> None:
    answer = send("POST /catalog/search", {"query": "unicorn"})
    assert (answer.status, answer.body["products"]) == (200, [])
    assert "messages" not in answer.body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": "  "},
        {"filters": {}},
        {"context": {"currency": "USD"}},
        {"query": "mug", "pagination": {"limit": 0}},
    ],
)
def test_a_search_for_nothing_at_all_is_refused(send: Send, body: dict[str, Any]) -> None:
    assert send("POST /catalog/search", body).status == 400


def test_a_search_pages_and_keeps_to_its_filters(send: Send) -> None:
    for number in range(4):
        sell(draft(f"Mug {number}", variants=(variant(f"M{number}", price=1000 * number),)))
    asked: dict[str, Any] = {"query": "mug", "filters": {"price": {"min": 1000}}, "pagination": {"limit": 2}}
    first = send("POST /catalog/search", asked).body
    asked["pagination"]["cursor"] = first["pagination"]["cursor"]
    second = send("POST /catalog/search", asked).body
    titles = {one["title"] for page in (first, second) for one in page["products"]}
    assert titles == {"Mug 1", "Mug 2", "Mug 3"}
    assert second["pagination"] == {"has_next_page": False}


def test_filters_alone_are_a_search_and_any_of_the_categories_will_do(send: Send) -> None:
    for slug in ("home", "garden", "desk"):
        service.put_category(wiring.catalog(), Category(slug=slug, title=slug), version=None, actor="a", now=NOW)
        sell(draft(f"A {slug} thing", variants=(variant(slug),), categories=(slug,)))
    one = send("POST /catalog/search", {"filters": {"categories": ["home"]}}).body["products"]
    two = send("POST /catalog/search", {"filters": {"categories": ["home", "desk"]}}).body["products"]
    none = send("POST /catalog/search", {"filters": {"categories": ["No such thing"]}}).body["products"]
    assert ([p["title"] for p in one], len(two), none) == (["A home thing"], 2, [])


def test_a_price_filter_in_a_foreign_currency_is_ignored_and_said_so(send: Send) -> None:
    sell(draft())
    asked = {"query": "mug", "context": {"currency": "JPY"}, "filters": {"price": {"max": 1}}}
    answer = send("POST /catalog/search", asked)
    found = SearchResponse.model_validate(answer.body)
    assert len(found.products) == 1
    assert answer.body["messages"][0]["code"] == "price_filter_ignored"
    assert found.products[0].price_range.min.currency == "USD"


def test_a_lookup_tells_which_identifier_led_where(send: Send) -> None:
    made = sell(sized())
    answer = send("POST /catalog/lookup", {"ids": ["SHIRT-WHITE-M", made.id, "SHIRT-WHITE-M", "NONE"]})
    [found] = LookupResponse.model_validate(answer.body).products
    inputs = {one.id: [(i.id, i.match) for i in one.inputs] for one in found.variants or []}
    assert inputs == {
        "SHIRT-WHITE-M": [("SHIRT-WHITE-M", "exact")],
        "SHIRT-BLUE-S": [(made.id, "featured")],
    }
    [message] = answer.body["messages"]
    assert (message["type"], message["code"], message["path"]) == ("info", "not_found", "$.ids[3]")


def test_a_lookup_features_a_variant_that_is_in_stock(send: Send) -> None:
    made = sell(sized(), units=0)
    set_stock(wiring.inventory(), wiring.audit(), sku="SHIRT-WHITE-S", available=1, reason="t", actor="a", now=NOW)
    answer = send("POST /catalog/lookup", {"ids": [made.id]})
    [shown] = answer.body["products"][0]["variants"]
    assert (shown["id"], shown["availability"]) == (
        "SHIRT-WHITE-S",
        {"available": True, "status": "in_stock", "low_stock": False},
    )


def test_a_lookup_keeps_to_its_filters(send: Send) -> None:
    sell(draft(variants=(variant(price=1900),)))
    asked = {"ids": ["MUG"], "filters": {"price": {"max": 100}}}
    assert send("POST /catalog/lookup", asked).body["products"] == []


def test_too_many_identifiers_are_refused_in_the_protocols_words(send: Send) -> None:
    answer = send("POST /catalog/lookup", {"ids": [f"ID-{number}" for number in range(51)]})
    assert (answer.status, answer.body["code"]) == (400, "request_too_large")


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": [""]}, {"ids": ["x" * 3000]}, {"ids": [7]}, {"ids": "MUG"}])
def test_a_lookup_without_identifiers_is_refused(send: Send, body: dict[str, Any]) -> None:
    assert send("POST /catalog/lookup", body).status == 400


def test_a_product_is_narrowed_down_by_what_is_selected(send: Send) -> None:
    sell(sized())
    asked = {"id": "SHIRT-BLUE-S", "selected": []}
    by_sku = GetProductResponse.model_validate(send("POST /catalog/product", asked).body).product
    assert by_sku.variants[0].id == "SHIRT-BLUE-S"
    made = wiring.catalog().by_sku("SHIRT-BLUE-S")
    asked = {"id": made.id, "selected": [{"name": "Colour", "label": "White"}]}
    answer = send("POST /catalog/product", asked)
    narrowed = GetProductResponse.model_validate(answer.body).product
    assert [one.id for one in narrowed.variants] == ["SHIRT-WHITE-S", "SHIRT-WHITE-M"]
    assert [(one.name, one.label) for one in narrowed.selected or []] == [("Colour", "White")]
    sizes = answer.body["product"]["options"][1]["values"]
    assert [(size["label"], size["exists"], size["available"]) for size in sizes] == [
        ("S", True, True),
        ("M", True, True),
    ]


def test_a_product_with_options_always_tells_what_is_selected(send: Send) -> None:
    made = sell(sized())
    product = send("POST /catalog/product", {"id": made.id}).body["product"]
    assert product["selected"] == [{"name": "Colour", "label": "Blue"}, {"name": "Size", "label": "S"}]


@pytest.mark.parametrize("identifier", ["NONE", "prod_none"])
def test_an_unknown_product_is_a_business_outcome(send: Send, identifier: str) -> None:
    answer = send("POST /catalog/product", {"id": identifier})
    assert (answer.status, answer.body["ucp"]["status"]) == (200, "error")
    assert answer.body["messages"][0]["code"] == "not_found"


def test_an_option_selected_twice_is_refused(send: Send) -> None:
    selected = [{"name": "Size", "label": "S"}, {"name": "Size", "label": "M"}]
    assert send("POST /catalog/product", {"id": "X", "selected": selected}).status == 400


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', '{"query": "\\ud800"}', '{"query": 7}'])
@pytest.mark.parametrize("route", ["search", "lookup", "product"])
def test_what_cannot_be_read_is_refused(send: Send, route: str, body: str) -> None:
    assert send(f"POST /catalog/{route}", body).status == 400
