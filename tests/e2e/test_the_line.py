"""`make campaign-wire` in small: a few buyers, while the line between the functions and AWS fails."""

import pytest

from tools.local.instance import Instance
from tools.wire import stories
from tools.wire.campaign import Tally, tell
from tools.wire.faults import Boundary, Fault, Plan
from tools.wire.line import Line
from tools.wire.routing import routed
from tools.wire.stage import Goods, stage

WRONG = {
    stories.bought: (
        Fault(Boundary("complete_checkout", "dynamodb", "TransactWriteItems"), "dropped_after"),
        Fault(Boundary("relay_outbox", "events", "PutEvents"), "twice"),
    ),
    stories.delivered: (
        Fault(Boundary("complete_checkout", "dynamodb", "TransactWriteItems"), "conflict", times=2),
        Fault(Boundary("ship_order", "dynamodb", "TransactWriteItems"), "failed_after"),
        Fault(Boundary("send_email", "sesv2", "SendEmail"), "throttled"),
    ),
    stories.canceled_by_buyer: (
        Fault(Boundary("orders", "dynamodb", "TransactWriteItems"), "dropped_before"),
        Fault(Boundary("compensate_order", "dynamodb", "GetItem"), "failed_before", times=5),
    ),
}


@pytest.fixture(scope="module")
def told(instance: Instance) -> Tally:
    """What became of the stories, and of the shop."""
    tally = Tally()
    chosen = [(kind, Plan(WRONG[kind.tell])) for kind in stories.KINDS if kind.tell in WRONG]
    with (
        Line(instance.aws_url) as line,
        routed(instance, line.url),
        stage(instance, line, Goods(shared=3, scarce=0)) as made,
    ):
        tell(made, chosen, tally)
    return tally


def test_whatever_fails_on_the_line_nothing_is_oversold_charged_twice_lost_or_forgotten(told: Tally) -> None:
    found = [line for one in told.violations for line in (one.kind, *one.wrong, *one.journal)]

    assert told.told == len(WRONG)
    assert found == []


def test_all_that_was_to_fail_failed_and_botocore_asked_again(told: Tally) -> None:
    assert told.fired.keys() == told.injected.keys()
    assert told.retries["complete_checkout dynamodb.TransactWriteItems"] >= 1
