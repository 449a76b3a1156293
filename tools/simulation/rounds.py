"""The reconciler's every minute. A run that would find nothing is left out: a week has ten thousand of them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tools.simulation.functions import FunctionFailed
from tools.simulation.messaging import skew
from tools.simulation.parcels import Shipment

if TYPE_CHECKING:
    from tools.simulation.world import World

EVERY = 60.0
ASKS_EVERY = 300.0
"""After so many seconds the reconciler also looks at the provider's lists, by the clock on the wall."""
_UNHEARD = 120.0
"""What is younger is left alone: its events may be on their way."""
_UNPUBLISHED = 600.0
"""And what the stream may still be at."""


class Rounds:
    """When the reconciler runs."""

    def __init__(self, world: "World", every: float = EVERY) -> None:
        self._world, self._every = world, every
        self._going = False
        self._stirred = False
        """Whether stock was written since the last run that nothing kept from its work: else pools need no care."""
        self.found = 0
        """How much was mended, or left to a person."""

    def begin(self) -> None:
        """Something was written that the reconciler may have to finish."""
        if not self._going:
            self._going = True
            self._world.scheduler.start("the reconciler", self._go, after=self._until_next(self._every))

    def stir(self) -> None:
        """Stock was written: a row of a pool may be dry."""
        self._stirred = True
        if self._pooled():
            self.begin()

    def once_more(self) -> bool:
        """A last run, at a moment at which it looks everywhere; whether there is anything to look at."""
        if not (self._unfinished() or self._pooled()):
            return False
        self._world.scheduler.start("the reconciler", self._run, after=self._until_next(ASKS_EVERY))
        return True

    def _go(self) -> None:
        while self._unfinished():
            if self._due():
                self._run()
            self._world.scheduler.sleep(self._until_next(self._every))
        self._going = False

    def _until_next(self, period: float) -> float:
        """Seconds: it comes at whole minutes."""
        return period - self._world.scheduler.now % period

    def _unfinished(self) -> bool:
        return (
            (self._stirred and self._pooled())
            or bool(self._untold())
            or bool(self._unheard())
            or bool(self._unpublished())
            or any(map(_waits, self._world.checks.orders()))
        )

    def _due(self) -> bool:
        """Whether a run would find anything."""
        world = self._world
        limit = world.scheduler.now - _UNHEARD
        return (
            (self._stirred and self._pooled())
            or (self._asks() and any(moment <= limit for moment in self._untold()))
            or any(shipment.moved_at <= limit for shipment in self._unheard())
            or any(moment <= world.scheduler.now - _UNPUBLISHED for moment in self._unpublished())
            or any(_waits(order) and _since(order) <= limit for order in world.checks.orders())
        )

    def _asks(self) -> bool:
        """Whether a run at this moment looks at the provider's lists."""
        return self._world.scheduler.now % ASKS_EVERY < self._every

    def _untold(self) -> list[float]:
        """When the undelivered events of the payment provider arose that are young enough to be looked at."""
        untold: list[float] = self._world.payments.untold(self._world.scheduler.now - 3600.0)
        return untold

    def _unpublished(self) -> list[float]:
        """When the events happened that the stream gave up, and that nobody has published since, in the last hour."""
        return self._world.unpublished(self._world.scheduler.now - 3600.0)

    def _unheard(self) -> list[Shipment]:
        """Parcels whose last news did not get through, or came before their order knew of them."""
        world = self._world
        return [one for one in world.depot.shipments.values() if not one.told and world.checks.lacks(one)]

    def _pooled(self) -> bool:
        """Whether there is a pool, which runs tend."""
        return any(self._world.tables.partition("inventory", "POOLS"))

    def _run(self) -> None:
        boundary, boundaries = "lambda.reconcile", self._world.boundaries
        kind = boundaries.strike(boundary, "lambda.schedule")
        if kind == "crash_before":
            boundaries.fired(kind, boundary)
            return
        if kind == "duplicate":
            boundaries.fired(kind, boundary)
            self._world.scheduler.start("the reconciler again", self._reconcile)
        self._reconcile(skew(kind, boundary, boundaries))

    def _reconcile(self, wrong: float = 0.0) -> None:
        fired = self._world.boundaries.tally.fired
        before, stirred, self._stirred = fired.total(), self._stirred, False
        try:
            found = self._world.invoke("reconcile", {}, skew=wrong)
        except FunctionFailed as failure:
            self._stirred |= stirred
            self._world.story.tell("failed", failure.error)
        else:
            self._stirred |= stirred and fired.total() > before
            self.found += found["mended"] + found["left"]
            self._world.story.tell("reconciled", found)


def _waits(order: dict[str, Any]) -> bool:
    return order["status"] == "pending_payment" or "ahead" in order


def _since(order: dict[str, Any]) -> float:
    return datetime.fromisoformat(order.get("moved_at") or order["placed_at"]).timestamp()
