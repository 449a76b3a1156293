"""The doubles, started in this process, and whoever talks to them."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stripe

from tools.doubles.carrier.double import CarrierDouble
from tools.doubles.http import Answer, Request, Server
from tools.doubles.stripe.double import StripeDouble

API_KEY = "sk_test_shop"


@contextmanager
def stripe_double(state: Path | None = None) -> Iterator[StripeDouble]:
    """A running double on a free port."""
    double = StripeDouble(state=state)
    double.start()
    try:
        yield double
    finally:
        double.stop()


@contextmanager
def carrier_double(state: Path | None = None, auto: float | None = None) -> Iterator[CarrierDouble]:
    """A running double on a free port."""
    double = CarrierDouble(state=state, auto=auto)
    double.start()
    try:
        yield double
    finally:
        double.stop()


def client(double: StripeDouble, *, api_key: str = API_KEY, retries: int = 0) -> stripe.StripeClient:
    """Stripe's own client, talking to the double."""
    return stripe.StripeClient(api_key, base_addresses={"api": double.url}, max_network_retries=retries)


def control(double: StripeDouble | CarrierDouble, path: str, body: dict[str, Any] | None = None) -> Any:
    """GET of a control, or POST where there is a body."""
    request = urllib.request.Request(
        f"{double.url}/_double/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def refusal(double: StripeDouble | CarrierDouble, path: str, body: dict[str, Any]) -> int:
    """The status with which the control refuses."""
    try:
        control(double, path, body)
    except urllib.error.HTTPError as error:
        return error.code
    raise AssertionError("the control took it")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def at_the_bank(url: str, outcome: str) -> str:
    """The buyer presses a button on the bank's page; answers where the bank sends the buyer back to."""
    request = urllib.request.Request(url, f"outcome={outcome}".encode(), method="POST")
    try:
        urllib.request.build_opener(_Stay).open(request, timeout=30)
    except urllib.error.HTTPError as error:
        return str(error.headers["Location"])
    raise AssertionError("the bank did not send the buyer back")


@dataclass
class Receiver:
    """A webhook endpoint that notes what comes. `refuse` so many deliveries first."""

    refuse: int = 0
    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._server = Server(self._take)

    @property
    def url(self) -> str:
        return f"{self._server.url}/hook"

    def __enter__(self) -> "Receiver":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _take(self, request: Request) -> Answer:
        with self._changed:
            if self.refuse:
                self.refuse -= 1
                return Answer(503)
            self.received.append((request.body, dict(request.headers)))
            self._changed.notify_all()
        return Answer(200)

    def wait_for(self, count: int, timeout: float = 30.0) -> list[tuple[bytes, dict[str, str]]]:
        """Waits until so many deliveries have come."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._changed.wait_for(lambda: len(self.received) >= count, deadline - time.monotonic())
            assert len(self.received) >= count, f"{len(self.received)} of {count} deliveries came"
            return list(self.received)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What came, read."""
        with self._changed:
            return [json.loads(body) for body, _ in self.received]
