"""What the local AWS cannot make is left out there, so that one set of stacks serves laptop and cloud."""

import jsii
from aws_cdk import Aws, CfnCondition, CfnResource, Fn, IAspect, Stack
from constructs import IConstruct

UNKNOWN_TO_MINISTACK = frozenset(
    {
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::Events::Archive",
        "AWS::Logs::QueryDefinition",
        "AWS::SecretsManager::RotationSchedule",
    }
)
"""Types that ministack 1.5.33 refuses a whole stack for, unless their condition is false. Nothing may refer to them."""


@jsii.implements(IAspect)
class LeaveOutWhatIsUnknown:
    """Puts a condition that is never true on resources of these types."""

    def visit(self, node: IConstruct) -> None:
        """Called by the CDK for every construct."""
        if isinstance(node, CfnResource) and node.cfn_resource_type in UNKNOWN_TO_MINISTACK:
            node.cfn_options.condition = _never(Stack.of(node))


def _never(stack: Stack) -> CfnCondition:
    known = stack.node.try_find_child("Never")
    if isinstance(known, CfnCondition):
        return known
    return CfnCondition(stack, "Never", expression=Fn.condition_equals(Aws.REGION, "nowhere"))
