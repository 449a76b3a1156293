"""Lists into which buyers write are spread over a fixed number of shards, and merged when read.

A partition takes a thousand writes a second. Every reader asks every shard, so they make reading dearer: what only
staff write into, the catalogue's lists, stands whole (docs/decisions/0079-the-catalogues-lists-stand-whole.md).
"""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

SHARDS = 8


def shard_of(identifier: str) -> int:
    """The shard that a thing is listed in; the same for ever."""
    return hashlib.sha256(identifier.encode()).digest()[0] % SHARDS


def merged(query: Callable[[int], Iterable[dict[str, Any]]], *, key: str) -> Iterator[dict[str, Any]]:
    """All shards' items in the order of `key`. `query(shard)` gives one shard's items, already in that order."""
    return in_order([query(shard) for shard in range(SHARDS)], key=key)


def in_order(
    walks: Iterable[Iterable[dict[str, Any]]], *, key: str, descending: bool = False
) -> Iterator[dict[str, Any]]:
    """The items of all walks in the order of `key`, in which each of them is already."""
    return heapq.merge(*walks, key=lambda item: item[key], reverse=descending)
