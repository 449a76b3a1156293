"""A shop that asks for a limit by caller gets a firewall, in the one region where CloudFront's live."""

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from stacks.config import load
from stacks.firewall import FirewallStack


@pytest.fixture(scope="module")
def acl():
    stack = FirewallStack(App(), load("prod"), limit=1000)
    assert stack.region == "us-east-1"
    template = Template.from_stack(stack).to_json()
    assert list(template["Outputs"]) == ["WebAclArn"]
    [resource] = template["Resources"].values()
    assert resource["Type"] == "AWS::WAFv2::WebACL"
    return resource["Properties"]


def test_one_address_that_asks_too_often_waits_and_nobody_else(acl):
    assert (acl["Scope"], acl["DefaultAction"]) == ("CLOUDFRONT", {"Allow": {}})
    [rule] = acl["Rules"]
    limit = rule["Statement"]["RateBasedStatement"]
    assert (limit["AggregateKeyType"], limit["Limit"], limit["EvaluationWindowSec"]) == ("IP", 1000, 300)
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429


def test_webhooks_are_not_counted(acl):
    [rule] = acl["Rules"]
    counted = rule["Statement"]["RateBasedStatement"]["ScopeDownStatement"]
    assert counted["NotStatement"]["Statement"]["ByteMatchStatement"]["SearchString"] == "/webhooks/"


def test_no_request_is_kept_as_a_sample(acl):
    seen = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
    assert not any(one["SampledRequestsEnabled"] for one in seen)


def test_a_shop_that_asks_for_none_pays_for_none(templates):
    assert templates.properties("AWS::WAFv2::WebACL") == []
