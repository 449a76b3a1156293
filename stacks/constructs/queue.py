"""Queues that lose nothing quietly."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm


class ParkedQueue(sqs.Queue):
    """Where work ends up that could not be done. Anything in it is for a person."""

    def __init__(self, scope: Construct, id_: str, *, of: str, config: Config) -> None:
        super().__init__(
            scope,
            id_,
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=config.tls,
        )
        RunbookAlarm(
            self,
            "DeadLetters",
            says=f"Work of {of} was given up and waits for a person",
            runbook="dead-letters",
            metric=self.metric_approximate_number_of_messages_visible(statistic=cloudwatch.Stats.MAXIMUM),
        )


class WorkQueue(sqs.Queue):
    """A queue that a function works on, with its dead letters: five attempts, then a person."""

    def __init__(self, scope: Construct, id_: str, *, of: str, function_timeout: Duration, config: Config) -> None:
        parked = ParkedQueue(scope, f"{id_}Parked", of=of, config=config)
        super().__init__(
            scope,
            id_,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=config.tls,
            retention_period=Duration.days(7),
            # Lambda's own advice: six times the function's timeout, so that no message is worked on twice at once.
            visibility_timeout=Duration.seconds(6 * function_timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=parked, max_receive_count=5),
        )
        self.parked = parked
        RunbookAlarm(
            self,
            "Backlog",
            says=f"The oldest message of {of} has waited for more than ten minutes",
            runbook="queue-backlog",
            metric=self.metric_approximate_age_of_oldest_message(statistic=cloudwatch.Stats.MAXIMUM),
            threshold=600,
        )
