"""Two hundred buyers want fifty units. Fifty get one, and the others are told, with no error and no charge."""

from typing import Any

import pytest

from tools.local.instance import Instance
from tools.rush.crowd import Crowd


@pytest.fixture(scope="module")
def crowd(instance: Instance) -> Crowd:
    """Two dozen of them at once."""
    return Crowd(instance, at_once=24)


def test_a_rush_of_buyers_gets_exactly_what_is_in_stock(crowd: Crowd, stocked: Any) -> None:
    rush = crowd.fill_carts_together(stocked(15), buyers=60, units=15)

    assert rush.outcomes == {"order": 15, "sold out": 45}
    assert (rush.charges, rush.left) == (15, 0)
    assert not rush.faults


def test_buyers_who_all_pay_in_the_same_moment_get_exactly_what_is_in_stock(crowd: Crowd, stocked: Any) -> None:
    rush = crowd.pay_together(stocked(50), buyers=200, units=50)

    assert rush.outcomes == {"order": 50, "sold out": 150}
    assert (rush.charges, rush.left) == (50, 0)
    assert not rush.faults


@pytest.mark.parametrize("same_key", [True, False], ids=["with one idempotency key", "with a key each"])
def test_completing_a_checkout_twenty_times_at_once_makes_one_order(
    same_key: bool, crowd: Crowd, stocked: Any
) -> None:
    rush = crowd.ask_again(stocked(5), times=20, units=5, same_key=same_key)

    assert rush.outcomes == {"order": 1}
    assert (rush.charges, rush.left) == (1, 4)
    assert not rush.faults
