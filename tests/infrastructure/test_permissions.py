"""Least privilege, read from the templates."""

import json
import re
from itertools import product

from builders.templates import actions, everything_in
from stacks.functions import FUNCTIONS, START
from stacks.tables import AUDIT, INVENTORY, ORDERS, OUTBOX

WITHOUT_RESOURCES = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
"""Actions that AWS authorises on `*` only: tracing, and the delivery of a state machine's logs."""

OBJECTS = {"s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"}
"""Actions on objects, whose names nobody knows before."""


def test_no_action_has_a_wildcard(templates):
    for policy, statement in templates.statements():
        assert not [action for action in actions(statement) if "*" in action], policy


def test_only_what_has_no_resource_is_allowed_on_all(templates):
    for policy, statement in templates.statements():
        if "*" in _resources(statement):
            assert set(actions(statement)) <= WITHOUT_RESOURCES, policy


def test_no_resource_ends_in_a_wildcard_but_objects_in_a_bucket(templates):
    for policy, statement in templates.statements():
        partial = [
            one for one in everything_in(_resources(statement)) if isinstance(one, str) and "*" in one and one != "*"
        ]
        if partial:
            assert set(actions(statement)) <= OBJECTS, (policy, partial)


def _resources(statement) -> list:
    given = statement["Resource"]
    return given if isinstance(given, list) else [given]


def test_ledgers_can_only_be_appended_to(templates):
    changing = {
        (name, table.name, change)
        for name, (table, change) in product(FUNCTIONS, product((AUDIT, OUTBOX), ("UpdateItem", "DeleteItem")))
        if _may(templates, name, f"dynamodb:{change}", table.output)
    }
    publishers = {(name, "outbox", "UpdateItem") for name in ("relay_outbox", "reconcile")}
    assert changing == publishers, "only the mark of an event that is published"


def test_orders_and_stock_cannot_be_deleted(templates):
    deleting = {
        (name, table.name)
        for name, table in product(FUNCTIONS, (ORDERS, INVENTORY))
        if _may(templates, name, "dynamodb:DeleteItem", table.output)
    }
    claims, pools = {("send_email", "orders")}, {("admin_inventory", "inventory"), ("reconcile", "inventory")}
    assert deleting == claims | pools, "only the claim of an e-mail that was never sent, and a pool's empty rows"


def test_nobody_scans_a_table(templates):
    assert not [policy for policy, statement in templates.statements() if "dynamodb:Scan" in actions(statement)]


def test_functions_query_the_indexes_of_their_specification_and_no_others(templates):
    for name, spec in FUNCTIONS.items():
        queried = [index for statement in templates.rights(name) for index in _indexes(statement)]
        assert sorted(queried) == sorted(spec.indexes), name


def _indexes(statement) -> list[str]:
    return re.findall(r"/index/(\w+)", json.dumps(_resources(statement)))


def test_functions_touch_the_tables_of_their_specification_and_no_others(templates):
    for name, spec in FUNCTIONS.items():
        granted = {
            action
            for statement in templates.rights(name)
            if not _indexes(statement)
            for action in actions(statement)
            if action.startswith("dynamodb:")
            and "Stream" not in action
            and action.partition(":")[2] not in _STREAM_READS
        }
        assert granted == {f"dynamodb:{one}" for operations in spec.tables.values() for one in operations}, name


_STREAM_READS = {"GetRecords", "GetShardIterator"}


def test_only_completing_and_reconciling_start_executions(templates):
    starting = {name for name in FUNCTIONS if _may(templates, name, f"states:{START[0]}", "CheckoutToDelivery")}
    assert starting == {"complete_checkout", "reconcile"}


def test_only_the_mailer_sends_mail_and_as_the_shop_alone(templates):
    [(policy, statement)] = [one for one in templates.statements() if "ses:SendEmail" in actions(one[1])]
    assert "SendEmail" in policy
    [resource] = _resources(statement)
    assert ":identity/" in json.dumps(resource) and "Sender" in json.dumps(resource)


def test_plain_http_is_refused_on_aws(dev, prod):
    for templates, kind in product((dev, prod), ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket")):
        policies = templates.properties(f"{kind}Policy")
        refusing = [one for one in policies if '"aws:SecureTransport": "false"' in json.dumps(one["PolicyDocument"])]
        assert len(refusing) == len(templates.properties(kind))


def test_only_this_api_may_call_its_functions(templates):
    for permission in templates.stack("api")["Resources"].values():
        if permission["Type"] == "AWS::Lambda::Permission":
            assert "SourceArn" in permission["Properties"]


def _may(templates, name: str, action: str, resource: str) -> bool:
    return any(
        action in actions(statement) and resource in json.dumps(statement["Resource"])
        for statement in templates.rights(name)
    )
