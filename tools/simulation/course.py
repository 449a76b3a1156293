"""The course of each order, watched while it is written: nothing waits for long, and no end has a wrong reason."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from commerce.payments.service import NoticeKind
from tools.simulation.boundary import Violation
from tools.simulation.faults import Plan

if TYPE_CHECKING:
    from tools.simulation.world import World

Stored = dict[str, Any]
"""An order as it is stored, decoded."""
SOON = 900.0
"""Seconds within which the reconciler has seen to what one fault left behind."""
UNPAID = ("payment_declined", "payment_timeout")
"""Why an order is canceled whose payment did not come."""
_ASKED = ("bank.retrieve", "stripe.payment_intents.retrieve")


class Course:
    """What is known of the orders of one schedule as they go."""

    def __init__(self, world: "World", find: Callable[[str], Stored | None]) -> None:
        self._world, self._find = world, find
        self._news: dict[tuple[str, NoticeKind], float] = {}
        """When the provider first had this to say of an intent."""

    def told(self, intent_id: str, kind: NoticeKind) -> None:
        """What became of a payment intent at the provider at this moment."""
        self._news.setdefault((intent_id, kind), self._world.scheduler.now)

    def written(self, before: Stored | None, after: Stored) -> None:
        """An order is placed, or moves on."""
        if before is None:
            self._placed(after)
        elif before["status"] != after["status"]:
            self._moved(before, after)

    def _placed(self, order: Stored) -> None:
        """I4 and I9 while the clock runs: a single fault keeps no unit for long, and no order without its workflow."""
        chooser = self._world.boundaries.chooser
        if isinstance(chooser, Plan) and len(chooser.planned) <= 1:
            hold = datetime.fromisoformat(order["hold_until"]).timestamp()
            self._world.scheduler.at(hold + SOON, lambda: self._decided(order["id"]))
            self._world.scheduler.at(self._world.scheduler.now + SOON, lambda: self._begun(order["id"]))

    def _moved(self, before: Stored, after: Stored) -> None:
        chooser = self._world.boundaries.chooser
        if "ahead" in after and isinstance(chooser, Plan) and chooser.passes:
            self._world.scheduler.at(self._world.scheduler.now + SOON, lambda: self._followed(after))
        if after["status"] == "canceled":
            self._canceled(before, after, after.get("payment_intent", ""))

    def _decided(self, order_id: str) -> None:
        order = self._find(order_id)
        if order is not None and order["status"] == "pending_payment":
            raise Violation("I4", f"{order_id} is unpaid, and holds its goods a quarter of an hour after its deadline")

    def _begun(self, order_id: str) -> None:
        if order_id not in self._world.executions.known:
            raise Violation("I9", f"{order_id} has no execution after a quarter of an hour")

    def _followed(self, then: Stored) -> None:
        order = self._find(then["id"])
        if order is not None and "ahead" in order and order["status"] == then["status"]:
            raise Violation("I9", f"{then['id']} is {then['status']}; its execution has not followed for 15 minutes")

    def _canceled(self, before: Stored, order: Stored, intent: str) -> None:
        """I6: whose payment came is not canceled for want of it, as far as the shop could know."""
        reason, news = order["cancel_reason"], self._news
        if reason in UNPAID and before["status"] != "pending_payment":
            raise Violation("I6", f"{order['id']} was {before['status']}, and is canceled for its payment")
        if reason == "payment_declined" and not news.keys() & {(intent, "declined"), (intent, "voided")}:
            raise Violation("I6", f"{order['id']} is canceled for a payment that nobody declined")
        if reason == "capture_failed" and (intent, "captured") in news:
            raise Violation("I6", f"{order['id']} is canceled for a capture that was made")
        held = news.get((intent, "authorized"), float("inf"))
        if reason == "payment_timeout" and held < self._began() and not self._silent():
            raise Violation("I6", f"{order['id']} is canceled as unpaid; its money is held, and nobody asked")

    def _began(self) -> float:
        """When the present function was called: what happened before that it could learn."""
        actor = self._world.scheduler.current
        if actor is None or actor.function is None:
            return 0.0
        return actor.deadline - self._world.functions.timeout(actor.function)

    def _silent(self) -> bool:
        """Whether the provider did not always say how a payment stands."""
        return any(boundary in _ASKED for _, boundary in self._world.boundaries.tally.fired)
