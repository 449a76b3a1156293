"""The state machine as it is deployed."""

import json

import pytest

from builders.templates import actions, everything_in
from stacks.config import load
from stacks.substitution import substituted

MACHINES = ("checkout-to-delivery", "erase-person")


def _machine(templates, name: str) -> dict:
    machines = templates.properties("AWS::StepFunctions::StateMachine")
    [machine] = [one for one in machines if one["StateMachineName"].endswith(name)]
    return machine


def _definition(templates, name: str = "checkout-to-delivery") -> dict:
    machine = _machine(templates, name)
    parts = machine["DefinitionString"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "deployed" for part in parts))


@pytest.mark.parametrize("name", MACHINES)
def test_every_name_in_the_definition_has_a_value(templates, name):
    definition = _definition(templates, name)
    assert not [text for text in everything_in(definition) if isinstance(text, str) and "${" in text]


def test_waits_end_when_the_config_says(templates):
    config = load(templates.environment)
    states = _definition(templates)["States"]
    assert states["AwaitPayment"]["TimeoutSeconds"] == config.shop.hold_seconds
    assert states["AwaitDelivery"]["TimeoutSeconds"] == config.delivery_deadline_seconds


@pytest.mark.parametrize("name", MACHINES)
def test_every_task_has_an_end(templates, name):
    tasks = [state for state in _definition(templates, name)["States"].values() if state["Type"] == "Task"]
    assert tasks
    assert all(isinstance(task["TimeoutSeconds"], int) for task in tasks)


def test_the_state_machine_may_do_what_its_states_do_and_no_more(templates):
    allowed = {"dynamodb:UpdateItem", "events:PutEvents", "lambda:InvokeFunction"}
    assert _granted(templates, "CheckoutToDelivery") == allowed


def test_an_erasure_may_call_its_function_alone_and_ends_before_the_laws_month_does(templates):
    assert _granted(templates, "PersonErasure") == {"lambda:InvokeFunction"}
    assert _definition(templates, "erase-person")["TimeoutSeconds"] == 25 * 86_400


@pytest.mark.parametrize("name", MACHINES)
def test_executions_are_logged_without_their_data_and_traced(templates, name):
    machine = _machine(templates, name)
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


def _granted(templates, name):
    """What the policy of this name allows, but for logs and traces."""
    return {
        action
        for policy, statement in templates.statements()
        if name in policy
        for action in actions(statement)
        if not action.startswith(("logs:", "xray:"))
    }
