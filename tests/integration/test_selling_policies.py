"""Staff decide how a SKU may be sold: versions, problems that name the field, a trail, and what buyers see of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders.catalog import product, sized
from builders.office import Answer, Office
from commerce.adapters import wiring
from commerce.clock import now

SKU = "SHIRT-BLUE-M"
Send = Callable[..., Answer]
BACKORDER = {"mode": "backorder", "cap": 20, "expected_on": "2099-12-24"}


@pytest.fixture
def send(function_of_the_shop: None) -> Send:
    wiring.catalog().save(None, product(draft=sized()), actor="anna", action="created", now=now())
    office = Office.of("admin_inventory", group="catalogue")

    def call(method: str, body: Any = None, *, sku: str = SKU, **more: Any) -> Answer:
        return office.send(f"{method} /admin/stock/{{sku}}/policy", body, key=None, sku=sku, **more)

    return call


def test_a_sku_is_sold_from_the_shelf_until_staff_decide(send: Send) -> None:
    answer = send("GET")

    assert (answer.status, answer.etag) == (200, '"0"')
    assert answer.body == {"sku": SKU, "version": 0, "mode": "deny", "cap": 0}


def test_a_policy_is_set_shown_and_set_anew_by_its_version(send: Send) -> None:
    first = send("PUT", BACKORDER, match='"0"')
    assert (first.status, first.etag, first.body["location"]) == (200, '"1"', "main")
    assert send("GET").body == first.body

    anew = send("PUT", {"purchase_limit": 2, "low_stock": 9}, match='"1"')
    assert (anew.status, anew.etag) == (200, '"2"')


@pytest.mark.parametrize(("match", "status"), [(None, 428), ('"7"', 412), ("1", 412)])
def test_a_policy_is_changed_only_as_it_was_read(send: Send, match: str | None, status: int) -> None:
    assert send("PUT", BACKORDER, match=match).status == status
    assert send("GET").etag == '"0"'


@pytest.mark.parametrize(
    ("path", "terms"),
    [
        ("$.mode", {"mode": "sometimes"}),
        ("$.cap", {"mode": "backorder", "cap": -1}),
        ("$.cap", {"mode": "backorder", "cap": "many"}),
        ("$.cap", {"mode": "backorder"}),
        ("$.expected_on", {"mode": "preorder", "cap": 5}),
        ("$.expected_on", {"mode": "preorder", "cap": 5, "expected_on": "soon"}),
        ("$.expected_on", {"mode": "preorder", "cap": 5, "expected_on": "2020-01-01"}),
        ("$.location", {"mode": "backorder", "cap": 5, "location": "the moon"}),
        ("$.purchase_limit", {"purchase_limit": 0}),
        ("$.low_stock", {"low_stock": -1}),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_field_and_change_nothing(
    send: Send, path: str, terms: dict[str, Any]
) -> None:
    refused = send("PUT", terms, match='"0"')

    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")
    assert refused.faults == [path]
    assert send("GET").etag == '"0"'


def test_a_sku_that_the_catalogue_lacks_has_no_policy(send: Send) -> None:
    assert send("GET", sku="NOTHING").status == 404
    assert send("PUT", BACKORDER, match='"0"', sku="NOTHING").status == 404


def test_the_warehouse_reads_policies_and_does_not_make_them(send: Send) -> None:
    assert send("GET", group="warehouse").status == 200
    assert send("PUT", BACKORDER, match='"0"', group="warehouse").status == 403


def test_who_changed_a_policy_is_on_record(send: Send, dynamodb: Any, tables: dict[str, str]) -> None:
    send("PUT", BACKORDER, match='"0"')

    entries = dynamodb.scan(TableName=tables["AUDIT_TABLE"])["Items"]
    [entry] = [one for one in entries if one["pk"]["S"] == f"stock#{SKU}"]
    assert (entry["actor"]["S"], entry["action"]["S"]) == ("catalogue-1", "policy.changed")
    assert entry["after"]["M"]["cap"] == {"N": "20"}


def test_what_is_sold_ahead_may_arrive_at_another_location_from_now_on(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = replace(wiring.inventory(), locations=("main", "annex"))
    monkeypatch.setattr(wiring, "inventory", lambda: two)
    assert send("PUT", BACKORDER, match='"0"').body["location"] == "main"

    moved = send("PUT", {**BACKORDER, "location": "annex"}, match='"1"')

    assert (moved.status, moved.body["location"]) == (200, "annex")
