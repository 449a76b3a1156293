"""The catalogue as staff change it: versions, problems that name the field, and a trail of every write."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from builders.catalog import draft, sized, variant
from builders.office import Answer, Office
from commerce.adapters import wiring
from commerce.catalog.model import Description

Send = Callable[..., Answer]


@pytest.fixture
def send(function_of_the_shop: None) -> Send:
    """What staff of the catalogue are answered. They send no idempotency keys."""
    return partial(Office.of("admin_catalog", group="catalogue").send, key=None)


def content(**fields: Any) -> dict[str, Any]:
    """A product as staff send it."""
    sent: dict[str, Any] = draft().model_dump(mode="json", exclude_none=True)
    return {**sent, **fields}


def created(send: Send, **fields: Any) -> str:
    made = send("POST /admin/products", content(**fields))
    assert made.status == 201, made.text
    return made.id


def test_a_product_is_made_shown_changed_and_its_version_grows(send: Send) -> None:
    product_id = created(send)
    shown = send("GET /admin/products/{id}", id=product_id)
    assert (shown.status, shown.etag) == (200, '"1"')
    changed = send("PUT /admin/products/{id}", content(title="Other"), match='"1"', id=product_id)
    assert (changed.status, changed.etag) == (200, '"2"')
    assert (changed.body["title"], changed.body["handle"]) == ("Other", "stoneware-mug")


@pytest.mark.parametrize(("match", "status"), [(None, 428), ('"7"', 412), ("*", 412), ("1", 412)])
def test_a_change_must_say_which_version_it_changes(send: Send, match: str | None, status: int) -> None:
    product_id = created(send)
    assert send("PUT /admin/products/{id}", content(title="Other"), match=match, id=product_id).status == status
    assert wiring.catalog().get(product_id).title == "Stoneware Mug"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": ""}, "$.title"),
        ({"variants": []}, "$.variants"),
        ({"variants": [{"sku": "A B", "prices": {"USD": 1}}]}, "$.variants[0].sku"),
        ({"variants": [{"sku": "A", "prices": {"USD": -1}}]}, "$.variants[0].prices.USD"),
        ({"variants": [{"sku": "A", "prices": {"USD": 19.99}}]}, "$.variants[0].prices.USD"),
        ({"variants": [{"sku": "A", "prices": {"USD": 1}}] * 2}, "$.variants[1].sku"),
        ({"categories": ["nowhere"]}, "$.categories[0]"),
        ({"handle": "Not A Handle"}, "$.handle"),
        ({"status": "sleeping"}, "$.status"),
        ({"colour": "red"}, "$.colour"),
        ({"media": [{"url": "javascript:alert(1)"}]}, "$.media[0].url"),
    ],
)
def test_a_problem_names_the_field_and_nothing_is_made(send: Send, fields: dict[str, Any], path: str) -> None:
    refused = send("POST /admin/products", content(**fields))
    assert (refused.status, refused.faults[0]) == (400, path)
    assert refused.headers["content-type"] == "application/problem+json"
    assert wiring.catalog().handles(["stoneware-mug"]) == {}


def test_a_taken_handle_and_a_taken_sku_are_conflicts(send: Send) -> None:
    created(send)
    assert send("POST /admin/products", content()).faults[0] == "$.handle"
    refused = send("POST /admin/products", content(handle="other"))
    assert (refused.status, refused.faults[0]) == (409, "$.variants[0].sku")


def test_archiving_can_be_undone_and_done_twice(send: Send) -> None:
    product_id = created(send)
    for _ in range(2):
        archived = send("POST /admin/products/{id}/archive", id=product_id)
        assert (archived.status, archived.etag, archived.body["status"]) == (200, '"2"', "archived")
    assert not wiring.catalog().offers(["MUG"])["MUG"].published
    assert send("POST /admin/products/{id}/publish", match='"1"', id=product_id).status == 412
    published = send("POST /admin/products/{id}/publish", match='"2"', id=product_id).body
    assert (published["status"], published["version"]) == ("active", 3)
    assert wiring.catalog().offers(["MUG"])["MUG"].published


def test_every_write_is_in_the_trail_with_who_and_what(send: Send) -> None:
    product_id = created(send)
    send("PUT /admin/products/{id}", content(vendor="Fieldware"), match='"1"', id=product_id)
    send("POST /admin/products/{id}/archive", id=product_id)
    entries = send("GET /admin/products/{id}/audit", id=product_id).body["entries"]
    assert [entry["action"] for entry in entries] == ["product.archived", "product.changed", "product.created"]
    assert {entry["actor"] for entry in entries} == {"catalogue-1"}
    assert (entries[1]["before"]["vendor"], entries[1]["after"]["vendor"]) == ("", "Fieldware")


def test_staff_find_products_by_state_handle_and_sku(send: Send) -> None:
    shown = created(send)
    hidden = created(send, title="Draft", status="draft", variants=[{"sku": "D", "prices": {"USD": 1}}])
    for product_id in (shown, hidden):
        wiring.catalog().project(product_id, {})

    def listed(**query: str) -> list[str]:
        return [entry["product_id"] for entry in send("GET /admin/products", query=query).body["products"]]

    assert set(listed()) == {shown, hidden}
    assert listed(status="draft") == [hidden]
    assert listed(handle="stoneware-mug") == [shown]
    assert listed(sku="D") == [hidden]
    assert listed(sku="NONE") == listed(handle="none") == []
    first = send("GET /admin/products", query={"limit": "1"}).body
    second = send("GET /admin/products", query={"limit": "1", "cursor": first["pagination"]["cursor"]}).body
    assert {first["products"][0]["product_id"], second["products"][0]["product_id"]} == {shown, hidden}
    assert send("GET /admin/products", query={"status": "sleeping"}).status == 400


def test_categories_are_made_and_changed_with_their_version(send: Send) -> None:
    route, kitchen = "PUT /admin/categories/{slug}", {"title": "Kitchen"}
    assert send(route, kitchen, slug="kitchen").status == 201
    assert send(route, {"title": "Cooking"}, slug="kitchen").status == 412
    changed = send(route, {"title": "Cooking"}, match='"1"', slug="kitchen")
    assert (changed.status, changed.etag) == (200, '"2"')
    assert send("GET /admin/categories/{slug}", slug="kitchen").body["title"] == "Cooking"
    assert send(route, kitchen, slug="Not A Slug").status == 400
    assert send(route, {"title": "Mugs", "parent": "nowhere"}, slug="mugs").faults[0] == "$.parent"
    assert send("GET /admin/categories/{slug}", slug="none").status == 404


@pytest.mark.parametrize(("group", "status"), [(None, 401), ("warehouse", 403)])
def test_only_the_catalogues_staff_may(send: Send, group: str | None, status: int) -> None:
    assert send("POST /admin/products", content(), group=group).status == status


@pytest.mark.parametrize("product_id", ["prod_none", "x" * 3000])
def test_an_unknown_product_is_not_found(send: Send, product_id: str) -> None:
    assert send("GET /admin/products/{id}", id=product_id).status == 404


def test_a_large_product_fits_and_one_that_is_too_large_is_refused(send: Send) -> None:
    large = sized(sizes=tuple(f"{number}" for number in range(45)), description=Description(plain="word " * 4000))
    product_id = created(send, **large.model_dump(mode="json", exclude_none=True))
    assert len(wiring.catalog().get(product_id).variants) == 90
    too_many = [variant(f"T{n}").model_dump(mode="json", exclude_none=True) for n in range(91)]
    assert send("POST /admin/products", content(variants=too_many)).status == 400
