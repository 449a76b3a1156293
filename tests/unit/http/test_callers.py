"""Functions ask again who calls, whatever API Gateway let through: what the token is for, and its owner's groups."""

import json
from typing import Any

import pytest

from builders.doors import DOORS
from builders.http import http_event
from tools.handlers import Operation

GROUPS = ("catalogue", "warehouse", "support", "admin")


def status(one: Operation, claims: dict[str, Any] | None) -> int:
    event = http_event(one.route.key, b"[", claims=claims)
    event["pathParameters"] = dict.fromkeys(("id", "sku", "slug"), "thing")
    return one.api.handler(event, None)["statusCode"]


@pytest.mark.parametrize("use", ["refresh", "", "ACCESS", None])
def test_a_token_for_something_else_speaks_for_nobody(use: str | None, doors: list[Operation]) -> None:
    guarded = [one for one in doors if one.route.auth in ("staff", "customer")]
    assert len(guarded) > 40
    for one in guarded:
        assert status(one, {"sub": "eve", "cognito:groups": "[admin]", "token_use": use}) == 401
        assert status(one, None) == 401


@pytest.mark.parametrize("group", [*GROUPS, "admins", "Admin", "catalogue-admin", "not,admin", "[admin"])
def test_a_group_does_its_own_work_and_no_other(group: str, doors: list[Operation]) -> None:
    for one in (one for one in doors if one.route.auth == "staff"):
        allowed = group == "admin" or group in DOORS[one.route.key]
        for claim in (f"[{group}]", [group], f"[guests {group}]"):
            assert (status(one, {"sub": "anna", "cognito:groups": claim}) != 403) is allowed, json.dumps(claim)
