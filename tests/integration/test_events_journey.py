"""An event's whole journey, but for the network: the outbox, the stream's record, the relay, the bus, a queue."""

import json

import boto3
import pytest
from moto import mock_aws

from builders.bus import an_order_confirmed, stream_record
from builders.letters import happened
from commerce.adapters.dynamodb import Table, from_item, transact
from commerce.adapters.outbox import Outbox
from commerce.adapters.queues import in_turn
from commerce.adapters.relay import Relay
from commerce.events import OrderShipped


@pytest.fixture
def bus():
    """A bus whose only rule leads to a queue; `arrived()` are the queue's messages as a function gets them."""
    with mock_aws():
        yield Bus()


class Bus:
    def __init__(self):
        self.events = boto3.client("events", region_name="us-east-1")
        self.queues = boto3.client("sqs", region_name="us-east-1")
        self.queue = self.queues.create_queue(QueueName="work")["QueueUrl"]
        self.parked = self.queues.create_queue(QueueName="parked")["QueueUrl"]
        self.events.create_event_bus(Name="shop")
        pattern = json.dumps({"source": ["tradepost"], "detail-type": ["order.confirmed"]})
        self.events.put_rule(Name="rule", EventBusName="shop", EventPattern=pattern)
        target = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:123456789012:work"}
        self.events.put_targets(Rule="rule", EventBusName="shop", Targets=[target])
        self.relay = Relay(self.events, self.queues, "shop", self.parked)

    def arrived(self):
        messages = self.queues.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return {"Records": [{"messageId": one["MessageId"], "body": one["Body"]} for one in messages]}


def test_an_event_arrives_as_it_was_published_and_only_where_it_is_wanted(bus):
    wanted, other = an_order_confirmed(), happened(OrderShipped)

    assert bus.relay.relay([stream_record(wanted, 1), stream_record(other, 2)]) == []

    seen = []
    assert in_turn(bus.arrived(), seen.append) == {"batchItemFailures": []}
    assert seen == [wanted]


def test_what_a_transaction_stored_is_what_the_relay_reads(dynamodb, tables):
    outbox = Outbox(tables["OUTBOX_TABLE"])
    event = an_order_confirmed()

    transact(dynamodb, [outbox.action(event)])

    stored = Table(dynamodb, outbox.table).get(f"EVENT#{event.id}", "EVENT")
    assert stored == Outbox.item(event)
    assert from_item(stream_record(event)["dynamodb"]["NewImage"]) == stored
