"""What watches the shop: alarms, their topics, dashboards, queries."""

import json
import re

from stacks.shop import ROOT
from tools.ops_lint.rule import ON_AWS, Rule
from tools.ops_lint.template import Resource, flat, listed, statements, written

METRIC_ALARM = ("AWS::CloudWatch::Alarm",)
ALARM = (*METRIC_ALARM, "AWS::CloudWatch::CompositeAlarm")
TOPIC = ("AWS::SNS::Topic",)
_DAY = 86_400


def _runbook_exists(alarm: Resource) -> bool:
    pages = re.findall(r"docs/runbooks/[\w-]+\.md", alarm.at("AlarmDescription") or "")
    return len(pages) == 1 and (ROOT / pages[0]).is_file()


def _part_of_another(alarm: Resource) -> bool:
    return any(alarm.named_in(one.at("AlarmRule")) for one in alarm.beside("AWS::CloudWatch::CompositeAlarm"))


def _tells_once(alarm: Resource) -> bool:
    told = listed(alarm.at("AlarmActions"))
    return not told if _part_of_another(alarm) else len(told) == 1 and listed(alarm.at("OKActions")) == told


def _span(alarm: Resource) -> int:
    return int(alarm.at("Period")) * int(alarm.at("EvaluationPeriods"))


def _periods_fit(alarm: Resource) -> bool:
    """CloudWatch's own limits: a day, or a week where periods are at least an hour long."""
    return alarm.at("Period") % 60 == 0 and _span(alarm) <= (7 * _DAY if alarm.at("Period") >= 3600 else _DAY)


def _refuses_plain_http(topic: Resource) -> bool:
    return any(
        topic.named_in(policy.at("Topics")) and '"aws:SecureTransport": "false"' in written(statements(policy))
        for policy in topic.beside("AWS::SNS::TopicPolicy")
    )


def _this_account_only(policy: Resource) -> bool:
    allowed = [one for one in statements(policy) if one["Effect"] == "Allow"]
    return all("aws:SourceAccount" in written(one.get("Condition")) for one in allowed)


def _chat_only_reads(chat: Resource) -> bool:
    limits = [written(one) for one in listed(chat.at("GuardrailPolicies"))]
    return bool(limits) and all("ReadOnlyAccess" in limit for limit in limits)


def _body_is_json(dashboard: Resource) -> bool:
    widgets = json.loads(flat(dashboard.at("DashboardBody"))).get("widgets", [])
    return 0 < len(widgets) <= 500


RULES = (
    Rule(
        "alarm-names-its-runbook",
        "The alarm's description names one page that exists",
        "Whoever is woken must not have to search.",
        ALARM,
        _runbook_exists,
    ),
    Rule(
        "alarm-tells-once",
        "The alarm and its end go to one topic, or it is a part of another alarm, which tells for it",
        "One cause is one page; and who was woken wants to know when it is over.",
        ALARM,
        _tells_once,
    ),
    Rule(
        "alarm-knows-silence",
        "The alarm says what missing data means",
        "CloudWatch's default keeps an alarm in a state in which it tells nobody.",
        METRIC_ALARM,
        lambda one: one.at("TreatMissingData") in ("notBreaching", "breaching"),
    ),
    Rule(
        "alarm-watches-one-metric",
        "The alarm watches one metric, without mathematics",
        "Every metric of an alarm is paid for as an alarm, and the local AWS cannot compute.",
        METRIC_ALARM,
        lambda one: one.at("Metrics") is None and bool(one.at("MetricName")),
    ),
    Rule(
        "alarm-periods-fit",
        "The alarm looks back no further than CloudWatch allows",
        "The deployment would fail at its last stack.",
        METRIC_ALARM,
        _periods_fit,
    ),
    Rule(
        "alarm-is-not-dear",
        "The alarm's period is a minute or longer",
        "High-resolution alarms cost three times as much.",
        METRIC_ALARM,
        lambda one: one.at("Period") >= 60,
    ),
    Rule(
        "topic-speaks-tls",
        "The topic refuses plain HTTP",
        "What travels in the open can be read on its way.",
        TOPIC,
        _refuses_plain_http,
        ON_AWS,
    ),
    Rule(
        "topic-is-named-for-people",
        "The topic has a name to be shown",
        "It stands in the subject of every e-mail, with the environment.",
        TOPIC,
        lambda one: one.environment in (one.at("DisplayName") or ""),
    ),
    Rule(
        "topic-hears-this-account",
        "Only this account's own may publish to the topic",
        "Another account could wake the operators.",
        ("AWS::SNS::TopicPolicy",),
        _this_account_only,
    ),
    Rule(
        "topic-reaches-people-safely",
        "Subscriptions are an e-mail address, a function or HTTPS",
        "Over plain HTTP everybody on the way reads what is broken.",
        ("AWS::SNS::Subscription",),
        lambda one: one.at("Protocol") in ("email", "lambda", "https"),
    ),
    Rule(
        "chat-only-reads",
        "Whoever writes to the shop from the chat can at most read metrics",
        "The chat's default lets everybody in the channel do everything that the role may.",
        ("AWS::Chatbot::SlackChannelConfiguration",),
        _chat_only_reads,
    ),
    Rule(
        "dashboard-can-be-drawn",
        "The dashboard is JSON with no more widgets than CloudWatch takes",
        "CloudWatch refuses it at the end of a deployment.",
        ("AWS::CloudWatch::Dashboard",),
        _body_is_json,
    ),
    Rule(
        "dashboard-has-a-typed-name",
        "The dashboard is called tradepost-<environment>-…",
        "Runbooks send people there.",
        ("AWS::CloudWatch::Dashboard",),
        lambda one: flat(one.at("DashboardName")).startswith(f"tradepost-{one.environment}-"),
    ),
    Rule(
        "filter-counts-nothing-at-rest",
        "A metric that is made from a log has no value while nothing happens",
        "A default of zero is a paid metric all month, in a shop without buyers.",
        ("AWS::Logs::MetricFilter",),
        lambda one: all("DefaultValue" not in each for each in listed(one.at("MetricTransformations"))),
    ),
    Rule(
        "query-is-found",
        "A saved query stands in the shop's folder, and names its log groups",
        "A query without log groups is run on the wrong ones.",
        ("AWS::Logs::QueryDefinition",),
        lambda one: flat(one.at("Name")).startswith(f"tradepost-{one.environment}/") and bool(one.at("LogGroupNames")),
    ),
)
