"""The deployed local shop, as its users see it. `make test` starts the instance `test` before these run."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tools.demo import scenes
from tools.demo.actors import Shopper, Staff
from tools.demo.scenes import Cast
from tools.demo.timeline import Timeline
from tools.demo.watch import until
from tools.local.instance import Instance
from tools.local.staff import token


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The books are read after all that the other tests did to the shop."""
    items.sort(key=lambda item: item.path.name == "test_the_books.py")


@pytest.fixture(scope="session")
def instance() -> Instance:
    """The running shop: that of `make test`, unless TRADEPOST_INSTANCE names another."""
    return Instance(os.environ.get("TRADEPOST_INSTANCE") or "test")


@pytest.fixture(scope="session")
def everyone(instance: Instance) -> Cast:
    """A shopper, staff, a carrier and a watcher."""
    return Cast.of(instance, Timeline(pause=0.0))


@pytest.fixture(scope="session")
def shop(instance: Instance) -> Iterator[httpx.Client]:
    """A plain HTTP client of the storefront."""
    with httpx.Client(base_url=instance.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def guest(everyone: Cast) -> Shopper:
    """A shopper who is not signed in."""
    return everyone.shopper


@pytest.fixture(scope="session")
def warehouse(everyone: Cast) -> Staff:
    """Someone of the warehouse."""
    return everyone.warehouse


@pytest.fixture(scope="session")
def catalogue(shop: httpx.Client, instance: Instance) -> Staff:
    """Someone who decides what the shop sells, and for how much."""
    return Staff(shop, token(instance, "catalogue"))


@pytest.fixture(scope="session")
def delivered(everyone: Cast) -> dict[str, Any]:
    """An order from the shop window to the door, of which something came back: what was seen until it was there."""
    seen = scenes.delivered(everyone)
    scenes.returned(everyone, seen["order_id"])
    return seen


@pytest.fixture
def stocked(guest: Shopper, warehouse: Staff) -> "Stocker":
    """Sets the stock of a SKU that is in the demo catalogue."""
    return Stocker(guest, warehouse)


@pytest.fixture
def shipped(guest: Shopper, everyone: Cast) -> Callable[[], str]:
    """Buys something and sends it; answers the order's id once the parcel is on its way."""

    def ship() -> str:
        completed = guest.complete(guest.checkout((guest.some_skus(1)[0], 1)))
        order_id = str(completed["order"]["id"])
        scenes.through_warehouse(everyone, order_id)
        until("the shipment", lambda: everyone.warehouse.get(f"/orders/{order_id}")["order"]["status"] == "shipped")
        return order_id

    return ship


@pytest.fixture
def becomes(guest: Shopper) -> Callable[..., Any]:
    """Waits until a checkout has this status; answers the checkout as it is then."""

    def wait(checkout: dict[str, Any], status: str) -> Any:
        def look() -> Any:
            read = guest.get(f"/checkout-sessions/{checkout['id']}")
            return read if read["status"] == status else None

        return until(f"a checkout that is {status}", look)

    return wait


class Stocker:
    """Brings a SKU to a known number of available units."""

    def __init__(self, guest: Shopper, warehouse: Staff) -> None:
        self._warehouse = warehouse
        self._skus = iter(guest.some_skus(4))

    def __call__(self, units: int) -> str:
        """A SKU with exactly so many units available."""
        sku = next(self._skus)
        self._warehouse.adjust(sku, units)
        return sku
