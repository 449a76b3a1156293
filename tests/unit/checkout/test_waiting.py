"""The waiting room: places in line that shrink, and what the buyer is told."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders.checkout import NOW
from commerce.checkout.model import Place
from commerce.checkout.waiting import LINES, LONGEST_SECONDS, PACE, is_early, join, turn

MOMENT = int(NOW.timestamp() * 1000)


class OneLine:
    """Every line as one that is empty."""

    def __init__(self) -> None:
        self.intervals: list[int] = []

    def note(self, sku: str) -> None: ...

    def is_contended(self, sku: str) -> bool:
        return True

    def join(self, sku: str, number: int, *, interval: int, now: int) -> int:
        assert 0 <= number < LINES
        self.intervals.append(interval)
        return now + interval


def place(slot_in: float, pace: int = 100) -> Place:
    return Place(sku="SHIRT-M", slot=MOMENT + int(slot_in * 1000), pace=pace)


@given(st.integers(min_value=1, max_value=30))
def test_buyers_are_let_in_as_fast_as_the_rows_can_serve(rows: int) -> None:
    lines = OneLine()

    taken = join(lines, "chk_1", "SHIRT-M", rows, NOW)

    served = PACE * rows
    assert served <= taken.pace <= served * 1.1 + 1
    assert lines.intervals == [LINES * 1000 // served]


@given(st.floats(min_value=0.001, max_value=500), st.floats(min_value=0, max_value=500))
def test_a_place_only_moves_forward_and_nobody_waits_beyond_their_slot(slot_in: float, later: float) -> None:
    waiting = place(slot_in)
    first, second = (turn(waiting, NOW + timedelta(seconds=wait)) for wait in (0, later))

    assert first.details["position"] >= second.details["position"] >= 1
    assert 1 <= second.retry_after <= LONGEST_SECONDS
    assert not is_early(waiting, NOW + timedelta(seconds=slot_in))


def test_the_position_is_how_many_are_let_in_before() -> None:
    told = turn(place(2.5), NOW)

    assert told.details == {"position": 251, "retry_after": 3}


def test_whoever_waits_long_is_asked_to_come_back_before_their_turn() -> None:
    assert turn(place(500), NOW).retry_after == LONGEST_SECONDS
