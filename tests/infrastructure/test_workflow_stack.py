"""The state machine as it is deployed."""

import json

import pytest

from builders.templates import actions, everything_in
from stacks.config import load
from stacks.substitution import substituted


def _definition(templates) -> dict:
    [machine] = templates.properties("AWS::StepFunctions::StateMachine")
    parts = machine["DefinitionString"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "deployed" for part in parts))


def test_every_name_in_the_definition_has_a_value(templates):
    assert not [text for text in everything_in(_definition(templates)) if isinstance(text, str) and "${" in text]


def test_waits_end_when_the_config_says(templates):
    config = load(templates.environment)
    states = _definition(templates)["States"]
    assert states["AwaitPayment"]["TimeoutSeconds"] == config.shop.hold_seconds
    assert states["AwaitDelivery"]["TimeoutSeconds"] == config.delivery_deadline_seconds


def test_every_task_has_an_end(templates):
    tasks = [state for state in _definition(templates)["States"].values() if state["Type"] == "Task"]
    assert tasks
    assert all(isinstance(task["TimeoutSeconds"], int) for task in tasks)


def test_the_state_machine_may_do_what_its_states_do_and_no_more(templates):
    granted = {
        action
        for policy, statement in templates.statements()
        if "CheckoutToDelivery" in policy
        for action in actions(statement)
        if not action.startswith(("logs:", "xray:"))
    }
    assert granted == {"dynamodb:UpdateItem", "events:PutEvents", "lambda:InvokeFunction"}


def test_executions_are_logged_without_their_data_and_traced(templates):
    [machine] = templates.properties("AWS::StepFunctions::StateMachine")
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_shop_is_reconciled_every_minute(templates):
    [rule] = [one for one in templates.properties("AWS::Events::Rule") if "ScheduleExpression" in one]
    assert rule["ScheduleExpression"] == "rate(1 minute)"


def test_a_number_stays_a_number_when_it_is_put_into_a_definition():
    definition = {"TimeoutSeconds": "${Seconds}", "Names": ["${Table}", "order-${Table}"], "Retry": 3}
    assert substituted(definition, {"Seconds": 900, "Table": "orders"}) == {
        "TimeoutSeconds": 900,
        "Names": ["orders", "order-orders"],
        "Retry": 3,
    }


def test_a_name_without_a_value_is_an_error():
    with pytest.raises(KeyError, match="Nobody"):
        substituted({"Resource": "${Nobody}"}, {})
