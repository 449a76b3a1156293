"""Alarms that tell the operator where to read on."""

import jsii
from aws_cdk import IAspect
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from stacks.shop import ROOT

_URGENT = "urgent"
_PART = "part of another alarm"


class RunbookAlarm(cloudwatch.Alarm):
    """An alarm whose description names its runbook.

    An `urgent` one wakes somebody: buyers suffer, or money or goods are at stake. A `part` tells nobody: the alarm that
    it is a part of does. Missing data is good news, since nothing happened, unless `silence` is what it rings for.
    """

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
        urgent: bool = False,
        part: bool = False,
        silence: bool = False,
    ) -> None:
        super().__init__(
            scope,
            id_,
            alarm_description=described(says, runbook),
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=(
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
                if silence
                else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING if silence else cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )
        if urgent or part:
            self.node.add_metadata(_URGENT if urgent else _PART, True)


def described(says: str, runbook: str) -> str:
    """An alarm's description. Raises ValueError where the runbook does not exist."""
    page = f"docs/runbooks/{runbook}.md"
    if not (ROOT / page).is_file():
        raise ValueError(f"the alarm's runbook {page} does not exist")
    return f"{says}. Runbook: {page}"


def page_for(alarm: cloudwatch.AlarmBase) -> None:
    """Lets an alarm that is made of others wake somebody."""
    alarm.node.add_metadata(_URGENT, True)


@jsii.implements(IAspect)
class TellOperators:
    """Sends every alarm of the app, and its end, to the operators: urgent ones to the topic that wakes them."""

    def __init__(self, *, notices: sns.ITopic, pages: sns.ITopic) -> None:
        self._notice = actions.SnsAction(notices)
        self._page = actions.SnsAction(pages)

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK for every construct."""
        if not isinstance(node, (cloudwatch.Alarm, cloudwatch.CompositeAlarm)):
            return
        marks = {entry.type for entry in node.node.metadata}
        if _PART in marks:
            return
        action = self._page if _URGENT in marks else self._notice
        node.add_alarm_action(action)
        node.add_ok_action(action)
