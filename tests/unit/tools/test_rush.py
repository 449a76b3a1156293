"""`make rush` notices an order too many, a charge too many, a unit too few, and any answer that is neither."""

from typing import Any

import pytest

from tools.rush.crowd import Rush


def rush(**changes: Any) -> Rush:
    """Three buyers for two units."""
    sound: dict[str, Any] = {
        "name": "all pay together",
        "buyers": 3,
        "units": 2,
        "outcomes": {"order": 2, "sold out": 1},
        "charges": 2,
        "left": 0,
        "seconds": 1.0,
    }
    return Rush(**sound | changes)


def test_a_sale_of_what_is_there_has_no_fault():
    assert rush().faults == []
    assert rush(buyers=1, outcomes={"order": 1}, charges=1, left=1).faults == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"outcomes": {"order": 3}}, "the answers are"),
        ({"outcomes": {"order": 2, "HTTP 500": 1}}, "HTTP 500"),
        ({"outcomes": {"order": 2, "sold out": 1, "incomplete []": 1}}, "incomplete"),
        ({"charges": 3}, "3 charges, not 2"),
        ({"left": -1}, "-1 units are left, not 0"),
    ],
)
def test_what_is_wrong_is_said(changes, told):
    [fault] = rush(**changes).faults
    assert told in fault
