"""A crowd buys: what each of them is answered, how fast, and whether the books are right afterwards."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

from commerce.adapters.dynamodb import transact
from commerce.checkout.complete import complete
from commerce.errors import Unavailable, WaitingRoom
from commerce.identity.model import GUEST
from commerce.inventory.pooling import switch_off, tend_all
from commerce.orders.service import cancel_order, parts_of
from tools.flash_sale.loop import Loop
from tools.flash_sale.shop import ACTOR, CARD, ENVIRONMENTS, SKU, Shop

RUSH_SECONDS = 1.0
"""In which all buyers press the button."""


@dataclass
class Sale:
    """What happened."""

    orders: dict[str, float] = field(default_factory=dict)
    """By order id: when its buyer was told, in seconds from the start."""
    answers: Counter[str] = field(default_factory=Counter)
    """How often: ordered, sold_out, waiting (429), unavailable (5xx)."""
    longest_line: int = 0
    lost_places: int = 0
    """How often somebody who asked again was told a place behind the one before."""
    last: float = 0.0
    """When the last buyer had their final answer."""

    def per_second(self, share: float = 1.0) -> float:
        """Orders per second, from the first press of a button until this share of the orders was made: all of them, or
        without those who met others again and again, and say how long the line was rather than how fast it moved.
        """
        served = sorted(self.orders.values())[: ceil(len(self.orders) * share)]
        return len(served) / served[-1] if served else 0.0


def rush(
    *,
    buyers: int,
    units: int,
    shards: int,
    hold: float,
    seed: int = 1,
    seconds: float = float("inf"),
    environments: int = ENVIRONMENTS,
    done: Callable[[], None] = lambda: None,
) -> tuple[Shop, Sale]:
    """`buyers` want one of `units` each, all within `RUSH_SECONDS`. Ends when all have an answer, or after `seconds`.

    `shards` 0 sells from the one counter. `hold` is for how many seconds a transaction holds its items.
    """
    loop = Loop()
    shop, sale = Shop(loop, hold=hold, seed=seed, environments=environments), Sale()
    shop.stocked(units, shards)
    checkouts = shop.checkouts(buyers)
    start = float(ceil(loop.now) + 1)
    for checkout_id in checkouts:
        loop.spawn(start + shop.chance.random() * RUSH_SECONDS, partial(_buyer, shop, sale, checkout_id, start, done))
    with shop.virtual_time():
        loop.run(until=start + seconds)
    return shop, sale


def _buyer(shop: Shop, sale: Sale, checkout_id: str, start: float, done: Callable[[], None]) -> None:
    """Presses the button until there is a final answer, as a client that heeds `Retry-After` does."""
    place = float("inf")
    while True:
        try:
            with shop.environment() as till:
                checkout = complete(till, checkout_id, CARD, caller=GUEST, now=shop.loop.moment())
        except WaitingRoom as waiting:
            sale.answers["waiting"] += 1
            sale.longest_line = max(sale.longest_line, waiting.details["position"])
            sale.lost_places += waiting.details["position"] > place
            place = waiting.details["position"]
            shop.loop.sleep(waiting.retry_after)
        except (Unavailable, ClientError):
            sale.answers["unavailable"] += 1
            shop.loop.sleep(1)
        else:
            break
    if checkout.order_id:
        sale.orders[checkout.order_id] = shop.loop.now - start
    sale.answers["ordered" if checkout.order_id else "sold_out"] += 1
    sale.last = shop.loop.now - start
    done()


def settle(shop: Shop, sale: Sale, *, canceled: int) -> dict[str, Any]:
    """Afterwards some buyers cancel, and the merchant switches the pool off. Says what the books show then."""
    stores = shop.staff.stores
    before = shop.inventory.stock(SKU, "main")
    for order_id in list(sale.orders)[:canceled]:
        order = stores.orders.get(order_id)
        cancel_order(
            stores, shop.staff.workflow, order, reason="buyer_request", actor="buyer", now=shop.loop.moment()
        )
    switch_off(shop.inventory, shop.audit, sku=SKU, actor=ACTOR, now=shop.loop.moment())
    after = shop.inventory.stock(SKU, "main")
    for order_id in list(sale.orders)[canceled:]:
        _ship(shop, order_id)
    tend_all(shop.inventory, now=shop.loop.moment())
    end = shop.rows()
    return {
        "sold": before.reserved,
        "left": before.available,
        "free_after_cancellations": after.available,
        "promised_after_cancellations": after.reserved,
        "rows_at_the_end": len(end),
        "on_hand_at_the_end": end[0].on_hand,
        "available_at_the_end": end[0].available,
        "ledger_sums": shop.balances(),
    }


def _ship(shop: Shop, order_id: str) -> None:
    order = shop.staff.stores.orders.get(order_id)
    transact(shop.client, shop.inventory.ship_actions(order_id, parts_of(order), now=shop.loop.moment()))
