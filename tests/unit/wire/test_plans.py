"""What goes wrong in a story is drawn from its seed, fits where it is, and is worded for microburst."""

from random import Random

import jmespath
import pytest
from microburst.rules import from_dict

from stacks.functions import FUNCTIONS
from tools.wire.faults import KINDS, NEVER_FREE, Boundary, Fault, Kind, kinds_at, plan
from tools.wire.stories import KINDS as STORIES


def test_one_seed_makes_one_plan() -> None:
    plans = [[plan(Random(seed), ("carts", "ship_order")) for seed in range(50)] for _ in range(2)]

    assert plans[0] == plans[1]
    assert len(set(map(str, plans[0]))) > 25


def test_every_kind_of_fault_is_drawn_for_some_story() -> None:
    drawn = {
        fault.kind for story in STORIES for seed in range(400) for fault in plan(Random(seed), story.through).faults
    }

    assert drawn == set(KINDS)


def test_what_always_goes_wrong_goes_wrong_first() -> None:
    plans = [plan(Random(seed), ("carts",), (NEVER_FREE,)) for seed in range(20)]

    assert {one.faults[0] for one in plans} == {NEVER_FREE}
    assert any(len(one.faults) > 1 for one in plans)


def test_stories_go_through_functions_that_are_there() -> None:
    assert {function for story in STORIES for function in story.through} <= FUNCTIONS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_microburst_understands_every_fault(kind: Kind) -> None:
    boundary = Boundary("ship_order", "dynamodb", "TransactWriteItems")

    *before, rule = [from_dict(rule) for rule in Fault(boundary, kind, 2, passing=1).rules(("order_1", "order_2"))]

    assert ([one.times for one in before], rule.times) == ([1], 2)
    assert rule.error or rule.latency or rule.reset or rule.response
    assert jmespath.search(rule.body, {"Key": {"pk": {"S": "ORDER#order_2"}}})
    assert not jmespath.search(rule.body, {"Key": {"pk": {"S": "ORDER#order_3"}}})


def test_only_what_transactions_hold_conflicts_and_reads_are_not_done_twice() -> None:
    reading, claiming, changing, transacting = (
        kinds_at(Boundary("ship_order", "dynamodb", operation))
        for operation in ("GetItem", "PutItem", "UpdateItem", "TransactWriteItems")
    )

    assert "conflict" in transacting and "conflict" in changing and "conflict" not in claiming
    assert "twice" in claiming and "twice" not in reading


def test_the_line_sends_no_e_mail_twice_by_itself() -> None:
    assert "twice" not in kinds_at(Boundary("send_email", "sesv2", "SendEmail"))
