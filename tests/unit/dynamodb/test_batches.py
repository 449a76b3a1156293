"""Reads of many items: what a busy table leaves out is asked for again, not for ever."""

from typing import Any

import pytest

from commerce.adapters.dynamodb import ATTEMPTS, Contended, Table, from_item, to_item


class Busy:
    """A table in which every item exists. It answers so many of the keys at once, in the order of `answers`."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """As DynamoDB: a success, whatever it leaves out."""
        [(table, request)] = RequestItems.items()
        keys = request["Keys"]
        self.asked.append([from_item(key)["pk"] for key in keys])
        served = self.answers.pop(0) if self.answers else len(keys)
        left = {table: {**request, "Keys": keys[served:]}} if keys[served:] else {}
        return {"Responses": {table: keys[:served]}, "UnprocessedKeys": left}


def read(client: Busy, count: int) -> list[str]:
    keys = [(f"CART#{number}", "CART") for number in range(count)]
    return [item["pk"] for item in Table(client, "carts").get_many(keys)]


def test_a_table_with_room_is_asked_once_for_a_hundred_items(pauses: list[float]) -> None:
    client = Busy()

    assert len(read(client, 250)) == 250
    assert ([len(keys) for keys in client.asked], pauses) == ([100, 100, 50], [])


def test_what_was_left_out_is_asked_for_again_after_a_pause(pauses: list[float]) -> None:
    client = Busy(2, 0)

    assert read(client, 3) == ["CART#0", "CART#1", "CART#2"]
    assert client.asked == [["CART#0", "CART#1", "CART#2"], ["CART#2"], ["CART#2"]]
    assert len(pauses) == 2


def test_who_asks_a_table_that_stays_busy_is_told_to_come_again(pauses: list[float]) -> None:
    client = Busy(*[0] * 100)

    with pytest.raises(Contended):
        read(client, 3)

    assert len(client.asked) == ATTEMPTS
    assert sum(pauses) < 3


def test_items_can_be_read_as_they_are_stored(pauses: list[float]) -> None:
    keys = [to_item({"pk": "CART#1", "sk": "CART"})]

    assert Table(Busy(), "carts").batch(keys, consistent=True) == keys
