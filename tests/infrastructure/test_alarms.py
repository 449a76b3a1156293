"""Whoever is woken knows what to read."""

import json
import re

from stacks.shop import ROOT

RUNBOOKS = {f"docs/runbooks/{path.name}" for path in (ROOT / "docs" / "runbooks").glob("*.md")}


def _named(text: str) -> set[str]:
    return set(re.findall(r"docs/runbooks/[\w-]+\.md", text))


def test_every_alarm_names_a_runbook_that_exists(templates):
    alarms = templates.properties("AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms:
        assert len(_named(alarm["AlarmDescription"])) == 1, alarm
        assert _named(alarm["AlarmDescription"]) <= RUNBOOKS, alarm


def test_every_runbook_is_for_something_that_rings(templates):
    assert _named(json.dumps(templates.stacks)) == RUNBOOKS


def test_every_alarm_and_its_end_reach_the_operators(templates):
    for alarm in templates.properties("AWS::CloudWatch::Alarm"):
        [action] = alarm["AlarmActions"]
        assert "AlarmTopicArn" in json.dumps(action) or "Alarms" in json.dumps(action)
        assert alarm["OKActions"] == alarm["AlarmActions"]


def test_operators_of_production_have_an_address(prod):
    assert [one["Protocol"] for one in prod.properties("AWS::SNS::Subscription")] == ["email"]


def test_this_accounts_alarms_and_nobody_else_may_publish_to_the_topic(templates):
    [policy] = templates.properties("AWS::SNS::TopicPolicy")
    [allowed] = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert "aws:SourceAccount" in allowed["Condition"]["StringEquals"]


def test_the_order_workflow_rings_when_an_order_is_stuck(templates):
    metrics = {alarm["MetricName"] for alarm in templates.properties("AWS::CloudWatch::Alarm")}
    assert {"ExecutionsFailed", "ExecutionsTimedOut"} <= metrics
