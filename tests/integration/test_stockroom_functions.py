"""What staff do with stock, as API Gateway calls the function, on a real data engine."""

import pytest

from builders.office import Answer, Office
from builders.orders import FakeCatalog
from builders.pricing import settings
from commerce.adapters import wiring
from commerce.settings import Location


@pytest.fixture
def office(function_of_the_shop: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The function, for a shop with two locations whose catalogue has every SKU."""
    two = settings(locations=(Location(id="main"), Location(id="annex")))
    monkeypatch.setenv("SETTINGS", two.model_dump_json())
    catalog = FakeCatalog()
    monkeypatch.setattr(wiring, "catalog", lambda: catalog)
    return Office.of("admin_inventory")


ADJUST = "POST /admin/stock/{sku}/adjustments"
TRANSFER = "POST /admin/stock/{sku}/transfers"


def test_goods_are_transferred_and_the_ledger_says_by_whom(office: Office) -> None:
    office.send(ADJUST, {"quantity": 7, "reason": "delivery"}, sku="MUG")
    moved = {"quantity": 4, "origin": "main", "destination": "annex", "reason": "for the shop window"}

    answers = {office.send(TRANSFER, moved, key="once", sku="MUG").text for _ in range(2)}

    assert len(answers) == 1
    shown = office.send("GET /admin/stock/{sku}", sku="MUG").body["locations"]
    assert [(place["location"], place["on_hand"]) for place in shown] == [("main", 3), ("annex", 4)]
    ledger = office.send("GET /admin/stock/{sku}/movements", sku="MUG").body["movements"]
    moves = [(one["location"], one["on_hand"]) for one in ledger if one["kind"] == "transferred"]
    assert sorted(moves) == [("annex", 4), ("main", -4)]
    assert {one["actor"] for one in ledger} == {"warehouse-1"}


@pytest.mark.parametrize(
    ("changes", "status", "path"),
    [
        ({"quantity": 0}, 400, "$.quantity"),
        ({"quantity": 1.5}, 400, "$.quantity"),
        ({"quantity": 8}, 409, "$.quantity"),
        ({"origin": "the moon"}, 400, "$.origin"),
        ({"destination": "main"}, 400, "$.destination"),
        ({"reason": ""}, 400, "$.reason"),
    ],
    ids=["nothing", "half a unit", "more than is there", "no such place", "where it is", "no reason"],
)
def test_a_transfer_that_cannot_be_names_its_field(
    office: Office, changes: dict[str, object], status: int, path: str
) -> None:
    office.send(ADJUST, {"quantity": 7, "reason": "delivery"}, sku="MUG")
    moved = {"quantity": 4, "origin": "main", "destination": "annex", "reason": "for the shop window", **changes}

    refused = office.send(TRANSFER, moved, sku="MUG")

    assert (refused.status, refused.faults) == (status, [path])
    assert wiring.inventory().stock("MUG", "main").available == 7


def test_support_may_not_transfer(office: Office) -> None:
    moved = {"quantity": 1, "origin": "main", "destination": "annex", "reason": "?"}

    assert office.send(TRANSFER, moved, group="support", sku="MUG").status == 403


COUNTS = "POST /admin/stock-counts"


def opened(office: Office, *skus: str) -> str:
    answer = office.send(COUNTS, {"location": "main", "skus": list(skus)})
    assert answer.status == 201
    return str(answer.body["count"]["id"])


def step(office: Office, name: str, count_id: str, body: object = None, **more: str) -> Answer:
    return office.send(f"POST /admin/stock-counts/{{id}}/{name}", body or {}, id=count_id, **more)


def test_a_count_goes_from_the_shelf_into_the_books(office: Office) -> None:
    office.send(ADJUST, {"quantity": 7, "reason": "delivery"}, sku="MUG")
    count_id = opened(office, "MUG", "HAT")
    entered = step(office, "entries", count_id, {"entries": [{"sku": "MUG", "counted": 5}]})
    [line] = entered.body["lines"]
    assert (line["on_hand"], line["counted"], line["variance"]) == (7, 5, -2)

    early = step(office, "approve", count_id, match='"2"')
    assert (early.status, early.body["code"]) == (409, "conflict")
    assert office.send("GET /admin/stock-counts/{id}", id=count_id).body["missing"] == ["HAT"]
    step(office, "entries", count_id, {"entries": [{"sku": "HAT", "counted": 0}]})
    shown = office.send("GET /admin/stock-counts/{id}", id=count_id)
    assert step(office, "approve", count_id).status == 428
    assert step(office, "approve", count_id, match='"1"').status == 412
    assert step(office, "approve", count_id, match=shown.etag).body["count"]["status"] == "approved"
    posted = step(office, "post", count_id)

    assert (posted.body["count"]["status"], posted.body["figures"]["adjusted"]) == ("posted", 1)
    assert wiring.inventory().stock("MUG", "main").on_hand == 5
    lines = office.send("GET /admin/stock-counts/{id}/lines", query={"limit": "1"}, id=count_id)
    assert [one["sku"] for one in lines.body["lines"]] == ["HAT"]
    query = {"limit": "1", "cursor": lines.body["cursor"]}
    rest = office.send("GET /admin/stock-counts/{id}/lines", query=query, id=count_id)
    assert [(one["sku"], one["outcome"], one["posted"]) for one in rest.body["lines"]] == [("MUG", "adjusted", -2)]


@pytest.mark.parametrize("limit", ["101", "1000", "0", "-1", "1e3", "٣"])
def test_movements_and_lines_of_counts_come_a_hundred_at_once_at_most(office: Office, limit: str) -> None:
    """unit/http/test_limits.py leaves these two out: they look first whether the thing is there."""
    lists = {
        "GET /admin/stock/{sku}/movements": {"sku": "MUG"},
        "GET /admin/stock-counts/{id}/lines": {"id": opened(office)},
    }

    for route, thing in lists.items():
        assert office.send(route, query={"limit": "100"}, **thing).status == 200
        refused = office.send(route, query={"limit": limit}, **thing)
        assert (refused.status, refused.faults) == (400, ["$.limit"]), route


def test_a_count_opened_again_with_its_key_is_the_same(office: Office) -> None:
    body = {"location": "main"}

    assert office.send(COUNTS, body, key="once").text == office.send(COUNTS, body, key="once").text


def test_counts_are_found_by_their_status(office: Office) -> None:
    kept, canceled = opened(office), opened(office)
    step(office, "cancel", canceled)

    for status, found in (("open", kept), ("canceled", canceled)):
        listed = office.send("GET /admin/stock-counts", query={"status": status}).body["counts"]
        assert [count["id"] for count in listed] == [found]


@pytest.mark.parametrize(
    ("route", "body", "path"),
    [
        (COUNTS, {"location": "the moon"}, "$.location"),
        (COUNTS, {"location": "main", "skus": ["MUG", "MUG"]}, "$.skus[1]"),
        (COUNTS, {"location": "main", "skus": ["MUG"] * 501}, "$.skus"),
        ("POST /admin/stock-counts/{id}/entries", {"entries": []}, "$.entries"),
        (
            "POST /admin/stock-counts/{id}/entries",
            {"entries": [{"sku": "MUG", "counted": -1}]},
            "$.entries[0].counted",
        ),
        ("POST /admin/stock-counts/{id}/entries", {"entries": [{"sku": "HAT", "counted": 1}]}, "$.entries[0].sku"),
    ],
)
def test_what_a_count_cannot_take_names_its_field(office: Office, route: str, body: object, path: str) -> None:
    parameters = {"id": opened(office, "MUG")} if "{id}" in route else {}

    refused = office.send(route, body, **parameters)

    assert (refused.status, refused.faults) == (400, [path])


def test_a_count_that_is_nowhere_is_not_found(office: Office) -> None:
    assert office.send("GET /admin/stock-counts/{id}", id="count_unknown").status == 404
    assert step(office, "post", "count_unknown").status == 404
