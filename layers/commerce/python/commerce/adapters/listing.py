"""Lists of a table's things, such as the purchase orders in a status: its index `by_listing`.

A thing stands in one list: `listing` = `<list>#<shard>`, by `position`, which no other thing in the list has.
"""

from collections.abc import Iterator
from itertools import islice

from commerce.adapters.dynamodb import Item, Table
from commerce.adapters.sharding import merged, shard_of

_KEYS = ("listing", "position")


def listed(name: str, identifier: str, *, position: str) -> Item:
    """The attributes by which a thing stands in the list `name`, in the order of `position`."""
    return {"listing": f"{name}#{shard_of(identifier)}", "position": f"{position}#{identifier}"}


def unlisted(item: Item) -> Item:
    """What an item says, without where it is listed."""
    return {name: value for name, value in item.items() if name not in _KEYS}


def page(table: Table, name: str, *, after: str | None, limit: int) -> tuple[list[Item], str | None]:
    """Up to `limit` items of the list behind the position `after`, and the position behind which there are more."""

    def shard(number: int) -> Iterator[Item]:
        return table.query(
            f"{name}#{number}",
            index="by_listing",
            keys=_KEYS,
            sort=("position", ">", after) if after else None,
            limit=limit + 1,
        )

    found = list(islice(merged(shard, key="position"), limit + 1))
    return found[:limit], found[limit - 1]["position"] if len(found) > limit else None
