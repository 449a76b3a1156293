"""What a table lost is put back from one that was restored beside it, and what came since stays."""

from typing import Any

import pytest

from tools.restore_table import Restoration

MANY = 250
"""More than one page."""


def item(number: int, note: str = "as it was") -> dict[str, Any]:
    return {"pk": {"S": f"THING#{number}"}, "sk": {"S": "THING"}, "note": {"S": note}}


@pytest.fixture
def restoration(dynamodb: Any, tables: dict[str, str]) -> Restoration:
    """A present table that has nothing, and a restored one that has many items."""
    made = Restoration(dynamodb, tables["CARTS_TABLE"], tables["AUDIT_TABLE"])
    for number in range(MANY):
        dynamodb.put_item(TableName=made.restored, Item=item(number))
    return made


def present(restoration: Restoration) -> dict[str, str]:
    pages = restoration.client.get_paginator("scan").paginate(TableName=restoration.present)
    return {one["pk"]["S"]: one["note"]["S"] for page in pages for one in page["Items"]}


def test_all_that_is_missing_comes_back_once(restoration: Restoration) -> None:
    assert restoration.run(overwrite=False, dry=False) == {"missing": MANY, "written": MANY}
    assert restoration.run(overwrite=False, dry=False) == {"same": MANY}
    assert len(present(restoration)) == MANY


def test_asking_writes_nothing(restoration: Restoration) -> None:
    assert restoration.run(overwrite=True, dry=True) == {"missing": MANY}
    assert present(restoration) == {}


def test_what_moved_on_stays_unless_the_restored_one_is_right(restoration: Restoration) -> None:
    for moved in (item(1, "moved on"), item(MANY, "came since")):
        restoration.client.put_item(TableName=restoration.present, Item=moved)

    assert restoration.run(overwrite=False, dry=False) == {"missing": MANY - 1, "differing": 1, "written": MANY - 1}
    assert present(restoration)["THING#1"] == "moved on"

    assert restoration.run(overwrite=True, dry=False) == {"same": MANY - 1, "differing": 1, "written": 1}
    assert (present(restoration)["THING#1"], present(restoration)[f"THING#{MANY}"]) == ("as it was", "came since")


def test_an_order_whose_buyer_was_erased_since_never_gets_them_back(restoration: Restoration) -> None:
    erased = {**item(1, ""), "erased_at": {"S": "2026-11-26T22:00:00.000Z"}}
    restoration.client.put_item(TableName=restoration.present, Item=erased)

    assert restoration.run(overwrite=True, dry=False) == {"missing": MANY - 1, "erased": 1, "written": MANY - 1}
    assert present(restoration)["THING#1"] == ""


def test_a_payment_event_never_gets_the_note_back_that_went_with_its_buyer(restoration: Restoration) -> None:
    unsaid = {name: value for name, value in item(1).items() if name != "note"}
    restoration.client.put_item(TableName=restoration.present, Item=unsaid)

    assert restoration.run(overwrite=True, dry=False) == {"missing": MANY - 1, "erased": 1, "written": MANY - 1}
    assert restoration._known([item(1)]) == {("THING#1", "THING"): unsaid}


def test_what_comes_while_it_is_put_back_stays(restoration: Restoration, monkeypatch: pytest.MonkeyPatch) -> None:
    found_nothing: dict[tuple[str, str], Any] = {}
    monkeypatch.setattr(Restoration, "_known", lambda *_: found_nothing)
    restoration.client.put_item(TableName=restoration.present, Item=item(1, "came just now"))

    assert restoration.run(overwrite=True, dry=False) == {"missing": MANY, "written": MANY - 1}
    assert present(restoration)["THING#1"] == "came just now"
