"""Tables of encoded items in memory.

A stored item is never changed in place: an update makes a new one, so indexes, streams and snapshots share the images.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stacks.tables import Index, TableSpec
from tools.simulation.dynamodb.capacity import Capacity
from tools.simulation.dynamodb.errors import refused
from tools.simulation.dynamodb.values import Item, copied

TOKEN_SECONDS = 600
"""How long a transaction's request token is good."""
LAG_SECONDS = 1.0
"""How long after a write an eventually consistent read may miss it."""


class Image(NamedTuple):
    """An item as it stands, and its size in bytes."""

    item: Item
    size: int


class Change(NamedTuple):
    """One item before and after a write; None is no item."""

    number: int
    at: float
    keys: tuple[str, str]
    old: Image | None
    new: Image | None
    expired: bool


@dataclass
class Partition:
    """Images in the order of their sort keys: text in a table, (sort key, pk, sk) in an index."""

    epoch: int
    images: dict[Any, Image] = field(default_factory=dict)
    order: list[Any] = field(default_factory=list)

    def copy(self, epoch: int) -> "Partition":
        """The same images, on their own."""
        return Partition(epoch, dict(self.images), list(self.order))

    def put(self, key: Any, image: Image | None) -> None:
        """Puts the image in its place, or takes away what is there."""
        if image is None:
            if self.images.pop(key, None):
                del self.order[bisect_left(self.order, key)]
            return
        if key not in self.images:
            insort(self.order, key)
        self.images[key] = image


@dataclass
class Partitions:
    """Partitions by their key. After `snapshot` they are copied when they are first written to."""

    by_key: dict[str, Partition] = field(default_factory=dict)
    epoch: int = 0

    def put(self, partition: str, key: Any, image: Image | None) -> None:
        """Puts an image into a partition, or takes it away."""
        found = self.by_key.get(partition)
        if found is None:
            found = self.by_key[partition] = Partition(self.epoch)
        elif found.epoch != self.epoch:
            found = self.by_key[partition] = found.copy(self.epoch)
        found.put(key, image)

    def snapshot(self) -> dict[str, Partition]:
        """The partitions as they are; from now on they are left alone."""
        self.epoch += 1
        return dict(self.by_key)

    def restore(self, by_key: dict[str, Partition]) -> None:
        """Goes back to a snapshot, which can be used again."""
        self.epoch += 1
        self.by_key = dict(by_key)


@dataclass(eq=False)
class StoredTable:
    """One table with its indexes and the changes that its stream has seen."""

    name: str
    spec: TableSpec
    partitions: Partitions = field(default_factory=Partitions)
    indexes: dict[str, Partitions] = field(default_factory=dict)
    behind: list[Change] = field(default_factory=list)
    """Changes that the indexes do not show yet: they are brought up to date when they are read."""
    changes: list[Change] = field(default_factory=list)
    recent: dict[tuple[str, str], Change] = field(default_factory=dict)
    """The latest change of each item, where reads may lag."""
    index_keys: tuple[tuple[str, str], ...] = ()
    """Of every key of an index: its attribute, and the index's name."""

    def __post_init__(self) -> None:
        self.index_keys = tuple(
            (attribute, index.name) for index in self.spec.indexes for attribute in (index.partition, index.sort)
        )

    def image(self, pk: str, sk: str) -> Image | None:
        """The item as it stands."""
        partition = self.partitions.by_key.get(pk)
        return partition.images.get(sk) if partition else None

    def index(self, name: str) -> Index:
        """What the index is like."""
        return next(index for index in self.spec.indexes if index.name == name)

    def catch_up(self, until: float = float("inf")) -> None:
        """The indexes show all changes up to this moment."""
        shown = 0
        for change in self.behind:
            if change.at > until:
                break
            shown += 1
            for index in self.spec.indexes:
                self._move(index, change)
        del self.behind[:shown]

    def _move(self, index: Index, change: Change) -> None:
        old, new = index_key(index, change.old), index_key(index, change.new)
        partitions = self.indexes[index.name]
        if old and old != new:
            partitions.put(old[0], (old[1], *change.keys), None)
        if new:
            partitions.put(new[0], (new[1], *change.keys), change.new)


class Snapshot(NamedTuple):
    """The state of a database at a moment."""

    tables: dict[str, tuple[dict[str, Partition], dict[str, dict[str, Partition]], list[Change]]]
    tokens: dict[str, tuple[float, Any]]
    number: int
    capacity: Capacity | None


class Database:
    """The tables of an account, and the knobs that only a simulation has. Made for one thread.

    `names` gives a table another name than its specification's. `clock` answers in seconds.
    """

    def __init__(
        self,
        specs: Iterable[TableSpec],
        *,
        names: dict[str, str] | None = None,
        clock: Callable[[], float] = lambda: 0.0,
        capacity: Capacity | None = None,
        lagging: Callable[[], bool] | None = None,
    ) -> None:
        self.clock, self.capacity, self.lagging = clock, capacity, lagging
        self.tokens: dict[str, tuple[float, Any]] = {}
        """By request token: the moment at which it ends, and the writes that it stands for."""
        self._number = 0
        self._tables: dict[str, StoredTable] = {}
        for spec in specs:
            name = (names or {}).get(spec.name, spec.name)
            indexes = {index.name: Partitions() for index in spec.indexes}
            self._tables[name] = StoredTable(name, spec, indexes=indexes)

    def table(self, name: str) -> StoredTable:
        """The table. Raises ResourceNotFoundException."""
        try:
            return self._tables[name]
        except KeyError:
            raise refused("ResourceNotFoundException", "Requested resource not found") from None

    def write(self, table: StoredTable, pk: str, sk: str, new: Image | None, *, expired: bool = False) -> None:
        """Puts the image in the item's place (None: nothing), and tells indexes and stream."""
        old = table.image(pk, sk)
        table.partitions.put(pk, sk, new)
        if old is new or not (table.indexes or table.spec.stream or self.lagging):
            return
        self._number += 1
        change = Change(self._number, self.clock(), (pk, sk), old, new, expired)
        if table.indexes:
            table.behind.append(change)
        if self.lagging:
            table.recent[pk, sk] = change
        if table.spec.stream and not (old and new and old.item == new.item):
            table.changes.append(change)

    def lags(self) -> bool:
        """Whether the eventually consistent read that asks is behind."""
        return self.lagging is not None and self.lagging()

    def before_its_last_write(self, table: StoredTable, pk: str, sk: str) -> Image | None:
        """The item as a read that lags sees it."""
        change = table.recent.get((pk, sk))
        if change and self.clock() - change.at < LAG_SECONDS:
            return change.old
        return table.image(pk, sk)

    def records(self, table: str, *, after: int = 0) -> list[dict[str, Any]]:
        """What the table's stream saw after the first `after` changes, each as a record of a Lambda event."""
        return [_record(table, change) for change in self.table(table).changes[after:]]

    def expire(self, table: str, before: float, attribute: str = "expires_at") -> int:
        """Deletes the items whose time to live ended before this moment; how many there were."""
        stored = self.table(table)
        expired = [
            (pk, sk)
            for pk, partition in stored.partitions.by_key.items()
            for sk, image in partition.images.items()
            if "N" in image.item.get(attribute, {}) and float(image.item[attribute]["N"]) < before
        ]
        for pk, sk in expired:
            self.write(stored, pk, sk, None, expired=True)
        return len(expired)

    def items(self, table: str) -> list[Item]:
        """Every item of the table, by its keys: for checks, at no price and never behind."""
        partitions = self.table(table).partitions.by_key
        return [copied(partitions[pk].images[sk].item) for pk in sorted(partitions) for sk in partitions[pk].order]

    def snapshot(self) -> Snapshot:
        """The state as it is."""
        tables = {}
        for name, table in self._tables.items():
            table.catch_up()
            indexes = {index: partitions.snapshot() for index, partitions in table.indexes.items()}
            tables[name] = (table.partitions.snapshot(), indexes, list(table.changes))
        return Snapshot(tables, dict(self.tokens), self._number, self.capacity.copy() if self.capacity else None)

    def restore(self, snapshot: Snapshot) -> None:
        """Goes back to the state of a snapshot of this database, which can be used again."""
        for name, (partitions, indexes, changes) in snapshot.tables.items():
            table = self._tables[name]
            table.partitions.restore(partitions)
            for index, parts in indexes.items():
                table.indexes[index].restore(parts)
            table.changes = list(changes)
            table.behind.clear()
            table.recent.clear()
        self.tokens, self._number = dict(snapshot.tokens), snapshot.number
        self.capacity = snapshot.capacity.copy() if snapshot.capacity else None


def index_key(index: Index, image: Image | None) -> tuple[str, str] | None:
    """Partition and sort key under which an index shows the item; None where it does not."""
    if image is None or index.partition not in image.item or index.sort not in image.item:
        return None
    return image.item[index.partition]["S"], image.item[index.sort]["S"]


def _record(table: str, change: Change) -> dict[str, Any]:
    event = "INSERT" if change.old is None else "REMOVE" if change.new is None else "MODIFY"
    images = {"NewImage": change.new, "OldImage": change.old}
    record: dict[str, Any] = {
        "eventID": f"{change.number:032x}",
        "eventName": event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": int(change.at),
            "Keys": {"pk": {"S": change.keys[0]}, "sk": {"S": change.keys[1]}},
            **{name: copied(image.item) for name, image in images.items() if image},
            "SequenceNumber": str(10**20 + change.number),
            "SizeBytes": max((image.size for image in images.values() if image), default=0),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/1",
    }
    if change.expired:
        record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return record
