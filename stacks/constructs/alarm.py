"""Alarms that tell the operator where to read on."""

import jsii
from aws_cdk import Annotations, IAspect
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from stacks.shop import ROOT


class RunbookAlarm(cloudwatch.Alarm):
    """An alarm whose description names its runbook. Missing data is good news: nothing happened."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        says: str,
        runbook: str,
        metric: cloudwatch.IMetric,
        threshold: float = 1,
        periods: int = 1,
    ) -> None:
        page = f"docs/runbooks/{runbook}.md"
        super().__init__(
            scope,
            id_,
            alarm_description=f"{says}. Runbook: {page}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if not (ROOT / page).is_file():
            Annotations.of(self).add_error(f"the alarm's runbook {page} does not exist")


@jsii.implements(IAspect)
class TellOperators:
    """Sends every alarm of the app, and its end, to the operators' topic."""

    def __init__(self, topic: sns.ITopic) -> None:
        self._action = actions.SnsAction(topic)

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK for every construct."""
        if isinstance(node, cloudwatch.Alarm):
            node.add_alarm_action(self._action)
            node.add_ok_action(self._action)
