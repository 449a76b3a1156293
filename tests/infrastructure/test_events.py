"""Nothing is lost quietly: queues, rules and streams lead somewhere when they fail."""

import json

from commerce.events import ALL
from commerce.notifications.model import KINDS


def test_every_queue_has_dead_letters_or_holds_them(templates):
    queues = dict(templates.resources("AWS::SQS::Queue"))
    working = {name for name, queue in queues.items() if "RedrivePolicy" in queue["Properties"]}
    assert len(working) == 2
    assert all("Parked" in name for name in set(queues) - working)


def test_every_dead_letter_rings(templates):
    for name, _ in templates.resources("AWS::SQS::Queue"):
        stack, _, queue = name.partition("/")
        alarms = [
            one["Properties"]["Dimensions"][0]["Value"]
            for one in templates.stacks[stack]["Resources"].values()
            if one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"]["Namespace"] == "AWS/SQS"
        ]
        assert {"Fn::GetAtt": [queue, "QueueName"]} in alarms


def test_messages_are_invisible_for_longer_than_a_function_may_work_on_them(templates):
    events = templates.stack("events")["Resources"]
    found = {
        queue: mapping
        for mapping in templates.properties("AWS::Lambda::EventSourceMapping")
        if "Queue" in (queue := mapping["EventSourceArn"].get("Fn::GetAtt", [""])[0])
    }
    assert found.keys() == {name for name, one in events.items() if "RedrivePolicy" in one.get("Properties", {})}
    for queue, mapping in found.items():
        function = events[mapping["FunctionName"]["Ref"]]["Properties"]
        assert events[queue]["Properties"]["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_target_of_a_rule_has_dead_letters(templates):
    targets = [target for rule in templates.properties("AWS::Events::Rule") for target in rule["Targets"]]
    assert len(targets) == 5
    assert all("DeadLetterConfig" in target for target in targets)


def test_streams_park_what_keeps_failing(templates):
    mappings = templates.properties("AWS::Lambda::EventSourceMapping")
    streams = [mapping for mapping in mappings if "StartingPosition" in mapping]
    assert len(streams) == 3
    for mapping in streams:
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert "OnFailure" in mapping["DestinationConfig"]
        assert mapping["MaximumRetryAttempts"] > 0
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_mailer_hears_of_known_events_only(templates):
    [rule] = [one for one in templates.properties("AWS::Events::Rule") if "send_email" in one["Description"]]
    assert set(rule["EventPattern"]["detail-type"]) == {event.type for event in KINDS}
    assert set(rule["EventPattern"]["detail-type"]) <= {event.type for event in ALL}


def test_analytics_hears_of_all_events(templates):
    [rule] = [one for one in templates.properties("AWS::Events::Rule") if "export_analytics" in one["Description"]]
    assert rule["EventPattern"] == {"source": ["tradepost"]}


def test_operators_hear_of_overdue_deliveries(templates):
    [rule] = [one for one in templates.properties("AWS::Events::Rule") if "late" in one["Description"]]
    assert rule["EventPattern"]["detail-type"] == ["order.delivery_overdue"]
    assert "docs/runbooks/delivery-overdue.md" in json.dumps(rule["Targets"])


def test_operators_hear_of_refunds_that_failed(templates):
    [rule] = [one for one in templates.properties("AWS::Events::Rule") if "refund" in one["Description"]]
    assert rule["EventPattern"]["detail-type"] == ["payment.refund_failed"]
    assert "docs/runbooks/refund-failed.md" in json.dumps(rule["Targets"])


def test_analytics_lie_in_a_folder_for_each_day_as_plain_lines(templates):
    [stream] = templates.properties("AWS::KinesisFirehose::DeliveryStream")
    destination = stream["ExtendedS3DestinationConfiguration"]
    assert destination["Prefix"] == "events/day=!{timestamp:yyyy-MM-dd}/"
    assert destination["CompressionFormat"] == "UNCOMPRESSED"
    [table] = templates.properties("AWS::Glue::Table")
    described = {column["Name"] for column in table["TableInput"]["StorageDescriptor"]["Columns"]}
    assert described >= {field for event in ALL for field in event.model_fields}


def test_an_alarm_knows_a_rule_by_the_name_that_its_metrics_have(templates):
    """On a bus of one's own a rule's `Ref` is `<bus>|<rule>`, which no metric is called."""
    alarms = [one for one in templates.properties("AWS::CloudWatch::Alarm") if one["Namespace"] == "AWS/Events"]
    own_bus = [one for one in alarms if any(each["Name"] == "EventBusName" for each in one["Dimensions"])]
    assert len(own_bus) >= 4
    for alarm in own_bus:
        [name] = [each["Value"] for each in alarm["Dimensions"] if each["Name"] == "RuleName"]
        assert name["Fn::Select"][0] == 2
