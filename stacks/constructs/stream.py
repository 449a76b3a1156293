"""Functions behind the stream of a table."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources

from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.function import CommerceFunction
from stacks.constructs.queue import ParkedQueue


def consume_stream(
    function: CommerceFunction,
    table: dynamodb.ITable,
    parked: ParkedQueue,
    *,
    only: Mapping[str, Any],
    within: Duration | None = None,
) -> None:
    """Lets `function` work on those records of the table's stream that match the pattern `only`.

    At once, or `within` that time, so that a batch holds more of them.

    A record that keeps failing is parked, by the function itself, which isolates it, or by Lambda after ten attempts;
    the ones behind it go on. From the oldest record on, so that nothing written before the first deployment is missed.
    """
    stream = table.table_stream_arn
    assert stream is not None, f"the table of {function.spec.name} has no stream; set it in stacks/tables.py"
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"):
        function.allow(f"dynamodb:{action}", stream)
    function.allow("sqs:SendMessage", parked.queue_arn)
    lambda_.EventSourceMapping(
        function,
        "Stream",
        target=function,
        event_source_arn=stream,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=100,
        max_batching_window=within,
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
        retry_attempts=10,
        max_record_age=Duration.hours(12),
        on_failure=sources.SqsDlq(parked),
        filters=[lambda_.FilterCriteria.filter(only)],
    )
    RunbookAlarm(
        function,
        "Lag",
        says=f"The function {function.spec.name} is more than five minutes behind its stream",
        runbook="stream-lag",
        metric=function.metric("IteratorAge", statistic=cloudwatch.Stats.MAXIMUM),
        threshold=300_000,
    )
