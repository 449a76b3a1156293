"""Idempotency keys on a real engine: one claim at a time, and one answer for 48 hours."""

from dataclasses import replace
from typing import Any

import pytest

from commerce.adapters.dynamodb import Table
from commerce.adapters.idempotency import CLAIM_SECONDS, WAIT_SECONDS, Claim, IdempotencyStore, Replay
from commerce.errors import IdempotencyInProgress

REQUEST = ("guest POST /carts", "key", "digest")
ANSWER = Replay(201, {"etag": '"1"'}, '{"id": "cart_1"}')


@pytest.fixture
def keys(dynamodb: Any, tables: dict[str, str]) -> IdempotencyStore:
    """The keys by a clock that stands still, unless somebody waits."""
    moment = [1_795_651_200.0]

    def wait(seconds: float) -> None:
        moment[0] += seconds

    return IdempotencyStore(Table(dynamodb, tables["IDEMPOTENCY_TABLE"]), clock=lambda: moment[0], pause=wait)


def claimed(keys: IdempotencyStore) -> Claim:
    claim = keys.claim(*REQUEST)
    assert isinstance(claim, Claim)
    return claim


def test_an_answer_that_was_kept_is_given_again(keys: IdempotencyStore) -> None:
    keys.keep(claimed(keys), ANSWER)

    assert keys.claim(*REQUEST) == ANSWER


def test_an_answer_is_given_again_for_48_hours_and_then_the_key_is_new(keys: IdempotencyStore) -> None:
    keys.keep(claimed(keys), ANSWER)

    keys.pause(48 * 3600 - 1)
    assert keys.claim(*REQUEST) == ANSWER

    keys.pause(1)
    claimed(keys)


def test_who_comes_while_the_first_is_at_work_is_told_so(keys: IdempotencyStore) -> None:
    claimed(keys)

    with pytest.raises(IdempotencyInProgress):
        keys.claim(*REQUEST)


def test_who_comes_while_the_first_is_at_work_waits_and_is_given_its_answer(keys: IdempotencyStore) -> None:
    first, waited = claimed(keys), list[float]()

    def answered_at_the_third_look(seconds: float) -> None:
        keys.pause(seconds)
        waited.append(seconds)
        if len(waited) == 3:
            keys.keep(first, ANSWER)

    assert replace(keys, pause=answered_at_the_third_look).claim(*REQUEST) == ANSWER
    assert (len(waited), sum(waited) < WAIT_SECONDS) == (3, True)


def test_the_claim_of_a_function_that_died_is_taken_over_and_its_late_answer_is_nobodys(keys: IdempotencyStore) -> None:
    dead = claimed(keys)
    keys.pause(CLAIM_SECONDS - 2 * WAIT_SECONDS)
    with pytest.raises(IdempotencyInProgress):
        keys.claim(*REQUEST)
    keys.pause(2 * WAIT_SECONDS)

    second = claimed(keys)
    keys.keep(dead, Replay(500, {}, ""))
    keys.keep(second, ANSWER)
    keys.keep(dead, Replay(500, {}, ""))

    assert keys.claim(*REQUEST) == ANSWER


def test_a_release_that_comes_twice_leaves_the_next_claim_of_that_second_alone(keys: IdempotencyStore) -> None:
    first = claimed(keys)
    keys.release(first)
    second = claimed(keys)

    keys.release(first)
    keys.keep(first, Replay(500, {}, ""))

    with pytest.raises(IdempotencyInProgress):
        keys.claim(*REQUEST)
    keys.keep(second, ANSWER)
    assert keys.claim(*REQUEST) == ANSWER
