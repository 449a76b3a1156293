"""What staff do with stock, as API Gateway calls the function, on a real data engine."""

import pytest

from builders.office import Office
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
    ("changes", "path"),
    [
        ({"quantity": 0}, "$.quantity"),
        ({"quantity": 1.5}, "$.quantity"),
        ({"quantity": 8}, "$.quantity"),
        ({"origin": "the moon"}, "$.origin"),
        ({"destination": "main"}, "$.destination"),
        ({"reason": ""}, "$.reason"),
    ],
    ids=["nothing", "half a unit", "more than is there", "no such place", "where it is", "no reason"],
)
def test_a_transfer_that_cannot_be_names_its_field(office: Office, changes: dict[str, object], path: str) -> None:
    office.send(ADJUST, {"quantity": 7, "reason": "delivery"}, sku="MUG")
    moved = {"quantity": 4, "origin": "main", "destination": "annex", "reason": "for the shop window", **changes}

    refused = office.send(TRANSFER, moved, sku="MUG")

    assert (refused.status in (400, 409), refused.faults) == (True, [path])
    assert wiring.inventory().stock("MUG", "main").available == 7


def test_support_may_not_transfer(office: Office) -> None:
    moved = {"quantity": 1, "origin": "main", "destination": "annex", "reason": "?"}

    assert office.send(TRANSFER, moved, group="support", sku="MUG").status == 403
