"""Alarms of EventBridge rules."""

from aws_cdk import Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events

from stacks.constructs.alarm import RunbookAlarm


def watch_rule(rule: events.Rule, *, of: str, bus: events.IEventBus | None = None) -> None:
    """Rings when an event reached neither the rule's target nor its dead letters. `bus` is None for the account's own.

    What merely reached the dead letters rings there.
    """
    # Not `Ref`, which on a bus of one's own is `<bus>|<rule>`: metrics have the rule's name alone.
    name = Fn.select(2, Fn.split("/", rule.rule_arn)) if bus else rule.rule_name
    where = {"RuleName": name, **({"EventBusName": bus.event_bus_name} if bus else {})}
    RunbookAlarm(
        rule,
        "Lost",
        says=f"An event for {of} was lost: neither its target nor its dead letters took it",
        runbook="event-lost",
        metric=cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="InvocationsFailedToBeSentToDlq",
            dimensions_map=where,
            statistic=cloudwatch.Stats.SUM,
            period=Duration.minutes(5),
        ),
        urgent=True,
    )
