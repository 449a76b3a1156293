"""Follows an alarm from its state to whoever hears of it: the topic, and a queue that is subscribed to it.

The local AWS evaluates an alarm only where somebody puts its metric, and nothing there puts AWS's own metrics or makes
them of logs. So the state is set by hand, and everything behind it is the deployed thing.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tools.demo.watch import until
from tools.drill.alarms import COMPOSITE, Alarm, parts, rule
from tools.drill.stage import Stage

NAME = "tradepost-local-drill"
"""Of what the drill makes for as long as it plays."""


@dataclass(frozen=True)
class Bell:
    """Hears both topics."""

    stage: Stage
    queue: str

    def ring(self, alarm: Alarm) -> str:
        """Sets the alarm off and back again. Answers who heard of it; raises NotSeen where nobody did who should."""
        if alarm.kind == COMPOSITE:
            return self._ring_by_its_parts(alarm)
        with self._deployed(alarm) as name:
            if alarm.heard == "nobody":
                self._turn(name, "ALARM")
                self._turn(name, "OK")
                return "nobody, as it is a part of another alarm"
            self._turn(name, "ALARM")
            self._heard(name, alarm, "ALARM")
            self._turn(name, "OK")
            self._heard(name, alarm, "OK")
        return f"the topic for {alarm.heard}, at its beginning and at its end"

    def heard_notice(self, alarm: Alarm, about: str) -> str:
        """Waits for the message of a rule that tells operators by itself. Raises NotSeen."""
        message = until(f"the notice about {about}", lambda: self._find(about, f"docs/runbooks/{alarm.runbook}.md"))
        return f"the topic for {alarm.heard}: {message}"

    def _ring_by_its_parts(self, alarm: Alarm) -> str:
        """CloudFormation makes no such alarm on the local AWS, so it is made here of its template's rule."""
        cloudwatch = self.stage.client("cloudwatch")
        named = {one: self.stage.physical(alarm.stack, one) for one in parts(alarm)}
        topic = [self.stage.topic(alarm.heard)]
        known = cloudwatch.describe_alarms(AlarmNames=list(named.values()))["MetricAlarms"]
        arns = {one["AlarmName"]: one["AlarmArn"] for one in known}
        cloudwatch.put_composite_alarm(
            AlarmName=NAME,
            AlarmRule=rule(alarm, {one: arns[name] for one, name in named.items()}),
            AlarmDescription=alarm.properties["AlarmDescription"],
            AlarmActions=topic,
            OKActions=topic,
        )
        first = [name for name in named.values() if "Browse" in name]
        try:
            for name in first:
                self._turn(name, "ALARM")
            self._heard(NAME, alarm, "ALARM")
            self._turn(first[0], "OK")
            self._heard(NAME, alarm, "OK")
        finally:
            for name in first:
                self._turn(name, "OK")
            cloudwatch.delete_alarms(AlarmNames=[NAME])
        return f"the topic for {alarm.heard}, once all its parts for browsing rang, and when one of them ended"

    @contextmanager
    def _deployed(self, alarm: Alarm) -> Iterator[str]:
        """The alarm's name in the local shop; one that only other environments have is made for as long."""
        try:
            yield self.stage.physical(alarm.stack, alarm.name)
            return
        except LookupError:
            pass
        cloudwatch = self.stage.client("cloudwatch")
        plain = {name: value for name, value in alarm.properties.items() if isinstance(value, str | int | float)}
        topic = [self.stage.topic(alarm.heard)]
        cloudwatch.put_metric_alarm(AlarmName=NAME, AlarmActions=topic, OKActions=topic, **plain)
        try:
            yield NAME
        finally:
            cloudwatch.delete_alarms(AlarmNames=[NAME])

    def _turn(self, name: str, state: str) -> None:
        self.stage.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="a drill")

    def _heard(self, name: str, alarm: Alarm, state: str) -> None:
        told = (f'"NewStateValue": "{state}"', name, f"docs/runbooks/{alarm.runbook}.md", self.stage.topic(alarm.heard))
        until(f"the word that {alarm.name} is {state}", lambda: self._find(*told), patience=20)

    def _find(self, *words: str) -> str | None:
        """The text of a message that holds all words, once it came; the others are thrown away."""
        sqs = self.stage.client("sqs")
        for message in sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            told: dict[str, str] = json.loads(message["Body"])
            if all(word in told["TopicArn"] + told["Message"] for word in words):
                return told["Message"]
        return None


@contextmanager
def listening(stage: Stage) -> Iterator[Bell]:
    """A queue that is subscribed to both topics for as long."""
    sqs, sns = stage.client("sqs"), stage.client("sns")
    url = sqs.create_queue(QueueName=f"{NAME}-{uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscribed = [
        sns.subscribe(TopicArn=stage.topic(topic), Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        for topic in ("pages", "notices")
    ]
    try:
        yield Bell(stage, url)
    finally:
        for one in subscribed:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url)
