"""The lean tier's tables do what the adapter does on the double of DynamoDB, which is held to the real engine."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from commerce.adapters import dynamodb as adapter
from commerce.errors import ConditionFailed
from stacks.tables import Index, TableSpec
from tools.simulation.boundary import Boundaries
from tools.simulation.dynamodb import Client, Database
from tools.simulation.faults import Plan
from tools.simulation.lean import tables as lean
from tools.simulation.scheduler import Scheduler
from tools.simulation.story import Story

SPEC = TableSpec("orders", "ORDERS_TABLE", indexes=(Index("by_status", "status_shard", "placed_at"),))
STATES = ("new#1", "new#2", "done#1")


def lean_table() -> lean.Table:
    scheduler = Scheduler(Random(1))
    boundaries = Boundaries(scheduler, Plan({}), Story(scheduler, told=False))
    client = lean.Client()
    client.tables = lean.Tables(boundaries, lambda written: None, {"orders": {}})
    return lean.Table(client, "orders")


def real_table() -> adapter.Table:
    return adapter.Table(Client(Database([SPEC])), "orders")


Engine = tuple[Any, Any]
"""The module that makes actions, and a table."""


class Requests:
    """Random requests, each a function of an engine; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def next(self) -> Callable[[Engine], Any]:
        kind = self._random.choice(
            ("put", "update", "delete", "advance", "transact", "transact", "get", "many", "query", "index", "once")
        )
        make: Callable[[], Callable[[Engine], Any]] = getattr(self, f"_{kind}")
        return make()

    def _key(self) -> tuple[str, str]:
        return f"P{self._random.randrange(3)}", f"S#{self._random.randrange(4)}"

    def _conditions(self) -> tuple[Any, ...]:
        number = self._random.randrange(4)
        return self._random.choice(
            (
                (),
                (),
                (("pk", "missing"),),
                (("pk", "exists"),),
                (("count", "=", number),),
                (("count", "<>", number),),
                (("count", ">=", number),),
                (("count", "missing or <=", number), ("pk", "exists")),
                (("status_shard", "in", list(STATES[:2])),),
            )
        )

    def _item(self) -> dict[str, Any]:
        pk, sk = self._key()
        item: dict[str, Any] = {"pk": pk, "sk": sk, "count": self._random.randrange(4), "note": None}
        if self._random.random() < 0.7:
            item |= {
                "status_shard": self._random.choice(STATES),
                "placed_at": f"2026-11-{self._random.randrange(10, 30)}-{pk}-{sk}",
                "lines": [{"sku": "MUG", "quantity": 2}],
            }
        return item

    def _changes(self, *, add: bool) -> dict[str, Any]:
        changes: dict[str, Any] = {"set": {"status_shard": self._random.choice(STATES)}}
        if self._random.random() < 0.3:
            changes["remove"] = ("placed_at",)
        if add:
            changes["add"] = {"count": self._random.randrange(-2, 3)}
        return changes

    def _action(self, pk: str, sk: str) -> Callable[[Any], Any]:
        conditions = self._conditions()
        match self._random.choice(("put", "update", "update", "delete", "check")):
            case "put":
                item = {**self._item(), "pk": pk, "sk": sk}
                return lambda module: module.put("orders", item, *conditions)
            case "update":
                changes = self._changes(add=True)
                return lambda module: module.update("orders", pk, sk, *conditions, **changes)
            case "delete":
                return lambda module: module.delete("orders", pk, sk, *conditions)
            case _:
                checked = conditions or (("pk", "exists"),)
                return lambda module: module.check("orders", pk, sk, *checked)

    def _transact(self) -> Callable[[Engine], Any]:
        keys = {self._key() for _ in range(self._random.randint(1, 4))}
        actions = [self._action(*key) for key in sorted(keys)]
        return lambda engine: engine[0].transact(engine[1].client, [make(engine[0]) for make in actions])

    def _put(self) -> Callable[[Engine], Any]:
        item, conditions = self._item(), self._conditions()
        return lambda engine: engine[1].put(item, *conditions)

    def _once(self) -> Callable[[Engine], Any]:
        item = self._item()
        return lambda engine: engine[1].put_once(item, ("pk", "missing"))

    def _update(self) -> Callable[[Engine], Any]:
        key, conditions, changes = self._key(), self._conditions(), self._changes(add=False)
        return lambda engine: engine[1].update(*key, *conditions, **changes)

    def _advance(self) -> Callable[[Engine], Any]:
        key, by = self._key(), self._random.randrange(1, 4)
        return lambda engine: engine[1].advance(*key, "count", by, ("count", ">=", 0), set={"note": "more"})

    def _delete(self) -> Callable[[Engine], Any]:
        key, conditions = self._key(), self._conditions()
        return lambda engine: engine[1].delete(*key, *conditions)

    def _get(self) -> Callable[[Engine], Any]:
        key = self._key()
        return lambda engine: engine[1].get(*key)

    def _many(self) -> Callable[[Engine], Any]:
        keys = [self._key() for _ in range(3)]
        return lambda engine: sorted(map(str, (sorted(item.items()) for item in engine[1].get_many(keys))))

    def _query(self) -> Callable[[Engine], Any]:
        pk, sk = self._key()
        ranged = self._random.choice(
            (
                {},
                {"prefix": "S#"},
                {"sort": ("sk", "<", sk)},
                {"sort": ("sk", "between", ("S#0", sk))},
                {"sort": ("sk", ">=", sk)},
            )
        )
        limit, descending = self._random.choice((None, 1, 2)), self._random.random() < 0.5
        return lambda engine: list(engine[1].query(pk, **ranged, limit=limit, descending=descending))

    def _index(self) -> Callable[[Engine], Any]:
        state, after = self._random.choice(STATES), f"2026-11-{self._random.randrange(10, 30)}"
        sort = self._random.choice((None, ("placed_at", ">", after)))
        keys = ("status_shard", "placed_at")
        return lambda engine: list(engine[1].query(state, index="by_status", keys=keys, sort=sort))


def outcome(request: Callable[[Engine], Any], engine: Engine) -> Any:
    try:
        return request(engine)
    except ConditionFailed as refused:
        return "refused", refused.failed


@pytest.mark.parametrize("seed", range(8))
def test_both_answer_alike(seed: int) -> None:
    requests = Requests(seed)
    ours, theirs = (lean, lean_table()), (adapter, real_table())
    answers = set()

    for number in range(400):
        request = requests.next()
        answer = outcome(request, theirs)
        assert outcome(request, ours) == answer, number
        answers.add(answer[0] if isinstance(answer, tuple) else type(answer))

    assert {"refused", dict, list, int} <= answers


def test_a_transaction_is_all_or_nothing() -> None:
    table = lean_table()
    actions = [
        lean.put("orders", {"pk": "A", "sk": "S", "count": 1}),
        lean.update("orders", "B", "S", ("pk", "exists"), add={"count": 1}),
    ]

    with pytest.raises(ConditionFailed) as refused:
        lean.transact(table.client, actions)

    assert refused.value.failed == (1,)
    assert table.get("A", "S") is None
