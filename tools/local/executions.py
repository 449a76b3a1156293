"""How far the orders of a local shop have come in their workflow."""

from typing import Any

from tools.local.instance import Instance
from tools.local.steps import say

SHOWN = 20


def show(instance: Instance) -> None:
    """The latest executions, one line each: the order, the status, the states it entered."""
    states = instance.client("stepfunctions")
    machine = instance.output("StateMachineArn")
    found = states.list_executions(stateMachineArn=machine, maxResults=SHOWN)["executions"]
    for execution in found:
        started = execution["startDate"].strftime("%H:%M:%S")
        entered = " > ".join(_entered(states, execution["executionArn"]))
        say(f"  {started}  {execution['name']}  {execution['status']:9}  {entered}")
    if not found:
        say(f"  No order yet. {instance.command('demo')} places some.")


def _entered(states: Any, execution: str) -> list[str]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]
