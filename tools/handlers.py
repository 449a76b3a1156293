"""The functions' handlers, loaded without a shop, and the operations of the API that they declare."""

import importlib.util
import inspect
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commerce.adapters import aws
from commerce.settings import Settings
from stacks import tables

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

_SHOP = Settings(
    name="Shop",
    url="https://shop.example",
    email_from="shop@shop.example",
    currencies=("USD",),
    countries=("US",),
    shipping_rates=(),
    tax_rates=(),
)

ENVIRONMENT: dict[str, str] = {
    "AWS_REGION": "us-east-1",
    "SETTINGS": _SHOP.model_dump_json(),
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    **{table.variable: table.name for table in tables.ALL},
    **{
        name: f"https://{name.lower().replace('_', '-')}.example"
        for name in (
            "EVENT_BUS",
            "STATE_MACHINE_ARN",
            "ERASURE_STATE_MACHINE_ARN",
            "PAYMENT_SECRET_ARN",
            "CARRIER_SECRET_ARN",
            "SIGNING_SECRET_ARN",
            "USER_POOL_ID",
            "USER_POOL_ISSUER",
            "USER_POOL_CLIENT_ID",
            "MEDIA_URL",
            "ANALYTICS_STREAM",
            "RELAY_FAILURES_QUEUE_URL",
        )
    },
}
"""A value for every variable that a stack sets, so that each handler can be imported; the names lead nowhere."""


class _Offline:
    """Stands for any AWS client while handlers are loaded; using it would be a mistake of theirs."""

    def __init__(self, service: str, **_options: Any) -> None:
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        raise RuntimeError(f"a handler called {self._service}.{operation} while it was imported")


def go_offline() -> None:
    """From now on handlers can be loaded in this process, and none of them reaches AWS."""
    os.environ |= ENVIRONMENT
    aws.client = _Offline  # type: ignore[assignment]


@dataclass(frozen=True)
class Operation:
    """One route, and the function that serves it."""

    function: str
    api: Any
    route: Any

    @property
    def names(self) -> frozenset[str]:
        """What the handler's code calls, by which the headers that it reads are known."""
        return frozenset(inspect.unwrap(self.route.call).__code__.co_names)

    @property
    def changes_a_version(self) -> bool:
        """Whether it wants `If-Match`."""
        return "expected_version" in self.names

    @property
    def takes_a_version(self) -> bool:
        """Whether it heeds `If-Match`, wanted or not."""
        return self.changes_a_version or "version_if_sent" in self.names

    @property
    def cacheable(self) -> bool:
        """Whether it answers 304 to `If-None-Match`."""
        return "cacheable" in self.names


def operations(folder: Path = FUNCTIONS) -> list[Operation]:
    """Every operation that a handler under `folder` declares, in the order of the function's names."""
    found = []
    for path in sorted(folder.glob("*/handler.py")):
        if "Api(" in path.read_text("utf-8"):
            api = load_handler(path.parent.name, folder).api
            found += [Operation(path.parent.name, api, route) for route in api.routes.values()]
    return found


def load_handler(function: str, folder: Path = FUNCTIONS) -> Any:
    """The function's handler as a module of its own name: all of them are called `handler`."""
    path = folder / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"functions_{function}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module
