"""The routes of the API and the functions behind them, exactly as `docs/openapi.json` has them."""

from pathlib import Path

from aws_cdk import ArnFormat
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.function import CommerceFunction
from stacks.constructs.release import Releases
from stacks.functions import FUNCTIONS
from stacks.openapi import Operation, operations
from stacks.shop import Shop


class ApiStack(ShopStack):
    """One function for each `x-function`, one integration for each function, one route for each operation."""

    def __init__(
        self,
        scope: Construct,
        config: Config,
        *,
        document: Path,
        api_id: str,
        shop: Shop,
        state_machine: stepfunctions.IStateMachine,
        erasures: stepfunctions.IStateMachine,
        server_errors: cloudwatch.IAlarm,
    ) -> None:
        super().__init__(scope, "api", config=config, does="routes and their functions")
        self._api_id = api_id
        self._authorizer = self._people(shop)
        routes = operations(document)
        self.functions = {
            name: CommerceFunction(self, FUNCTIONS[name], shop, state_machine=state_machine, answers=True)
            for name in dict.fromkeys(route.function for route in routes)
        }
        asks = self.functions["admin_privacy"]
        asks.add_environment("ERASURE_STATE_MACHINE_ARN", erasures.state_machine_arn)
        asks.allow("states:StartExecution", erasures.state_machine_arn)
        releases = Releases(self, config=config, alarms=[server_errors])
        targets = {name: self._integration(name, releases.live(one)) for name, one in self.functions.items()}
        for route in routes:
            self._route(route, targets[route.function])

    def _people(self, shop: Shop) -> apigateway.CfnAuthorizer:
        return apigateway.CfnAuthorizer(
            self,
            "People",
            api_id=self._api_id,
            name="people",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=shop.user_pool_issuer, audience=[shop.user_pool_client_id]
            ),
        )

    def _integration(self, function: str, live: lambda_.IFunction) -> str:
        """How routes name the function, of which they call the version that is `live`. Only this API may call it."""
        name = self.functions[function].node.id
        integration = apigateway.CfnIntegration(
            self,
            f"{name}Integration",
            api_id=self._api_id,
            integration_type="AWS_PROXY",
            integration_uri=live.function_arn,
            payload_format_version="2.0",
        )
        lambda_.CfnPermission(
            self,
            f"{name}Permission",
            action="lambda:InvokeFunction",
            function_name=live.function_arn,
            principal="apigateway.amazonaws.com",
            source_arn=self.format_arn(
                service="execute-api",
                resource=self._api_id,
                resource_name="*",
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            ),
        )
        return f"integrations/{integration.ref}"

    def _route(self, operation: Operation, target: str) -> None:
        apigateway.CfnRoute(
            self,
            operation.key,
            api_id=self._api_id,
            route_key=operation.key,
            target=target,
            authorization_type="JWT" if operation.guarded else "NONE",
            authorizer_id=self._authorizer.ref if operation.guarded else None,
        )
