"""One shop at the level of its use cases, from a schedule's first request to the moment when nothing moves any more."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar

from commerce.adapters.workflow import Workflow
from commerce.audit import Audit
from commerce.checkout.complete import Till
from commerce.checkout.repository import CheckoutRepository, LineRepository
from commerce.errors import CommerceError, Contended, Unavailable
from commerce.fulfilment.model import TrackingStatus
from commerce.fulfilment.settlement import settle
from commerce.fulfilment.shipping import ship
from commerce.fulfilment.tracking import track
from commerce.inventory.pooling import tend_all
from commerce.inventory.repository import InventoryRepository
from commerce.orders.endings import compensate
from commerce.orders.payment import apply_notice
from commerce.orders.ports import Running, Stores
from commerce.orders.repository import OrderRepository
from commerce.payments.repository import PaymentRepository
from commerce.payments.service import PaymentNotice
from commerce.pricing.model import Offer
from commerce.reconciliation.service import EVERYWHERE, reconcile
from commerce.reconciliation.service import Rounds as Round
from commerce.settings import Settings
from tools.simulation import virtual
from tools.simulation.boundary import Boundaries, Died
from tools.simulation.checks import Before, Checks
from tools.simulation.executions import Executions
from tools.simulation.faults import Chance, Chooser
from tools.simulation.functions import FunctionFailed, expected
from tools.simulation.lean.bank import Bank
from tools.simulation.lean.depot import Depot, Parcel
from tools.simulation.lean.tables import Client, Rows, Tables
from tools.simulation.messaging import skew
from tools.simulation.rounds import Rounds
from tools.simulation.scheduler import Scheduler
from tools.simulation.states import Machine
from tools.simulation.story import Story

T = TypeVar("T")
PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds after which a client sends a request again that was not answered."""
RECONCILED_EVERY = 300.0
"""Seconds. In the shop it is a minute; four of five runs would find the same."""
WEBHOOK_PAUSES = (60.0, 3600.0, 43_200.0, 86_400.0)
MOST_REDRIVES = 6
"""By people, at a schedule's end."""


@dataclass(frozen=True)
class Premises:
    """What a process makes once: repositories whose client leads to the present world, settings, the machine."""

    client: Client
    orders: OrderRepository
    payments: PaymentRepository
    audit: Audit
    checkouts: CheckoutRepository
    inventory: InventoryRepository
    lines: LineRepository
    settings: Settings
    machine: Machine
    offers: dict[str, Offer]
    timeouts: dict[str, float]
    """Seconds that each function may run."""


@dataclass(frozen=True)
class Base:
    """The tables when a schedule begins, and what the checks know of how they came about."""

    rows: Rows
    before: Before


class World:
    """Built anew for each schedule."""

    def __init__(
        self, premises: Premises, base: Base | None, seed: int, chooser: Chooser, *, told: bool = False
    ) -> None:
        self.premises = premises
        self.random = Random(seed)
        random.seed(seed)
        self.scheduler = Scheduler(self.random)
        virtual.play(self.scheduler, first=1000 if base else 1)
        self.story = Story(self.scheduler, told=told)
        self.boundaries = Boundaries(self.scheduler, chooser, self.story)
        self.checks = Checks(self, base.before if base else None, decode=dict)  # type: ignore[arg-type]
        rows = base.rows if base else {}
        self.tables = Tables(self.boundaries, self, _copied(rows))
        lag = self.random.choice((0.0, 0.0, 0.3)) if isinstance(chooser, Chance) else 0.0
        if lag:
            self.tables.lagging = lambda: random.random() < lag
        premises.client.tables = self.tables
        premises.inventory.looks.clear()
        premises.lines.rushes.clear()
        self.payments = Bank(self.boundaries, self.checks, self._bank_tells)
        self.on_parcel: Callable[[Parcel], None] = lambda parcel: None
        """What becomes of a parcel whose label was bought: the flow says."""
        self.on_overdue: Callable[[str], None] = lambda order_id: None
        """Who looks after an order whose parcel is late."""
        self.depot = Depot(self.boundaries, lambda parcel: self.on_parcel(parcel))
        self.executions = Executions(
            premises.machine,
            self.scheduler,
            self.boundaries,
            self.tables,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            self.invoke,
            lambda boundary: None,
        )
        calls = {
            name: lambda _name=name, **parameters: self.executions.call(_name, parameters)
            for name in ("start_execution", "send_task_success", "send_task_failure")
        }
        self.workflow = Workflow(SimpleNamespace(**calls), "arn:checkout_to_delivery")
        self.stores = Stores(
            premises.orders, premises.payments, premises.audit, premises.checkouts, premises.inventory
        )
        self.till = Till(
            stores=self.stores,
            checkouts=premises.checkouts,
            catalog=self,
            shelves=premises.inventory,
            gateway=self.payments,
            workflow=self.workflow,
            lines=premises.lines,
            settings=premises.settings,
            pause=virtual.sleep,
            clock=virtual.monotonic,
        )
        self.rounds = Rounds(self, RECONCILED_EVERY)  # type: ignore[arg-type]

    # --- what happens in the shop -----------------------------------------------------------------------------------

    def within(self, function: str, do: Callable[[], T], wrong: float = 0.0) -> T:
        """The use case's answer, in the present actor's line of work, as a function runs it. Raises FunctionFailed."""
        actor = self.scheduler.current
        assert actor is not None
        before = actor.function, actor.deadline, actor.skew
        actor.function, actor.deadline, actor.skew = (
            function,
            self.scheduler.now + self.premises.timeouts[function],
            wrong,
        )
        try:
            return do()
        except Died as died:
            raise FunctionFailed("Lambda.Unknown", str(died)) from None
        except Exception as error:
            self.story.tell("raised", type(error).__name__, str(error))
            expected(error)
            raise FunctionFailed(type(error).__name__, str(error)) from error
        finally:
            actor.function, actor.deadline, actor.skew = before

    def request(self, function: str, name: str, do: Callable[[], T]) -> T | None:
        """A client's request, sent again until it is answered; None where it was refused or never answered."""
        for pause in (*PAUSES, None):
            try:
                return self._sent(function, name, do)
            except FunctionFailed as failure:
                if _is_refusal(failure.__cause__):
                    return None
            if pause is not None:
                self.scheduler.sleep(pause)
        return None

    def _sent(self, function: str, name: str, do: Callable[[], T]) -> T:
        boundary = f"request.{name}"
        kind = self.boundaries.strike(boundary, "request", seconds=0.02)
        self.story.tell(name)
        if kind == "crash_before":
            self.boundaries.fired(kind, boundary)
            raise FunctionFailed("lost", kind)
        if kind == "duplicate":
            self.boundaries.fired(kind, boundary)
            self.scheduler.start(f"{name} again", lambda: self._quietly(function, do))
        answer = self.within(function, do, skew(kind, boundary, self.boundaries))
        if kind == "answer_lost":
            self.boundaries.fired(kind, boundary)
            raise FunctionFailed("lost", kind)
        self.story.tell("answered", answer)
        return answer

    def _quietly(self, function: str, do: Callable[[], object]) -> bool:
        try:
            self.within(function, do)
        except FunctionFailed:
            return False
        return True

    def invoke(self, function: str, event: dict[str, Any], *, skew: float = 0.0) -> Any:
        """A task of the workflow, or the reconciler. Raises FunctionFailed."""
        return self.within(function, lambda: _TASKS[function](self, **event), skew)

    def offers(self, skus: Any) -> dict[str, Offer]:
        """The catalogue."""
        return {sku: self.premises.offers[sku] for sku in skus if sku in self.premises.offers}

    def base(self) -> Base:
        """What schedules begin with: the world as it is now."""
        return Base(_copied(self.tables.rows), self.checks.before())

    def run(self) -> None:
        """Until everybody is done; then people tidy up, as the runbooks say, and everybody is done again."""
        self.scheduler.run()
        self.boundaries.chooser = None
        for _ in range(MOST_REDRIVES):
            work = self.executions.redrive()
            if not self.rounds.once_more() and not work:
                break
            self.scheduler.run()
        self.checks.books()
        self.checks.told_once(
            (pk[6:], item["detail_type"], json.loads(item["detail"])["subject"])
            for pk, _, item in self.tables.items("outbox")
        )

    # --- what the doubles cause -------------------------------------------------------------------------------------

    def written(self, written: Any) -> None:
        """Every step is checked, and what stays unfinished is found by the reconciler."""
        self.checks.written(written)
        for write in written:
            if (write.table == "orders" and write.sk == "ORDER") or write.pk == "POOLS":
                self.rounds.begin()

    def put(self, entries: Any) -> Any:
        """The workflow's own event: a delivery is overdue."""
        for entry in entries:
            self.on_overdue(json.loads(entry["Detail"])["subject"])
        return {"FailedEntryCount": 0}

    def _bank_tells(self, notice: PaymentNotice) -> None:
        def take() -> bool:
            success = self._quietly(
                "payment_webhook",
                lambda: apply_notice(self.stores, self.workflow, self.payments, notice, now=virtual.now()),
            )
            self.payments.delivered(notice, success)
            if not success:
                self.rounds.begin()
            return success

        self.news(f"bank {notice.kind}", take, early=True)

    def carrier_tells(self, parcel: Parcel, status: TrackingStatus) -> None:
        """The parcel has this status now."""
        parcel.status, parcel.moved_at = status, self.scheduler.now
        news = parcel.news

        def take() -> bool:
            parcel.told = self._quietly(
                "carrier_webhook",
                lambda: track(self.premises.orders, self.workflow, news, now=virtual.now()),
            )
            if not parcel.told:
                self.rounds.begin()
            return parcel.told

        parcel.told = False
        self.news(f"carrier {status}", take)

    def news(self, name: str, take: Callable[[], bool], *, early: bool = False) -> None:
        """On its way to the shop: sent again until it is taken."""
        boundary = f"news.{name}"
        kind = self.boundaries.chance(boundary, "news")
        after = {"at_once": 0.0, "late": 600.0, "three_days_late": 259_200.0}.get(kind or "", 0.2 + 3 * random.random())
        if kind is not None:
            self.boundaries.fired(kind, boundary)
        if kind == "never":
            self.rounds.begin()
            return
        self.payments.slow_answer |= kind == "at_once" and early

        def deliver() -> None:
            for pause in (*WEBHOOK_PAUSES, None):
                self.scheduler.turn(0.02)
                if take() or pause is None:
                    return
                self.scheduler.sleep(pause)

        self.scheduler.start(boundary, deliver, after=after)
        if kind == "duplicate":
            self.scheduler.start(f"{boundary} again", deliver, after=after + 0.05)


def _is_refusal(error: BaseException | None) -> bool:
    """Whether the shop said no; else the same request may be sent again."""
    return isinstance(error, CommerceError) and not isinstance(error, Unavailable | Contended)


def _copied(rows: Rows) -> Rows:
    tables = {name: {pk: dict(partition) for pk, partition in table.items()} for name, table in rows.items()}
    for name in ("orders", "inventory", "carts", "outbox", "audit", "stockroom"):
        tables.setdefault(name, {})
    return tables


def _ship(world: World, order_id: str) -> dict[str, Any]:
    order = ship(
        world.stores,
        world.premises.inventory,
        world.depot,
        world.payments,
        order_id=order_id,
        now=virtual.now(),
    )
    return {"outcome": order.status, "currency": order.currency, "total": order.total}


def _compensate(world: World, order_id: str, error: str = "") -> dict[str, Any]:
    now = virtual.now()
    return {"outcome": compensate(world.stores, Running(), world.payments, order_id=order_id, error=error, now=now)}


def _settle(world: World, order_id: str) -> dict[str, Any]:
    settle(world.stores, lambda: world.payments, order_id=order_id, now=virtual.now())
    return {"outcome": "settled"}


def _reconcile(world: World) -> dict[str, int]:
    tend_all(world.premises.inventory, now=virtual.now())
    round_ = Round(world.stores, world.premises.orders, _Nothing(), world.workflow, world.payments, lambda: world.depot)
    mended = [one.mended for one in reconcile(round_, EVERYWHERE, limit=200, now=virtual.now())]
    return {"mended": sum(mended), "left": len(mended) - sum(mended)}


class _Nothing:
    """In the place of the outbox: what is put there is looked at where it lies."""

    def unpublished(self, **_: Any) -> Any:
        """No event."""
        return iter(())

    def publish(self, event_id: str) -> bool:
        """There is nothing to publish."""
        raise NotImplementedError


_TASKS: dict[str, Callable[..., Any]] = {
    "ship_order": _ship,
    "compensate_order": _compensate,
    "settle_order": _settle,
    "reconcile": _reconcile,
}
