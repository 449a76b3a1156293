"""Analytics: every event becomes one row, every field has its column, and nothing is lost on the way."""

import json
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from builders.bus import an_order_confirmed, queue_event
from builders.catalog import function
from commerce.adapters.firehose import Firehose
from commerce.adapters.queues import together
from commerce.analytics.model import COLUMNS, row
from commerce.analytics.service import export
from commerce.events import ALL, ProductChanged


class Stream:
    """A delivery stream that refuses the rows at `refused`."""

    def __init__(self, refused=()):
        self.refused = list(refused)
        self.rows = []

    def put(self, rows):
        self.rows += [one for place, one in enumerate(rows) if place not in self.refused]
        return self.refused


def test_a_row_is_one_line_of_json_with_what_the_event_says():
    event = an_order_confirmed()

    line = row(event)

    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "type": "order.confirmed",
        "version": 1,
        "id": event.id,
        "occurred_at": "2026-11-22T08:15:30.250Z",
        "subject": "order_1",
        "currency": "USD",
        "total": 5297,
        "lines": [{"sku": "mug-blue", "quantity": 2, "unit_price": 1800, "total": 3600}],
    }


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.type)
def test_every_field_of_every_event_has_its_column(event):
    assert set(event.model_fields) <= {name for name, _ in COLUMNS}


def test_amounts_and_lines_have_types_that_athena_can_calculate_with():
    columns = dict(COLUMNS)

    assert columns["total"] == "bigint"
    assert columns["confirmed"] == "boolean"
    assert columns["parcels"] == "array<struct<location:string,carrier:string,tracking_number:string>>"
    assert columns["lines"] == "array<struct<sku:string,quantity:bigint,unit_price:bigint,total:bigint>>"


def test_rows_that_the_stream_refused_come_again_and_the_others_do_not():
    stream = Stream(refused=[1])
    events = [an_order_confirmed(subject=f"order_{number}") for number in range(3)]

    answer = together(queue_event(*events), lambda batch: export(batch, stream))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert [json.loads(line)["subject"] for line in stream.rows] == ["order_0", "order_2"]


def test_a_message_that_is_no_event_fails_alone():
    stream = Stream()
    batch = queue_event(an_order_confirmed(), an_order_confirmed(subject="order_2"))
    batch["Records"][0]["body"] = '{"detail": {"type": "order.invented"}}'

    answer = together(batch, lambda events: export(events, stream))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert len(stream.rows) == 1


def test_positions_are_those_of_the_messages_even_behind_one_that_is_no_event():
    batch = queue_event(an_order_confirmed(), an_order_confirmed(), an_order_confirmed())
    batch["Records"][0]["body"] = "not JSON"

    answer = together(batch, lambda events: export(events, Stream(refused=[1])))

    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["message-1", "message-3"]


class PartlyBusy:
    def put_record_batch(self, DeliveryStreamName, Records):
        answers = [{"ErrorCode": "ServiceUnavailableException"} if b"busy" in one["Data"] else {} for one in Records]
        return {"FailedPutCount": sum("ErrorCode" in one for one in answers), "RequestResponses": answers}


class Down:
    def put_record_batch(self, DeliveryStreamName, Records):
        raise EndpointConnectionError(endpoint_url="https://firehose")


def test_firehose_may_take_some_rows_and_refuse_others():
    assert Firehose(PartlyBusy(), "events").put(["free\n", "busy\n", "free\n"]) == [1]


def test_a_firehose_that_does_not_answer_took_nothing():
    assert Firehose(Down(), "events").put(["a\n", "b\n"]) == [0, 1]


@mock_aws
def test_rows_reach_the_bucket_as_lines():
    storage = boto3.client("s3", region_name="us-east-1")
    storage.create_bucket(Bucket="shop-analytics")
    firehose = boto3.client("firehose", region_name="us-east-1")
    firehose.create_delivery_stream(
        DeliveryStreamName="analytics",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/firehose",
            "BucketARN": "arn:aws:s3:::shop-analytics",
        },
    )
    changed = ProductChanged(
        occurred_at="2026-11-22T08:15:30.250Z", subject="product_1", product_version=3, status="active"
    )

    assert export([an_order_confirmed(), changed], Firehose(firehose, "analytics")) == []

    [listed] = storage.list_objects_v2(Bucket="shop-analytics")["Contents"]
    lines = storage.get_object(Bucket="shop-analytics", Key=listed["Key"])["Body"].read().decode().splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["order.confirmed", "product.changed"]


def test_every_event_that_was_handed_on_is_a_line_of_the_log_for_dashboards(monkeypatch):
    monkeypatch.setenv("ANALYTICS_STREAM", "analytics")
    exporter, lines = function("export_analytics"), []
    monkeypatch.setattr(exporter, "stream", Stream(refused=[1]))
    monkeypatch.setattr(exporter, "logger", lambda: SimpleNamespace(info=lambda _, **fields: lines.append(fields)))
    batch = queue_event(an_order_confirmed(), an_order_confirmed(subject="order_2"))

    answer = exporter.handler(batch, None)

    assert answer["batchItemFailures"] == [{"itemIdentifier": batch["Records"][1]["messageId"]}]
    [line] = lines
    event = json.loads(json.dumps(line))["event"]
    assert (event["type"], event["subject"], event["total"]) == ("order.confirmed", "order_1", 5_297)
