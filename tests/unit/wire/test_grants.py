"""Which grants a request needs, and a role without some of them."""

import json
from typing import Any

import pytest

from tools.wire.grants import Grant, Role, needed
from tools.wire.line import Call

TABLES = "arn:aws:dynamodb:us-east-1:000000000000:table/"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:orders"


def grant(action: str, resource: str) -> Grant:
    return Grant("ship_order", action, resource)


GRANTS = (
    *(grant(f"dynamodb:{one}", f"{TABLES}orders") for one in ("GetItem", "PutItem", "UpdateItem", "Query")),
    grant("dynamodb:PutItem", f"{TABLES}outbox"),
    grant("dynamodb:Query", f"{TABLES}orders/index/by_status"),
    grant("states:SendTaskSuccess", MACHINE),
)
ROLE = Role("ship_order", "role", "policy", GRANTS)


def call(service: str, operation: str, body: dict[str, Any]) -> Call:
    return Call("ship_order", service, operation, 1, 200, "", json.dumps(body))


@pytest.mark.parametrize(
    ("service", "operation", "body", "wanted"),
    [
        ("dynamodb", "GetItem", {"TableName": "orders"}, {("dynamodb:GetItem", "table/orders")}),
        ("dynamodb", "Query", {"TableName": "orders"}, {("dynamodb:Query", "table/orders")}),
        (
            "dynamodb",
            "Query",
            {"TableName": "orders", "IndexName": "by_status"},
            {("dynamodb:Query", "table/orders/index/by_status")},
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Update": {"TableName": "orders"}}, {"Put": {"TableName": "outbox"}}]},
            {("dynamodb:UpdateItem", "table/orders"), ("dynamodb:PutItem", "table/outbox")},
        ),
        ("stepfunctions", "SendTaskSuccess", {"taskToken": "any"}, {("states:SendTaskSuccess", "orders")}),
    ],
)
def test_a_request_needs_what_iam_asks_for(service: str, operation: str, body: dict[str, Any], wanted: set) -> None:
    assert {(one.action, one.on) for one in needed(call(service, operation, body), ROLE)} == wanted


def test_what_is_not_granted_cannot_have_been_asked() -> None:
    with pytest.raises(LookupError, match="DeleteItem"):
        list(needed(call("dynamodb", "DeleteItem", {"TableName": "orders"}), ROLE))


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (f"{TABLES}tradepost-local-data-OrdersTable315BB997-4D34CB727FC97", "table/orders"),
        (f"{TABLES}shop-prod-data-OrdersTable315BB997-1A2B3C/index/by_status", "table/orders/index/by_status"),
        ("arn:aws:secretsmanager:us-east-1:0:secret:tradepost-local-data-PaymentSecret-CF7B-0fdb65", "secret/payment"),
        ("arn:aws:sqs:us-east-1:0:tradepost-local-events-OutboxParked02D08B6A-C0BFEBEB94BF4", "parked/outbox"),
        (MACHINE, "orders"),
    ],
)
def test_a_resource_is_named_as_the_shop_names_it(resource: str, named: str) -> None:
    assert grant("any", resource).on == named


def test_a_role_without_some_grants_keeps_the_others() -> None:
    statements = json.loads(ROLE.without([GRANTS[0]]))["Statement"]

    assert [(one["Action"], one["Resource"]) for one in statements] == [
        (one.action, one.resource) for one in GRANTS[1:]
    ]
