"""A short drill without anybody there: what rings is heard, and its runbook can be gone by (`make drill` does all)."""

import pytest

from tools.drill.__main__ import play
from tools.drill.alarms import Alarm, alarms
from tools.guard import deployed
from tools.local.instance import Instance


@pytest.fixture(scope="module")
def rings(instance: Instance) -> list[Alarm]:
    """What rings in the deployed shop."""
    client = instance.client("cloudformation")
    stacks = [f"tradepost-local-{name}" for name in ("operations", "workflow")]
    return list(alarms({stack: deployed(client, stack) for stack in stacks}))


@pytest.mark.parametrize("kind", ["AWS/Lambda Errors", "AWS/Lambda Invocations"])
def test_operators_hear_of_it_and_can_go_by_the_runbook(instance: Instance, rings: list[Alarm], kind: str) -> None:
    of_kind = [alarm for alarm in rings if alarm.kind == kind]

    [drilled] = play(instance, of_kind)

    assert drilled.faults == []
    assert drilled.cause == "provoked"
    assert set(drilled.heard) == {alarm.name for alarm in of_kind}
    assert any(command.outcome == "ran" for command in drilled.commands)
