"""Least privilege, read from the templates."""

import json
import re
from itertools import product

from builders.templates import actions, called, everything_in
from stacks.functions import FUNCTIONS, START
from stacks.tables import AUDIT, INVENTORY, ORDERS, OUTBOX

WITHOUT_RESOURCES = {
    "cloudwatch:DescribeAlarms",
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
"""Actions that AWS authorises on `*` only, or as a whole: tracing, the delivery of a state machine's logs, alarms."""

OBJECTS = {"s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"}
"""Actions on objects, whose names nobody knows before."""

STREAM = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
PARK = ("SendMessage", "GetQueueAttributes", "GetQueueUrl")
RECEIVE = ("ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl")
ROTATE = ("DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage")


def _follows(table: str, parked: str) -> set[tuple[str, str]]:
    """Reads a table's stream, and parks what it cannot work off."""
    reads = {(f"dynamodb:{one}", f"{table} stream") for one in STREAM}
    return reads | {(f"sqs:{one}", parked) for one in PARK}


def _receives(queue: str) -> set[tuple[str, str]]:
    return {(f"sqs:{one}", queue) for one in RECEIVE}


BESIDE = {
    "admin_privacy": {("states:StartExecution", "PersonErasure")},
    "relay_outbox": {*_follows("OutboxTable", "OutboxParked"), ("events:PutEvents", "Bus")},
    "reconcile": {("events:PutEvents", "Bus")},
    "project_catalog": _follows("CatalogTable", "CatalogParked"),
    "watch_stock": _follows("InventoryTable", "StockParked"),
    "send_email": {*_receives("SendEmailQueue"), ("ses:SendEmail", "Sender")},
    "export_analytics": {*_receives("ExportAnalyticsQueue"), ("firehose:PutRecordBatch", "AnalyticsStream")},
    "rotate_signing_keys": {(f"secretsmanager:{one}", "SigningSecret") for one in ROTATE},
}
"""What functions may do beside their specification, because of what calls them or what they hand on to."""


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


def test_functions_may_do_what_their_specification_says_and_nothing_else(templates):
    for name, spec in FUNCTIONS.items():
        assert _granted(templates, name) == _specified(spec) | BESIDE.get(name, set()), name


def _granted(templates, name: str) -> set[tuple[str, str]]:
    """(action, what it may be done to), but for what every function has: its log, its traces, the shop's key."""
    return {
        (action, target)
        for statement in templates.rights(name)
        for action in actions(statement)
        if action.partition(":")[0] not in ("logs", "xray", "kms")
        for target in map(_target, _resources(statement))
    }


def _target(resource) -> str:
    """What an address leads to: `OrdersTable`, `OrdersTable stream`, `OrdersTable by_customer`, `PaymentSecret`."""
    text = json.dumps(resource)
    found = re.search(r"(?:ExportsOutput(?:FnGetAtt|Ref))?([A-Z][A-Za-z]+?)(?:Id)?[0-9A-F]{8}", text)
    assert found, text
    stream = ["stream"] if "StreamArn" in text else []
    return " ".join([found[1], *stream, *re.findall(r"/index/(\w+)", text)])


def _specified(spec) -> set[tuple[str, str]]:
    return (
        {(f"dynamodb:{one}", table.output) for table, operations in spec.tables.items() for one in operations}
        | {
            ("dynamodb:Query", f"{table.output} {index.name}")
            for table, index in ((table, index) for table in spec.tables for index in table.indexes)
            if index.name in spec.indexes
        }
        | {("secretsmanager:GetSecretValue", f"{secret.capitalize()}Secret") for secret in spec.secrets}
        | {(f"states:{one}", "CheckoutToDelivery") for one in spec.workflow}
        | {(f"cognito-idp:{one}", "People") for one in spec.accounts}
    )


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


def test_only_this_api_may_call_the_functions_that_answer_it(templates):
    template = templates.stack("api")
    answering = {
        (called(template, one["IntegrationUri"]), json.dumps(one["ApiId"]))
        for one in templates.properties("AWS::ApiGatewayV2::Integration")
    }
    admitted = [one for one in templates.properties("AWS::Lambda::Permission") if "apigateway" in one["Principal"]]
    assert len(admitted) == len(answering) > 10
    for permission in admitted:
        [api] = [api for name, api in answering if name == called(template, permission["FunctionName"])]
        source = json.dumps(permission["SourceArn"])
        assert ":execute-api:" in source and f'{api}, "/*"' in source


def _may(templates, name: str, action: str, resource: str) -> bool:
    return any(
        action in actions(statement) and resource in json.dumps(statement["Resource"])
        for statement in templates.rights(name)
    )
