"""Whoever is woken knows what to read."""

import json
import re

from aws_cdk import App
from aws_cdk.assertions import Template

from stacks.config import Chat, load
from stacks.operations import OperationsStack
from stacks.shop import ROOT

RUNBOOKS = {f"docs/runbooks/{path.name}" for path in (ROOT / "docs" / "runbooks").glob("*.md")}


NOBODY_RINGS_FOR = {"docs/runbooks/restore-a-table.md"}
"""What somebody notices, and no metric."""


def _named(text: str) -> set[str]:
    return set(re.findall(r"docs/runbooks/[\w-]+\.md", text))


def _alarms(templates) -> list[dict]:
    return templates.properties("AWS::CloudWatch::Alarm") + templates.properties("AWS::CloudWatch::CompositeAlarm")


def test_every_alarm_names_a_runbook_that_exists(templates):
    alarms = _alarms(templates)
    assert alarms
    for alarm in alarms:
        assert len(_named(alarm["AlarmDescription"])) == 1, alarm
        assert _named(alarm["AlarmDescription"]) <= RUNBOOKS, alarm


def test_every_runbook_is_for_something_that_rings(templates):
    assert _named(json.dumps(templates.stacks)) == RUNBOOKS - NOBODY_RINGS_FOR


def test_every_alarm_and_its_end_reach_the_operators(templates):
    parts = 0
    for alarm in _alarms(templates):
        parts += "AlarmActions" not in alarm
        assert alarm.get("OKActions") == alarm.get("AlarmActions")
    assert parts == 6, "what the alarm for all objectives is made of"


def test_somebody_is_woken_for_buyers_money_and_goods_only(templates):
    waking = {
        alarm["AlarmDescription"].partition("docs/runbooks/")[2].removesuffix(".md")
        for alarm in _alarms(templates)
        if "PageTopicArn" in json.dumps(alarm.get("AlarmActions")) or "Pages" in json.dumps(alarm.get("AlarmActions"))
    }
    assert waking == {
        "objectives",
        "execution-failed",
        "execution-timed-out",
        "reconciliation-left",
        "reconciler-silent",
        "event-lost",
    }


def test_operators_of_production_have_an_address(prod):
    subscriptions = prod.properties("AWS::SNS::Subscription")
    assert [one["Protocol"] for one in subscriptions] == ["email", "email"]
    assert len({json.dumps(one["TopicArn"]) for one in subscriptions}) == 2


def test_this_accounts_alarms_and_nobody_else_may_publish_to_the_topics(templates):
    policies = templates.properties("AWS::SNS::TopicPolicy")
    assert len(policies) == 2
    for policy in policies:
        [allowed] = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert "aws:SourceAccount" in allowed["Condition"]["StringEquals"]


def test_the_order_workflow_rings_when_an_order_is_stuck(templates):
    metrics = {alarm["MetricName"] for alarm in templates.properties("AWS::CloudWatch::Alarm")}
    assert {"ExecutionsFailed", "ExecutionsTimedOut"} <= metrics


def test_a_reconciler_that_does_not_come_rings_though_it_says_nothing(templates):
    [alarm] = [one for one in templates.properties("AWS::CloudWatch::Alarm") if one["TreatMissingData"] == "breaching"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Invocations",
        "LessThanThreshold",
        1,
    )
    assert "Reconcile" in json.dumps(alarm["Dimensions"])


def test_the_alarms_of_an_idle_month_cost_little(prod):
    single = len(prod.properties("AWS::CloudWatch::Alarm"))
    composite = len(prod.properties("AWS::CloudWatch::CompositeAlarm"))
    assert 10 * single + 50 * composite <= 690, "cents; see docs/cost.md before you add one"


def test_a_runbook_says_what_buyers_feel_how_to_see_it_what_to_do_and_when_it_is_over():
    parts = ("**What the buyer feels.**", "**How to see it.**", "**What to do", "**How to know it is over.**")
    for page in RUNBOOKS:
        text = (ROOT / page).read_text("utf-8")
        places = [text.find(part) for part in parts]
        assert -1 not in places and places == sorted(places), page


def _reaching(**told) -> Template:
    config = load("prod").model_copy(update=told)
    return Template.from_stack(OperationsStack(App(), config, key=None))


def test_a_chat_hears_of_every_alarm_and_can_command_nothing():
    template = _reaching(chat=Chat(workspace="T0123ABCD", channel="C0123ABCD"))
    [chat] = template.find_resources("AWS::Chatbot::SlackChannelConfiguration").values()
    assert len(chat["Properties"]["SnsTopicArns"]) == 2
    template.resource_count_is("AWS::IAM::Policy", 0)


def test_only_what_is_urgent_reaches_whoever_is_on_call_by_an_address_from_a_parameter():
    template = _reaching(paging_parameter="/tradepost/prod/paging")
    subscriptions = [one["Properties"] for one in template.find_resources("AWS::SNS::Subscription").values()]
    [paging] = [one for one in subscriptions if one["Protocol"] == "https"]
    assert paging["Endpoint"] == "{{resolve:ssm:/tradepost/prod/paging}}"
    assert "Pages" in json.dumps(paging["TopicArn"])


def test_without_chat_and_paging_service_alarms_are_emails(templates):
    assert not templates.properties("AWS::Chatbot::SlackChannelConfiguration")
    assert {one["Protocol"] for one in templates.properties("AWS::SNS::Subscription")} <= {"email"}
