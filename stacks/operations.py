"""Where alarms go, and the alarm that is nobody's in particular."""

from aws_cdk import Aws
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.queue import ParkedQueue
from stacks.shop import physical_name


class OperationsStack(ShopStack):
    """Deployed first, since every alarm needs its topic."""

    def __init__(self, scope: Construct, config: Config, *, key: kms.IKey | None) -> None:
        super().__init__(scope, "operations", config=config, does="where alarms go")
        self._key = key
        self._undelivered = (
            ParkedQueue(self, "AlarmsParked", of="alarms' e-mails", config=config) if config.alarm_email else None
        )
        self.notices = self._topic("Alarms", f"Tradepost {config.environment}")
        """What somebody should look at today."""
        self.pages = self._topic("Pages", f"Tradepost {config.environment}: now")
        """What somebody is woken for."""
        self._reach_chat()
        self._reach_whoever_is_on_call()
        self._watch_instances()
        self.tell("AlarmTopicArn", self.notices.topic_arn)
        self.tell("PageTopicArn", self.pages.topic_arn)

    def _topic(self, id_: str, name: str) -> sns.Topic:
        topic = sns.Topic(self, id_, enforce_ssl=self.config.tls, display_name=name)
        if self._key:
            resource = topic.node.default_child
            assert isinstance(resource, sns.CfnTopic)
            # Not `master_key`, which would grant publishers `kms:GenerateDataKey*`.
            resource.kms_master_key_id = self._key.key_arn
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
            topic.add_subscription(
                subscriptions.EmailSubscription(self.config.alarm_email, dead_letter_queue=self._undelivered)
            )
        return topic

    def _reach_chat(self) -> None:
        """AWS's own adapter turns alarms into messages; with a role that may do nothing, nobody commands it."""
        chat = self.config.chat
        if not chat:
            return
        role = iam.Role(self, "ChatRole", assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"))
        chatbot.CfnSlackChannelConfiguration(
            self,
            "Chat",
            configuration_name=physical_name(self.config, "operators"),
            slack_workspace_id=chat.workspace,
            slack_channel_id=chat.channel,
            iam_role_arn=role.role_arn,
            sns_topic_arns=[self.notices.topic_arn, self.pages.topic_arn],
            guardrail_policies=[f"arn:{Aws.PARTITION}:iam::aws:policy/CloudWatchReadOnlyAccess"],
        )

    def _reach_whoever_is_on_call(self) -> None:
        """The address holds the key of the paging service, so that it stands in a parameter and in no file."""
        if name := self.config.paging_parameter:
            sns.Subscription(
                self,
                "Paging",
                topic=self.pages,
                protocol=sns.SubscriptionProtocol.HTTPS,
                endpoint=f"{{{{resolve:ssm:{name}}}}}",
            )

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
