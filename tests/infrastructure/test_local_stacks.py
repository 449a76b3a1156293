"""One set of stacks serves laptop and cloud."""

from collections import Counter

from stacks.config import load
from stacks.local import UNKNOWN_TO_MINISTACK
from stacks.shop import ROOT

KNOWN = set((ROOT / "tests" / "infrastructure" / "ministack_1.5.33_types.txt").read_text("utf-8").split())

OUTPUTS = {
    "ApiId",
    "ApiUrl",
    "MediaBucket",
    "AnalyticsBucket",
    "UserPoolId",
    "UserPoolClientId",
    "StateMachineArn",
    "EventBusName",
    "PaymentSecretArn",
    "CarrierSecretArn",
    "SigningSecretArn",
    "CatalogTable",
    "CartsTable",
    "InventoryTable",
    "OrdersTable",
    "OutboxTable",
    "IdempotencyTable",
    "AuditTable",
    "PrivacyTable",
    "ErasureStateMachineArn",
    "AthenaWorkgroup",
    "GlueDatabase",
    "AlarmTopicArn",
    "PageTopicArn",
}


def test_the_local_aws_knows_every_type_that_it_is_asked_for(local):
    unknown = {
        resource["Type"]
        for _, resource in local.resources()
        if resource["Type"] not in KNOWN and resource.get("Condition") != "Never"
    }
    assert unknown == set(), "add them to UNKNOWN_TO_MINISTACK in stacks/local.py, if nothing local depends on them"


def test_only_what_the_local_aws_does_not_know_is_left_out_there(local):
    left_out = {resource["Type"] for _, resource in local.resources() if resource.get("Condition") == "Never"}
    assert left_out == UNKNOWN_TO_MINISTACK
    assert not UNKNOWN_TO_MINISTACK & KNOWN


def test_nothing_is_left_out_on_aws(dev, prod):
    for templates in (dev, prod):
        assert not [name for name, resource in templates.resources() if "Condition" in resource]


def test_local_alarms_watch_single_metrics(local):
    """The local AWS refuses metric math."""
    assert not [alarm for alarm in local.properties("AWS::CloudWatch::Alarm") if "Metrics" in alarm]


def test_outputs_are_where_tools_look_for_them(templates):
    names = Counter(name for stack in templates.stacks.values() for name in stack.get("Outputs", {}))
    assert set(names) >= OUTPUTS
    assert max(names.values()) == 1


def test_stacks_are_named_by_shop_and_environment(templates):
    prefix = f"tradepost-{templates.environment}-"
    assert {name.removeprefix(prefix) for name in templates.stacks} == {
        "operations",
        "data",
        "identity",
        "edge",
        "events",
        "workflow",
        "api",
        "insights",
        *(["keys"] if load(templates.environment).encryption == "customer" else []),
    }
