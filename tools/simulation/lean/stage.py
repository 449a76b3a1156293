"""Where the lean tier's schedules are played: what a process makes once.

`virtual.install` and `tables.install` must have run before this is imported.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from commerce.adapters import wiring
from commerce.adapters.dynamodb import Item
from commerce.checkout import repository as checkouts
from commerce.orders import repository as orders
from tools.simulation.clients import Client as AwsClient
from tools.simulation.faults import Chooser
from tools.simulation.functions import Functions
from tools.simulation.lean.tables import Client
from tools.simulation.lean.world import LeanWorld
from tools.simulation.stage import Stage

T = TypeVar("T")
_MOST_REMEMBERED = 5_000


class LeanStage(Stage):
    """The functions, on repositories whose client leads to the present world's tables."""

    prefix = "lean-"

    def _load(self) -> Client:
        store = Client()

        def client(service: str) -> Any:
            return store if service == "dynamodb" else AwsClient(service, lambda: self.world)

        self._functions = Functions(lambda: self.world, client)
        stand_ins: Any = wiring
        stand_ins._stripe = lambda *_: self.world.payments
        stand_ins._easypost = lambda *_: self.world.depot
        reconciler: Any = self._functions.modules["reconcile"]
        reconciler.leftovers = _Nothing()
        for repository, name in ((orders, "_order"), (checkouts, "_checkout")):
            setattr(repository, name, _remembered(getattr(repository, name)))
        return store

    def _made(self, seed: int, chooser: Chooser, *, told: bool = False) -> LeanWorld:
        return LeanWorld(self._functions, self._store, self._base, seed, chooser, told=told)


class _Nothing:
    """In the place of what the outbox's relay missed: there is no relay."""

    def unpublished(self, **_: Any) -> Iterator[str]:
        """No event."""
        return iter(())


def _remembered(decode: Callable[[Item], T]) -> Callable[[Item], T]:
    """Decodes a stored item once: neither it nor its model ever changes."""
    known: dict[int, tuple[Item, T]] = {}

    def decoded(item: Item) -> T:
        found = known.get(id(item))
        if found is None or found[0] is not item:
            if len(known) > _MOST_REMEMBERED:
                known.clear()
            found = known[id(item)] = item, decode(item)
        return found[1]

    return decoded
