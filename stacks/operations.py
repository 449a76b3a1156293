"""Where alarms go, and the alarm that is nobody's in particular."""

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm


class OperationsStack(ShopStack):
    """Deployed first, since every alarm needs its topic."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "operations", config=config, does="where alarms go")
        self.notices = self._topic("Alarms", f"Tradepost {config.environment}")
        """What somebody should look at today."""
        self.pages = self._topic("Pages", f"Tradepost {config.environment}: now")
        """What somebody is woken for."""
        self._watch_instances()
        self.tell("AlarmTopicArn", self.notices.topic_arn)
        self.tell("PageTopicArn", self.pages.topic_arn)

    def _topic(self, id_: str, name: str) -> sns.Topic:
        topic = sns.Topic(self, id_, enforce_ssl=self.config.tls, display_name=name)
        # A policy of its own replaces the one that lets the account's own alarms publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if self.config.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self.config.alarm_email))
        return topic

    def _watch_instances(self) -> None:
        """One alarm for all functions: the limit is the account's, so that each of them can use up everybody's."""
        RunbookAlarm(
            self,
            "Throttles",
            says="Lambda refused to run a function: too many instances at once",
            runbook="function-throttles",
            metric=cloudwatch.Metric(
                namespace="AWS/Lambda", metric_name="Throttles", statistic=cloudwatch.Stats.SUM
            ),
        )
