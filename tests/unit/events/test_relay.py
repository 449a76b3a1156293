"""The relay: every event of the outbox reaches the bus, and one that never can does not hold up the others."""

import json

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from builders.bus import an_order_confirmed, stream_record
from commerce.adapters.relay import Relay
from commerce.errors import Contended
from commerce.events import detail


class Bus:
    """EventBridge's PutEvents. `judge(entry)` names the error of an entry, or None; `raises` fails whole calls."""

    def __init__(self, judge=lambda entry: None, raises=lambda entries: None):
        self.judge = judge
        self.raises = raises
        self.published = []
        self.calls = []

    def put_events(self, Entries):
        self.calls.append(len(Entries))
        if error := self.raises(Entries):
            raise error
        codes = [self.judge(entry) for entry in Entries]
        self.published += [entry for entry, code in zip(Entries, codes, strict=True) if code is None]
        return {
            "FailedEntryCount": sum(code is not None for code in codes),
            "Entries": [{"ErrorCode": code} if code else {"EventId": "1"} for code in codes],
        }

    def published_ids(self):
        return [json.loads(entry["Detail"])["id"] for entry in self.published]


class Queue:
    def __init__(self, up=True):
        self.up = up
        self.messages = []

    def send_message(self, QueueUrl, MessageBody):
        if not self.up:
            raise EndpointConnectionError(endpoint_url=QueueUrl)
        self.messages.append(json.loads(MessageBody))


class Outbox:
    """Notes which events lost their mark."""

    def __init__(self):
        self.published = []

    def update(self, pk, *_, remove):
        assert list(remove) == ["unpublished"]
        self.published.append(pk)


def relay(bus, queue=None, outbox=None):
    return Relay(bus, queue or Queue(), outbox or Outbox(), "shop-bus", "https://parking")


def records(count):
    events = [an_order_confirmed() for _ in range(count)]
    return events, [stream_record(event, number) for number, event in enumerate(events, 1)]


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutEvents")


def test_an_event_is_published_as_it_was_put_into_the_outbox():
    bus = Bus()
    event = an_order_confirmed()

    assert relay(bus).relay([stream_record(event)]) == []

    [entry] = bus.published
    assert entry["EventBusName"] == "shop-bus"
    assert entry["Source"] == "tradepost"
    assert entry["DetailType"] == "order.confirmed"
    assert json.loads(entry["Detail"]) == detail(event)


def test_events_go_ten_at_a_time_and_in_order():
    bus = Bus()
    events, batch = records(23)

    assert relay(bus).relay(batch) == []

    assert bus.calls == [10, 10, 3]
    assert bus.published_ids() == [event.id for event in events]


def test_an_item_that_ran_out_is_not_published_again():
    bus = Bus()

    assert relay(bus).relay([stream_record(an_order_confirmed(), name="REMOVE")]) == []
    assert bus.calls == []


def test_an_entry_that_failed_in_company_gets_a_second_chance_alone():
    busy = iter(["ThrottlingException"])
    bus = Bus(judge=lambda entry: next(busy, None))
    events, batch = records(3)

    assert relay(bus).relay(batch) == []
    assert sorted(bus.published_ids()) == sorted(event.id for event in events)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "AccessDeniedException"])
def test_what_the_bus_cannot_take_now_comes_again(code):
    bus = Bus(judge=lambda entry: code if "order_bad" in entry["Detail"] else None)
    queue = Queue()
    batch = [
        stream_record(an_order_confirmed(), 1),
        stream_record(an_order_confirmed(subject="order_bad"), 2),
        stream_record(an_order_confirmed(), 3),
    ]

    assert relay(bus, queue).relay(batch) == ["2"]
    assert len(bus.published) == 2
    assert queue.messages == []


def test_what_the_bus_will_never_take_is_parked_as_it_could_be_sent_again():
    bus = Bus(judge=lambda entry: "MalformedDetail" if entry["Detail"] == "not JSON" else None)
    queue = Queue()
    batch = [stream_record(an_order_confirmed(), 1, detail="not JSON"), stream_record(an_order_confirmed(), 2)]

    assert relay(bus, queue).relay(batch) == []

    assert len(bus.published) == 1
    [parked] = queue.messages
    assert parked == {
        "EventBusName": "shop-bus",
        "Source": "tradepost",
        "DetailType": "order.confirmed",
        "Detail": "not JSON",
    }


def test_a_batch_that_is_refused_whole_for_one_of_its_entries_is_tried_one_by_one():
    def too_large(entries):
        return refusal("ValidationException") if any("order_huge" in entry["Detail"] for entry in entries) else None

    bus = Bus(raises=too_large)
    queue = Queue()
    batch = [stream_record(an_order_confirmed(subject="order_huge"), 1), stream_record(an_order_confirmed(), 2)]

    assert relay(bus, queue).relay(batch) == []
    assert len(bus.published) == 1
    assert len(queue.messages) == 1


@pytest.mark.parametrize(
    "error", [refusal("InternalException"), EndpointConnectionError(endpoint_url="https://events")]
)
def test_a_bus_that_does_not_answer_loses_nothing(error):
    bus = Bus(raises=lambda entries: error)
    _, batch = records(2)

    assert relay(bus).relay(batch) == ["1", "2"]


def test_a_record_that_is_no_event_is_parked_and_the_others_go_on():
    bus = Bus()
    queue = Queue()
    strange = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": {"pk": {"S": "EVENT#1"}}}}

    assert relay(bus, queue).relay([strange, stream_record(an_order_confirmed(), 2)]) == []
    assert len(bus.published) == 1
    assert queue.messages == [strange]


def test_poison_that_cannot_be_parked_comes_again():
    bus = Bus(judge=lambda entry: "MalformedDetail")
    _, batch = records(1)

    assert relay(bus, Queue(up=False)).relay(batch) == ["1"]


def test_what_is_published_loses_its_mark_and_what_is_not_keeps_it():
    busy = iter(["ThrottlingException", None, None])
    bus = Bus(judge=lambda entry: "MalformedDetail" if entry["Detail"] == "not JSON" else next(busy, None))
    events, batch = records(3)
    outbox = Outbox()

    assert relay(bus, outbox=outbox).relay([*batch, stream_record(an_order_confirmed(), 9, detail="not JSON")]) == []

    assert sorted(outbox.published) == sorted(f"EVENT#{event.id}" for event in events)


def test_a_mark_that_cannot_be_taken_off_holds_up_no_event():
    class Busy:
        def update(self, *_, **__):
            raise Contended("many want the same at this moment")

    bus = Bus()
    events, batch = records(2)

    assert relay(bus, outbox=Busy()).relay(batch) == []

    assert bus.published_ids() == [event.id for event in events]
