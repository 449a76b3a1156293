"""Ids of carts and checkouts are keys: whoever knows one may touch the thing, so nobody can guess one."""

import math

from commerce.ids import new_id


def test_ids_hold_more_than_anybody_can_guess():
    made = [new_id("cart").removeprefix("cart_") for _ in range(2_000)]
    letters_by_place = [set(letters) for letters in zip(*made, strict=True)]

    assert len(set(made)) == len(made)
    assert sum(math.log2(len(letters)) for letters in letters_by_place) >= 128
