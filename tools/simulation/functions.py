"""The shop's functions, loaded as Lambda loads them, and one invocation at a time.

Their environment names the doubles' tables, and `commerce.adapters.aws.client` hands out clients of the present world.
Everything else is production code: handlers, wiring, idempotency keys, error mapping.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from commerce.errors import CommerceError
from commerce.notifications.service import Refused
from commerce.settings import Location
from tools.simulation.boundary import Died, Violation
from tools.simulation.clients import Client, Services
from tools.simulation.scheduler import Scheduler
from tools.simulation.story import Story

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_test_simulation"
WEBHOOK_SECRET = "whsec_simulation"
SIGNING_KEY = "the simulation's own"
SETTINGS_FILE = "local"
LOCATIONS = (Location(id="main"), Location(id="annex"))
"""Two places, so that orders are split."""
LOADED = (
    "carts",
    "complete_checkout",
    "orders",
    "payment_webhook",
    "carrier_webhook",
    "admin_catalog",
    "admin_discounts",
    "admin_inventory",
    "admin_orders",
    "admin_purchasing",
    "admin_refunds",
    "relay_outbox",
    "send_email",
    "export_analytics",
    "ship_order",
    "compensate_order",
    "settle_order",
    "reconcile",
)


class FunctionFailed(Exception):
    """An invocation that did not answer, as its caller sees it: `error` is the exception's name."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


class Functions:
    """The loaded handlers. Made once per process: worlds come and go behind their clients.

    `client` makes the client of an AWS service; left out, its calls go to the present world.
    """

    def __init__(self, world: Callable[[], Services], client: Callable[[str], Any] | None = None) -> None:
        from stacks.config import load
        from stacks.functions import FUNCTIONS
        from stacks.tables import ALL

        config = load(SETTINGS_FILE)
        config = config.model_copy(update={"shop": config.shop.model_copy(update={"locations": LOCATIONS})})
        self.config = config
        os.environ.update(
            {
                **{table.variable: table.name for table in ALL},
                "SETTINGS": config.shop.model_dump_json(),
                "STATE_MACHINE_ARN": "arn:checkout_to_delivery",
                "EVENT_BUS": "bus",
                "RELAY_FAILURES_QUEUE_URL": "parked",
                "ANALYTICS_STREAM": "analytics",
                "SIGNING_SECRET_ARN": "signing",
                "PAYMENT_SECRET_ARN": "payment",
                "CARRIER_SECRET_ARN": "carrier",
                "USER_POOL_ID": "none",
                "USER_POOL_CLIENT_ID": "none",
                "USER_POOL_ISSUER": "none",
                "POWERTOOLS_LOG_LEVEL": "CRITICAL",
                "POWERTOOLS_METRICS_DISABLED": "true",
                "POWERTOOLS_SERVICE_NAME": "simulation",
                "MEDIA_URL": "http://media",
            }
        )
        from commerce.adapters import aws, secrets

        clients: Any = aws
        clients.client = lambda service, **_: client(service) if client else Client(service, world)
        known = {"signing": {"key": SIGNING_KEY}} | {
            name: {"api_key": KEY, "webhook_secret": WEBHOOK_SECRET} for name in ("payment", "carrier")
        }
        secrets._known.update({name: (float("inf"), fields) for name, fields in known.items()})
        from commerce.adapters import http, queues

        watched: Any = http
        watched.logger = WatchedLogger()
        swallowing: Any = queues
        swallowing._left = _left
        self._timeouts = {name: float(FUNCTIONS[name].timeout) for name in LOADED}
        self.modules = {name: _load(name) for name in LOADED}
        reconciler: Any = self.modules["reconcile"]
        reconciler._count = lambda name, value: None  # metrics go to standard output

    def timeout(self, name: str) -> float:
        """Seconds that the function may run."""
        return self._timeouts[name]

    def invoke(self, scheduler: Scheduler, story: Story, name: str, event: dict[str, Any], skew: float) -> Any:
        """The handler's answer, in the present actor's own line of work. Raises FunctionFailed."""
        return self.within(scheduler, story, name, lambda: self.modules[name].handler(event, None), skew)

    def within(self, scheduler: Scheduler, story: Story, name: str, do: Callable[[], T], skew: float) -> T:
        """What a part of the function answers, within its time. Raises FunctionFailed."""
        actor = scheduler.current
        assert actor is not None
        before = actor.function, actor.deadline, actor.skew
        actor.function, actor.deadline, actor.skew = name, scheduler.now + self._timeouts[name], skew
        try:
            return do()
        except Died as died:
            raise FunctionFailed("Sandbox.Timedout" if "time" in str(died) else "Lambda.Unknown", str(died)) from None
        except Exception as error:
            story.tell("raised", type(error).__name__, str(error))
            expected(error)
            raise FunctionFailed(type(error).__name__, str(error)) from error
        finally:
            actor.function, actor.deadline, actor.skew = before


def expected(error: BaseException | None) -> None:
    """Whether a function may fail like this: the shop's own errors, and those of services that do not answer."""
    if not isinstance(error, CommerceError | ClientError | BotoCoreError | Refused):
        raise Violation("no surprises", f"{type(error).__name__}: {error}") from error


def _left(record: Any, error: Exception) -> None:
    """In the place of a queue's word about a message that comes again. Poison is no surprise."""
    if not isinstance(error, json.JSONDecodeError):
        expected(error)


class WatchedLogger:
    """In the place of Powertools' logger: what a function swallows and only logs is looked at all the same."""

    def exception(self, *_: Any, **__: Any) -> None:
        """An error that became an answer of 503."""
        expected(sys.exc_info()[1])

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _load(name: str) -> ModuleType:
    path = ROOT / "functions" / name / "handler.py"
    spec = importlib.util.spec_from_file_location(f"functions_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
