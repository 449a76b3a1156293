"""A new version of what buyers and orders wait for comes in by a tenth of the calls, and out again by itself."""

import json

from builders.templates import actions, called
from stacks.openapi import operations
from stacks.shop import ROOT

TASKS = {"ship_order", "compensate_order", "settle_order"}
BEHIND_THE_API = {operation.function for operation in operations(ROOT / "docs" / "openapi.json")}


def _released(templates) -> dict[str, dict]:
    """The deployment group by which each function's alias moves."""
    found = {}
    for name in ("api", "workflow"):
        template = templates.stack(name)
        for alias in template["Resources"].values():
            if alias["Type"] == "AWS::Lambda::Alias":
                function = template["Resources"][alias["Properties"]["FunctionName"]["Ref"]]["Properties"]
                group = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]
                key = function["FunctionName"].removeprefix(f"tradepost-{templates.environment}-").replace("-", "_")
                found[key] = template["Resources"][group]["Properties"]
    return found


def _machine(templates) -> str:
    machines = templates.properties("AWS::StepFunctions::StateMachine")
    [orders] = [one for one in machines if one["StateMachineName"].endswith("checkout-to-delivery")]
    return json.dumps(orders["DefinitionString"])


def test_in_production_a_tenth_of_the_calls_tries_a_version_and_an_alarm_takes_it_back(prod):
    released = _released(prod)
    assert set(released) == TASKS | BEHIND_THE_API
    for group in released.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert group["AlarmConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_requests_are_watched_by_the_apis_alarm_and_tasks_by_their_own(prod):
    released = _released(prod)
    for name, group in released.items():
        alarms = json.dumps(group["AlarmConfiguration"]["Alarms"])
        assert ("ServerErrors" in alarms) is (name in BEHIND_THE_API)
        assert all((f"{task}Errors" in alarms) is (name in TASKS) for task in ("ShipOrder", "CompensateOrder"))


def test_in_development_all_calls_move_at_once_whatever_rings(dev):
    groups = _released(dev).values()
    assert {group["DeploymentConfigName"] for group in groups} == {"CodeDeployDefault.LambdaAllAtOnce"}
    assert not any(group["AlarmConfiguration"]["Enabled"] for group in groups)


def test_on_a_laptop_functions_are_called_by_themselves(local):
    assert not local.properties("AWS::Lambda::Alias")
    assert not [kind for _, one in local.resources() if (kind := one["Type"]).startswith("AWS::CodeDeploy::")]


def test_the_api_may_call_what_its_routes_call(templates):
    api = templates.stack("api")
    resources = api["Resources"].values()
    uris = [one["Properties"]["IntegrationUri"] for one in resources if one["Type"] == "AWS::ApiGatewayV2::Integration"]
    allowed = [one["Properties"]["FunctionName"] for one in resources if one["Type"] == "AWS::Lambda::Permission"]
    assert sorted(map(json.dumps, uris)) == sorted(map(json.dumps, allowed))
    assert len({called(api, uri) for uri in uris}) == len(BEHIND_THE_API)


def test_executions_call_the_alias_and_those_from_before_it_the_function(prod):
    assert all(f"{task}Live" in _machine(prod) for task in ("ShipOrder", "CompensateOrder", "SettleOrder"))
    [may] = [
        statement["Resource"]
        for policy, statement in prod.statements()
        if "CheckoutToDelivery" in policy and actions(statement) == ["lambda:InvokeFunction"]
    ]
    assert sorted(json.dumps(one) for one in may if "Ref" in one) == sorted(
        json.dumps({"Ref": name}) for name in prod.stack("workflow")["Resources"] if "Live" in name
    )
    assert len([one for one in may if "Fn::GetAtt" in one]) == len(TASKS)


def test_codedeploy_may_move_these_aliases_and_look_at_alarms_only(prod):
    may = [statement for policy, statement in prod.statements() if "Releases" in policy]
    assert {action for statement in may for action in actions(statement)} == {
        "cloudwatch:DescribeAlarms",
        "lambda:GetAlias",
        "lambda:UpdateAlias",
        "lambda:GetProvisionedConcurrencyConfig",
    }
    for statement in may:
        assert ("*" in json.dumps(statement["Resource"])) is (actions(statement) == ["cloudwatch:DescribeAlarms"])


def test_a_stack_has_room(templates):
    assert all(len(stack["Resources"]) < 300 for stack in templates.stacks.values()), "CloudFormation takes 500"


def test_a_version_is_new_when_a_layer_of_it_is():
    """Without this flag a change of the domain alone, which is a layer, would move no alias."""
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    assert context["@aws-cdk/aws-lambda:recognizeLayerVersion"] is True
