"""What operators get: the topic that alarms go to, and one dashboard."""

from aws_cdk import ArnFormat, Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.functions import FUNCTIONS
from stacks.shop import physical_name

_WORKFLOW = "checkout_to_delivery"


class OperationsStack(ShopStack):
    """Deployed first, since every alarm needs the topic: so the dashboard knows the others' things by name only."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "operations", config=config, does="alarms and dashboard")
        self.notices = self._topic("Alarms", f"Tradepost {config.environment}")
        """What somebody should look at today."""
        self.pages = self._topic("Pages", f"Tradepost {config.environment}: now")
        """What somebody is woken for."""
        self._dashboard()
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

    def _dashboard(self) -> None:
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=physical_name(self.config, "shop"),
            default_interval=Duration.hours(6),
        )
        dashboard.add_widgets(
            self._functions("Calls", "Invocations", cloudwatch.Stats.SUM),
            self._functions("Errors", "Errors", cloudwatch.Stats.SUM),
            self._functions("Slowest of a hundred, ms", "Duration", cloudwatch.Stats.percentile(99)),
        )
        dashboard.add_widgets(
            self._functions("Refused for want of instances", "Throttles", cloudwatch.Stats.SUM),
            cloudwatch.GraphWidget(
                title="Orders on their way",
                width=8,
                left=[self._executions(outcome) for outcome in ("Started", "Succeeded", "Failed", "TimedOut")],
            ),
            cloudwatch.TextWidget(
                width=8, height=6, markdown="Every alarm's description names its page in `docs/runbooks/`."
            ),
        )

    def _functions(self, title: str, metric: str, statistic: str) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            width=8,
            left=[
                cloudwatch.Metric(
                    namespace="AWS/Lambda",
                    metric_name=metric,
                    dimensions_map={"FunctionName": physical_name(self.config, name)},
                    statistic=statistic,
                    label=name,
                )
                for name in FUNCTIONS
            ],
        )

    def _executions(self, outcome: str) -> cloudwatch.Metric:
        arn = self.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=physical_name(self.config, _WORKFLOW),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=f"Executions{outcome}",
            dimensions_map={"StateMachineArn": arn},
            statistic=cloudwatch.Stats.SUM,
            label=outcome,
        )
