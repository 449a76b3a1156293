"""The rules of a pool: how a hot SKU's free units lie over its rows, and which of them move.

Moves are parts with signed quantities that sum to zero: units leave one row and lie in another.
"""

from collections.abc import Iterator, Sequence

from commerce.inventory.model import Part, Stock

Moves = tuple[Part, ...]


def spread(own: Stock, shards: int) -> Moves:
    """Lays what is free in the SKU's own row over `shards` rows, evenly: none has two more than another."""
    units = max(own.available, 0)
    share, rest = divmod(units, shards)
    return (
        _move(own, 0, -units),
        *(_move(own, shard, share + (shard <= rest)) for shard in range(1, shards + 1)),
    )


def drained(rows: Sequence[Stock]) -> Iterator[Moves]:
    """Each row's free units back to the SKU's own, a row at a time: who buys from the others is not in the way."""
    own, pool = rows[0], rows[1:]
    for row in pool:
        if row.available > 0:
            yield _move(row, row.shard, -row.available), _move(own, 0, row.available)


def levelled(rows: Sequence[Stock]) -> Iterator[Moves]:
    """Units for the rows that ran dry: the SKU's own row shares out what it has, else the richest row halves its own.

    An own row that owes units, because some were sold ahead, gets them first. No row both gives and gets: moves that
    were reckoned from one look must not depend on each other.
    """
    own, pool = rows[0], rows[1:]
    dry = [row for row in pool if row.available <= 0]
    if own.available > 0:
        takers = dry or sorted(pool, key=lambda row: row.available)[:1]
        share, rest = divmod(own.available, len(takers))
        for place, row in enumerate(takers):
            if units := share + (place < rest):
                yield _move(own, 0, -units), _move(row, row.shard, units)
        return
    rich = sorted((row for row in pool if row.available > 1), key=lambda row: -row.available)
    owing = [own] if own.available < 0 else []
    for giver, taker in zip(rich, [*owing, *dry], strict=False):
        units = giver.available // 2
        yield _move(giver, giver.shard, -units), _move(taker, taker.shard, units)


def gathered(rows: Sequence[Stock], units: int) -> Iterator[Moves]:
    """What the SKU's own row lacks of `units` that are to leave the shelf, from the richest rows first."""
    own, pool = rows[0], rows[1:]
    lacking = units - max(own.available, 0)
    for row in sorted(pool, key=lambda row: -row.available):
        if (taken := min(max(row.available, 0), lacking)) > 0:
            yield _move(row, row.shard, -taken), _move(own, 0, taken)
            lacking -= taken


def empty(rows: Sequence[Stock]) -> bool:
    """Whether nothing lies in the pool's rows any more, free or promised."""
    return not any(row.on_hand or row.available for row in rows[1:])


def _move(row: Stock, shard: int, units: int) -> Part:
    return Part(sku=row.sku, location=row.location, shard=shard, quantity=units)
