"""One request gets so much and no more, whichever list it asks for."""

import pytest

from builders.http import http_event
from tools.handlers import Operation

STAFF = {"sub": "anna", "cognito:groups": "[admin]"}
LOOK_FIRST = {"GET /admin/stock/{sku}/movements", "GET /admin/stock-counts/{id}/lines"}
"""They ask AWS whether the thing is there before they look at the limit (integration/test_stockroom_functions.py)."""


@pytest.mark.parametrize("limit", ["101", "1000", "99999", "0", "-1", "1e3", "٣"])
def test_no_list_answers_more_than_a_hundred_entries_at_once(limit: str, doors: list[Operation]) -> None:
    lists = [one for one in doors if "limit" in one.route.query and one.route.key not in LOOK_FIRST]
    assert len(lists) > 5

    for one in lists:
        event = http_event(one.route.key, claims=STAFF if one.route.auth != "public" else None)
        event |= {"queryStringParameters": {"limit": limit}, "pathParameters": {"id": "thing"}}
        answer = one.api.handler(event, None)
        assert (answer["statusCode"], "limit" in answer["body"]) == (400, True), one.route.key
