"""How a new version of a function comes in: beside the old one, by a tenth of the calls at first, and out again."""

from collections.abc import Sequence

from aws_cdk import CfnCodeDeployLambdaAliasUpdate, CfnUpdatePolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import Config
from stacks.constructs.function import CommerceFunction

ALIAS = "live"
_SHIFTS = {"canary": "CodeDeployDefault.LambdaCanary10Percent5Minutes", "at_once": "CodeDeployDefault.LambdaAllAtOnce"}


class Releases(Construct):
    """Those of one stack's functions. One of `alarms` that rings while a tenth of the calls go there ends the release.

    One that goes at once asks no alarm, so that a repair comes through while something rings.
    """

    def __init__(self, scope: Construct, *, config: Config, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        super().__init__(scope, "Releases")
        self._config, self._alarms = config, alarms
        if config.release == "directly":
            return
        self._application = codedeploy.CfnApplication(self, "Application", compute_platform="Lambda")
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"))
        # On all, as in AWS's own policy for CodeDeploy: CloudWatch tells whoever may read single alarms of no composite
        # one, and a release whose alarms cannot be read goes back.
        self._may(["cloudwatch:DescribeAlarms"], "*")

    def live(self, function: CommerceFunction) -> lambda_.IFunction:
        """What callers call: the alias of the version that serves, or the function itself where releases are direct."""
        if self._config.release == "directly":
            return function
        config = self._config
        alias = lambda_.Alias(function, "Live", alias_name=ALIAS, version=function.current_version)
        self._may(
            ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"],
            function.function_arn,
            f"{function.function_arn}:{ALIAS}",  # not the alias itself, which waits for the group and so for this
        )
        group = codedeploy.CfnDeploymentGroup(
            function,
            "Release",
            application_name=self._application.ref,
            service_role_arn=self._role.role_arn,
            deployment_config_name=_SHIFTS[config.release],
            deployment_style=codedeploy.CfnDeploymentGroup.DeploymentStyleProperty(
                deployment_type="BLUE_GREEN", deployment_option="WITH_TRAFFIC_CONTROL"
            ),
            alarm_configuration=codedeploy.CfnDeploymentGroup.AlarmConfigurationProperty(
                enabled=config.release == "canary",
                alarms=[codedeploy.CfnDeploymentGroup.AlarmProperty(name=alarm.alarm_name) for alarm in self._alarms],
            ),
            auto_rollback_configuration=codedeploy.CfnDeploymentGroup.AutoRollbackConfigurationProperty(
                enabled=True, events=["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
            ),
        )
        group.node.add_dependency(self._role)  # with its rights, or the first shift is refused
        resource = alias.node.default_child
        assert isinstance(resource, lambda_.CfnAlias)
        resource.cfn_options.update_policy = CfnUpdatePolicy(
            code_deploy_lambda_alias_update=CfnCodeDeployLambdaAliasUpdate(
                application_name=self._application.ref, deployment_group_name=group.ref
            )
        )
        return alias

    def _may(self, actions: list[str], *resources: str) -> None:
        self._role.add_to_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))
