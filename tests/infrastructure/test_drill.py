"""Every alarm of production can be drilled, and what its runbook tells to type is something that AWS understands."""

import re
import shlex

import pytest

from stacks.shop import ROOT
from tools.drill.alarms import alarms
from tools.drill.aws import ANYTHING, BadForm, parsed
from tools.drill.causes import CAUSES, NOT_POSSIBLE
from tools.drill.walk import LEFT_OUT, PLACEHOLDER, commands

RUNBOOKS = sorted(path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md"))
WITHOUT_AWS = {
    "delivery-overdue",
    "delivery-promise",
    "erasure-stuck",
    "execution-failed",
    "execution-timed-out",
    "refund-failed",
}
"""Those whose commands are the shop's own alone."""


def test_every_kind_of_alarm_is_provoked_or_says_why_a_laptop_cannot(prod):
    assert {alarm.kind for alarm in alarms(prod.stacks)} == {*CAUSES, *NOT_POSSIBLE}
    assert not set(CAUSES) & set(NOT_POSSIBLE)


def test_what_is_left_out_on_a_laptop_is_something_that_a_runbook_says():
    said = [command for runbook in RUNBOOKS for command in commands(runbook)]
    assert [begins for begins in LEFT_OUT if not any(command.startswith(begins) for command in said)] == []


def test_all_runbooks_but_these_call_aws():
    silent = {runbook for runbook in RUNBOOKS if not any(_calls(command) for command in commands(runbook))}
    assert silent == WITHOUT_AWS


@pytest.mark.parametrize("runbook", [one for one in RUNBOOKS if one not in WITHOUT_AWS])
def test_aws_knows_every_operation_and_option_of_a_runbook(runbook):
    for command in commands(runbook):
        for one in _calls(command):
            parsed(shlex.split(one))


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("sqs receive-messages --queue-url x", "no operation receive-messages"),
        ("sqs receive-message --url x", "no option --url"),
        ("sqs receive-message --max-number-of-messages 1", "QueueUrl"),
    ],
)
def test_a_command_that_aws_does_not_know_is_refused(typed, wrong):
    with pytest.raises(BadForm, match=wrong):
        parsed(typed.split())


def _calls(command):
    """The calls of AWS in a command, each without `aws`; what a person fills in is filled in with anything."""
    filled = PLACEHOLDER.sub(ANYTHING, command).replace("\\\n", " ")
    inner = re.findall(r"\$\(aws ([^()]*)\)", filled)
    outer = re.sub(r"\$\([^()]*\)", ANYTHING, filled).partition(" > ")[0]
    return [*inner, outer.removeprefix("aws ")] if outer.startswith("aws ") else inner
