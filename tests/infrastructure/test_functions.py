"""Every function has its own role, logs, layers, limits and alarms; what it is told fits and is what it needs."""

import json
import re

from builders.templates import Templates, actions, everything_in
from commerce.identity.model import KEYS_KEPT
from commerce.settings import Settings
from stacks.config import LARGEST_SETTINGS
from stacks.constructs.rotation import ROTATION_DAYS
from stacks.functions import FUNCTIONS, LAYERS
from stacks.openapi import operations
from stacks.shop import ROOT
from stacks.tables import PRIVACY

MOST_LAYERS = 5
"""That a function may have."""
LONGEST_ANSWER = 29
"""Seconds that API Gateway waits for a function."""
LARGEST_ENVIRONMENT = 4096
"""Bytes of names and values that Lambda takes."""
LARGEST_ADDRESS = 100
"""Bytes that the shop's address adds to the settings when it is known."""
LONGEST = {"_TABLE": "x" * 70, "_ARN": "x" * 140, "": "x" * 90}
"""By the end of a variable's name: as long as a value can be that is known only when it is deployed."""


def _functions(templates: Templates) -> list[dict]:
    return templates.properties("AWS::Lambda::Function")


def test_the_documented_functions_are_those_that_are_deployed(templates, documented):
    prefix = f"tradepost-{templates.environment}-"
    deployed = {one["FunctionName"].removeprefix(prefix).replace("-", "_") for one in _functions(templates)}
    assert deployed == set(documented) == set(FUNCTIONS)


def test_every_function_has_its_handler():
    assert {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")} == set(FUNCTIONS)


def test_every_function_has_a_role_of_its_own(templates):
    roles = [one["Role"]["Fn::GetAtt"][0] for one in _functions(templates)]
    assert len(set(roles)) == len(roles)
    named = {name.partition("/")[2]: role for name, role in templates.resources("AWS::IAM::Role")}
    assert not any("ManagedPolicyArns" in named[role]["Properties"] for role in roles)


def test_every_index_that_a_function_queries_is_one_of_its_tables():
    for spec in FUNCTIONS.values():
        assert set(spec.indexes) <= {index.name for table in spec.tables for index in table.indexes}, spec.name


def test_every_function_has_a_log_group_of_its_own_that_forgets(templates):
    kept = {group["LogGroupName"]: group["RetentionInDays"] for group in templates.properties("AWS::Logs::LogGroup")}
    assert all(f"/aws/lambda/{one['FunctionName']}" in kept for one in _functions(templates))
    assert all("LoggingConfig" in one for one in _functions(templates))


def test_every_function_has_the_domain_and_its_packages_as_layers(templates):
    for one in _functions(templates):
        *packages, commerce = (layer["Ref"] for layer in one["Layers"])
        assert packages[0].startswith("LayersBase") and commerce.startswith("LayersCommerce")
        assert len(one["Layers"]) <= MOST_LAYERS


def test_only_who_moves_money_or_knows_a_buyer_has_the_packages_for_it():
    having = {layer: {name for name, spec in FUNCTIONS.items() if layer in spec.layers} for layer in LAYERS}

    assert having["payment"] == {name for name, spec in FUNCTIONS.items() if "payment" in spec.secrets}
    assert having["carrier"] == {"ship_order", "carrier_webhook", "reconcile"}
    assert having["letters"] == {"send_email"}
    opening = {name for name, spec in FUNCTIONS.items() if PRIVACY in spec.tables or spec.tokens}
    assert having["identity"] == opening
    assert opening.isdisjoint({"catalog", "payment_webhook", "carrier_webhook", "compensate_order", "reconcile"})


def test_every_function_runs_python_on_arm(templates):
    for one in _functions(templates):
        assert (one["Runtime"], one["Architectures"], one["Handler"]) == ("python3.14", ["arm64"], "handler.handler")


def test_a_trace_begins_with_the_order_and_costs_nothing_where_somebody_only_looks(templates):
    modes = {
        one["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: one["TracingConfig"]["Mode"]
        for one in _functions(templates)
    }

    assert modes == {name: "Active" if name == "complete_checkout" else "PassThrough" for name in FUNCTIONS}


def test_every_function_rings_by_itself_or_by_the_api(templates):
    behind_api = {operation.function for operation in operations(ROOT / "docs" / "openapi.json")}
    watched = [
        alarm["AlarmDescription"]
        for alarm in templates.properties("AWS::CloudWatch::Alarm")
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    ]
    assert len(watched) == len(FUNCTIONS) - len(behind_api)
    for name in set(FUNCTIONS) - behind_api:
        assert any(f"The function {name} ended" in text for text in watched), name


def test_one_alarm_tells_when_lambda_refuses_any_function(templates):
    alarms = templates.properties("AWS::CloudWatch::Alarm")
    [alarm] = [one for one in alarms if one["MetricName"] == "Throttles"]
    assert "Dimensions" not in alarm


def test_functions_behind_the_api_answer_before_the_api_gives_up(templates):
    for name in {operation.function for operation in operations(ROOT / "docs" / "openapi.json")}:
        assert templates.function(name)["Timeout"] <= LONGEST_ANSWER


def test_every_function_gets_the_settings(templates):
    for one in _functions(templates):
        text = _rendered(one["Environment"]["Variables"]["SETTINGS"], "https://shop.example")
        assert Settings.model_validate_json(text).currencies


def test_every_environment_fits_with_the_largest_settings(templates):
    for one in _functions(templates):
        variables = {name: value for name, value in one["Environment"]["Variables"].items() if name != "SETTINGS"}
        size = sum(len(name) + len(_rendered(value, _longest(name))) for name, value in variables.items())
        assert size + LARGEST_SETTINGS + LARGEST_ADDRESS < LARGEST_ENVIRONMENT, one["FunctionName"]


def _longest(name: str) -> str:
    return next(text for end, text in LONGEST.items() if name.endswith(end))


def _rendered(value, token: str) -> str:
    """The value as text, with `token` for what is known only when it is deployed."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(_rendered(part, token) for part in parts)
    return token


def test_functions_find_every_variable_that_their_own_code_asks_for(templates):
    for name in FUNCTIONS:
        code = "".join(path.read_text("utf-8") for path in (ROOT / "functions" / name).glob("**/*.py"))
        asked = set(re.findall(r'require\("([A-Z_]+)"\)', code))
        assert asked <= set(templates.function(name)["Environment"]["Variables"]), name


def test_only_functions_that_move_money_know_stripes_keys(templates, documented):
    knowing = {
        name for name in FUNCTIONS if "PAYMENT_SECRET_ARN" in templates.function(name)["Environment"]["Variables"]
    }
    assert knowing == {name for name, imports_stripe in documented.items() if imports_stripe}
    for name in set(FUNCTIONS) - knowing:
        assert "PaymentSecret" not in json.dumps(templates.rights(name)), name


def test_the_doubles_are_known_on_one_laptop_only(local, dev, prod):
    assert local.function("complete_checkout")["Environment"]["Variables"]["STRIPE_API_BASE"]
    for templates in (dev, prod):
        told = [one["Environment"]["Variables"] for one in _functions(templates)]
        assert not any({"STRIPE_API_BASE", "CARRIER_API_BASE", "JWKS_URL"} & set(variables) for variables in told)
        assert not any("127.0.0.1" in str(value) for value in everything_in(templates.stacks) if isinstance(value, str))


def test_the_signing_keys_rotate_by_themselves_on_aws(dev, prod):
    for templates in (dev, prod):
        [schedule] = templates.properties("AWS::SecretsManager::RotationSchedule")
        assert schedule["RotationRules"] == {"AutomaticallyAfterDays": ROTATION_DAYS}
        assert "Signing" in json.dumps(schedule["SecretId"])
        assert ROTATION_DAYS * KEYS_KEPT >= 360, "days for which a link to an order opens it"


def test_only_secrets_manager_calls_the_rotation_and_only_the_rotation_changes_a_secret(templates):
    [allowed] = [
        one for one in templates.properties("AWS::Lambda::Permission") if one["Principal"].startswith("secretsmanager")
    ]
    assert allowed["SourceAccount"] and "Signing" in json.dumps(allowed["SourceArn"])
    writers = {name for name, one in templates.statements() if "secretsmanager:PutSecretValue" in actions(one)}
    assert len(writers) == 1 and "RotateSigningKeys" in writers.pop()
