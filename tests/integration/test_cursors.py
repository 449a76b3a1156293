"""Every list that is read in pages, asked to go on from where it never said: refused by name on every route."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders.catalog import NOW, draft, function, variant
from builders.http import http_event
from builders.office import Office
from commerce.adapters import wiring
from commerce.adapters.secrets import key_ring
from commerce.catalog import service
from commerce.identity.service import sign_cursor

CONTRACT = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text("utf-8"))
PAGED = {
    f"{method.upper()} {path}": operation["x-function"]
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if any(one["name"] == "cursor" for one in operation.get("parameters", ()))
}
"""The functions behind the routes with a parameter `cursor`."""
CALLER = {"sub": "ada", "cognito:groups": "[admin]"}


@pytest.fixture
def there(function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What stands in the paths: a SKU and a count, since these are looked for before the cursor is."""
    for workflow in ("STATE_MACHINE_ARN", "ERASURE_STATE_MACHINE_ARN"):
        monkeypatch.setenv(workflow, "arn:nobody starts it")
    mug = draft(variants=(variant("MUG"),))
    service.create_product(wiring.catalog(), mug, categories=(), actor="anna", now=NOW)
    opened = Office.of("admin_inventory").send("POST /admin/stock-counts", {"location": "main"})
    return {"sku": "MUG", "id": str(opened.body["count"]["id"])}


def forged() -> dict[str, str]:
    """Cursors that no list of this shop handed out, by what is wrong with them."""
    of_another_list = sign_cursor(key_ring(), "MUG", of="another list")
    content, _, signature = of_another_list.partition(".")
    return {
        "of another list": of_another_list,
        "changed": f"{content[:-1]}.{signature}",
        "not signed": f"{content}.",
        "signed by nobody": "e30.e30",
        "no cursor": "MUG",
        "empty": "",
    }


def refusals(handler: Any, send: Any) -> dict[str, tuple[int, bool]]:
    """How each of them is answered: the status, and whether the answer names the field."""
    answers = {name: handler(send(cursor), None) for name, cursor in forged().items()}
    return {name: (answer["statusCode"], '.cursor"' in answer["body"]) for name, answer in answers.items()}


def test_the_contract_has_lists_that_are_read_in_pages() -> None:
    assert len(PAGED) >= 11


@pytest.mark.parametrize("route", PAGED)
def test_a_cursor_that_no_list_handed_out_is_refused_by_name(route: str, there: dict[str, str]) -> None:
    handler = function(PAGED[route]).handler

    def asking(cursor: str | None) -> dict[str, Any]:
        query = {} if cursor is None else {"cursor": cursor}
        return {**http_event(route, claims=CALLER, **there), "queryStringParameters": query}

    assert handler(asking(None), None)["statusCode"] == 200
    assert refusals(handler, asking) == dict.fromkeys(forged(), (400, True))


def test_a_search_refuses_such_a_cursor_in_its_body(there: dict[str, str]) -> None:
    handler = function("catalog").handler

    def asking(cursor: str | None) -> dict[str, Any]:
        page = {} if cursor is None else {"cursor": cursor}
        return http_event("POST /catalog/search", {"query": "mug", "pagination": page})

    assert handler(asking(None), None)["statusCode"] == 200
    assert refusals(handler, asking) == dict.fromkeys(forged(), (400, True))
