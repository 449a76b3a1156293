"""The contract: made from the handlers alone, the same every time, and a page that shows all of it."""

import json
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pydantic import Field

from commerce.adapters.http import Api, cacheable, versioned
from commerce.model import Model, OpenModel
from tools.api_page import curl, limits_of, page, type_of
from tools.handlers import Operation
from tools.openapi import contract

ROOT = Path(__file__).resolve().parents[3]


class Wish(OpenModel):
    """What somebody wants."""

    sku: str
    """The variant that is wanted."""
    quantity: int = Field(ge=1, le=999)
    note: str | None = None


class Granted(Model):
    """What somebody gets."""

    id: str
    wishes: tuple[Wish, ...]


def a_contract(api, function="wishes"):
    return contract([Operation(function, api, route) for route in api.routes.values()])


def a_shop():
    """An API with one operation of each sort."""
    shop = Api("storefront", verify=lambda token: None)

    @shop.post("/carts/{id}", body=Wish, answers=Granted, status=201, idempotency="required")
    def make_wish(request):
        """Makes a wish.

        It may come true.
        """

    @shop.get("/products", answers=Granted, query={"cursor": "Where the last page ended."})
    def list_wishes(request):
        """Lists wishes."""
        return cacheable(request, None)

    return shop


def a_back_office():
    office = Api("admin")

    @office.put("/admin/products/{id}", body=Wish, answers=Granted, groups=("catalogue",))
    def change_wish(request):
        """Changes a wish."""
        return versioned(None, request.expected_version())

    return office


def the(document, method, path):
    return document["paths"][path][method]


def test_an_operation_says_what_its_handler_declares():
    made = the(a_contract(a_shop()), "post", "/carts/{id}")

    assert made["operationId"] == "make_wish"
    assert made["summary"] == "Makes a wish."
    assert made["description"] == "It may come true."
    assert made["x-function"] == "wishes"
    assert made["x-auth"] == "public"
    assert made["tags"] == ["Carts"]
    assert made["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Wish"}
    assert made["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Granted"}


def test_paths_queries_and_keys_are_parameters():
    document = a_contract(a_shop())

    made = {one["name"]: one for one in the(document, "post", "/carts/{id}")["parameters"]}
    listed = {one["name"]: one for one in the(document, "get", "/products")["parameters"]}
    assert made["id"]["in"] == "path"
    assert made["Idempotency-Key"]["required"]
    assert listed["cursor"]["description"] == "Where the last page ended."
    assert "If-None-Match" in listed


def test_guests_and_signed_in_buyers_share_public_routes():
    assert the(a_contract(a_shop()), "get", "/products")["security"] == [{}, {"customer": []}]


def test_an_operation_that_knows_nobody_takes_no_token():
    pages = Api("storefront")
    pages.get("/docs")(lambda request: None)

    assert the(a_contract(pages), "get", "/docs")["security"] == []


def test_a_change_by_staff_needs_a_group_and_a_version():
    document = a_contract(a_back_office())
    changed = the(document, "put", "/admin/products/{id}")

    assert changed["x-auth"] == "staff"
    assert changed["x-groups"] == ["catalogue", "admin"]
    assert changed["security"] == [{"staff": []}]
    assert "If-Match" in {one["name"] for one in changed["parameters"]}
    assert {"401", "403", "404", "409", "412", "413", "428", "503"} <= set(changed["responses"])
    fault = document["components"]["responses"]["Problem412"]
    assert list(fault["content"]) == ["application/problem+json"]


def test_storefront_faults_have_the_protocols_shape():
    document = a_contract(a_shop())

    assert the(document, "post", "/carts/{id}")["responses"]["409"] == {"$ref": "#/components/responses/Fault409"}
    assert "412" not in the(document, "post", "/carts/{id}")["responses"]
    assert document["components"]["responses"]["Fault409"]["content"]["application/json"]


def test_the_sentences_under_fields_become_descriptions():
    wish = a_contract(a_shop())["components"]["schemas"]["Wish"]

    assert wish["properties"]["sku"]["description"] == "The variant that is wanted."
    assert wish["description"] == "What somebody wants."


def test_every_reference_leads_somewhere():
    document = a_contract(a_shop())

    for reference in _references(document):
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_the_same_operations_make_the_same_document_in_any_order():
    apis = (a_shop(), a_back_office())
    operations = [Operation("wishes", api, route) for api in apis for route in api.routes.values()]

    assert json.dumps(contract(operations)) == json.dumps(contract(operations[::-1]))


def test_two_functions_may_not_serve_one_route():
    shop = a_shop()
    twice = [Operation(name, shop, route) for name in ("one", "two") for route in shop.routes.values()]

    with pytest.raises(SystemExit, match="declared by"):
        contract(twice)


def test_the_page_shows_every_operation_and_leads_nowhere_else():
    seen = _Page(page(a_contract(a_shop())))

    assert {"make_wish", "list_wishes", "schema-Wish", "schema-Granted", "schema-Fault"} <= seen.ids
    assert seen.open == []
    assert not seen.scripts
    for link in seen.links:
        assert link == "openapi.json" or link.removeprefix("#") in seen.ids


def test_a_curl_line_can_be_pasted():
    shop = a_shop()
    wish = {"sku": "MUG-SAGE", "quantity": 1, "note": "for Ada's birthday"}
    found = [Operation("wishes", shop, route) for route in shop.routes.values()]

    line = curl("POST", "/carts/{id}", the(contract(found, {"make_wish": wish}), "post", "/carts/{id}"))

    assert line.startswith('curl -X POST "$SHOP/carts/$ID"')
    assert "Idempotency-Key: $(date +%s)" in line
    assert json.loads(shlex.split(line)[-1]) == wish


def test_types_and_limits_are_told_in_words():
    wish = a_contract(a_shop())["components"]["schemas"]["Wish"]["properties"]

    assert type_of(wish["note"]) == "string"
    assert limits_of(wish["quantity"]) == "at least 1, at most 999"


def test_the_documents_are_what_the_handlers_declare():
    checked = subprocess.run(
        [sys.executable, "-m", "tools.openapi", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "layers/commerce/python"},
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def _references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


class _Page(HTMLParser):
    """The ids, links and scripts of a page, and what was left open."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html):
        super().__init__()
        self.ids = set()
        self.links = []
        self.scripts = []
        self.open = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        given = dict(attributes)
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "a":
            self.links.append(given["href"])
        if tag == "script":
            self.scripts.append(given)

    def handle_endtag(self, tag):
        if tag != "p" or "p" in self.open:
            assert self.open.pop() == tag
