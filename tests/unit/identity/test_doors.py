"""The contract lets through each door whom it should, and nobody else."""

import json
from pathlib import Path
from typing import Any

from builders.doors import DOORS, Door

CONTRACT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text("utf-8"))


def declared(operation: dict[str, Any]) -> Door:
    """Whom the contract lets through."""
    if operation["x-auth"] == "staff":
        return tuple(group for group in operation["x-groups"] if group != "admin")
    if operation["x-auth"] == "public":
        return "guest" if {"customer": []} in operation["security"] else "open"
    return operation["x-auth"]


def test_every_route_lets_in_whom_it_should():
    assert {
        f"{method.upper()} {path}": declared(operation)
        for path, item in CONTRACT["paths"].items()
        for method, operation in item.items()
    } == DOORS


def test_an_admin_gets_through_every_door_of_staff():
    of_staff = [one for item in CONTRACT["paths"].values() for one in item.values() if one["x-auth"] == "staff"]
    assert [one["operationId"] for one in of_staff if "admin" not in one["x-groups"]] == []
