"""Where schedules are played: what a process makes once. `virtual.install` must have run before this is imported."""

import gc
from typing import Any

from tools.simulation import money
from tools.simulation.faults import Chooser, Plan
from tools.simulation.flows import FLOWS, crowd, furnish
from tools.simulation.functions import KEY, WEBHOOK_SECRET, Functions
from tools.simulation.schedules import Schedule
from tools.simulation.tables import Tables
from tools.simulation.world import World


class Stage:
    """The functions, the tables and the furnished shop of this process."""

    prefix = ""
    """Of the names of its flows."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._base: Any = None
        self._store = self._load()
        self._world = self._made(0, Plan({}))
        furnish(self._world)
        self._base = self._world.base()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    @property
    def flow_names(self) -> tuple[str, ...]:
        """All flows, under this stage's names."""
        return tuple(f"{self.prefix}{flow}" for flow in FLOWS)

    @property
    def world(self) -> World:
        """The present one."""
        assert self._world is not None
        return self._world

    def play(self, schedule: Schedule, *, told: bool = False, traced: bool = False) -> World:
        """One schedule to its end. Raises Violation or NoRest, and leaves the world as it is at that moment."""
        self._world = None
        self._forget()
        world = self._world = self._made(schedule.seed, schedule.chooser, told=told)
        if traced:
            world.boundaries.trace = []
        scene = FLOWS.get(schedule.flow.removeprefix(self.prefix))
        (scene.play if scene else crowd)(world)
        world.run()
        if scene and (schedule.how == "calm" or (schedule.how in ("single", "race") and scene.firm)):
            world.checks.ended(scene.ends, scene.otherwise)
        if scene and schedule.how in ("calm", "race") and not scene.mends:
            world.checks.undisturbed(world.rounds.found)
        return world

    def _load(self) -> Any:
        """Loads the functions; answers where worlds store things."""
        money.Transport.payments = lambda: self.world.payments
        self._functions = Functions(lambda: self.world)
        self._replace_the_wires()
        return Tables()

    def _made(self, seed: int, chooser: Chooser, *, told: bool = False) -> World:
        """A world that begins with the base."""
        return World(self._functions, self._store, self._base, seed, chooser, told=told)

    def _forget(self) -> None:
        """A schedule begins with functions that have just started: they remember nothing of the one before."""
        from commerce.adapters import wiring

        wiring.inventory().looks.clear()
        wiring.lines().rushes.clear()
        wiring.seals().last.clear()

    def _replace_the_wires(self) -> None:
        """Stripe's connections, EasyPost's client, and the templates of e-mails, which have no effect of their own."""
        import easypost.errors

        from commerce.adapters import wiring
        from commerce.payments import gateway

        gateways: Any = gateway
        gateways._PooledClient = money.Transport
        carrier: Any = wiring._easypost(KEY, (WEBHOOK_SECRET,), None)
        carrier.__dict__["_client"] = _Carrier(lambda: self.world.depot)
        carrier.__dict__["_errors"] = easypost.errors
        letters: Any = self._functions.modules["send_email"]
        letters.render = _plain_letter


class _Carrier:
    """EasyPost's client: its shipments and trackers are the present world's."""

    def __init__(self, depot: Any) -> None:
        self._depot = depot

    @property
    def shipment(self) -> Any:
        return self._depot()

    @property
    def tracker(self) -> Any:
        return self._depot()


def _plain_letter(kind: str, event: Any, order: Any, recipient: str) -> Any:
    from commerce.notifications.model import Email

    return Email(recipient=recipient, subject=kind, html=kind, text=kind)
