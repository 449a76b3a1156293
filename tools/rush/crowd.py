"""Buyers who want the same units in the same moment, and what the shop, the provider and the shelf say afterwards."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tools.demo.actors import GOOD_CARD, Shopper, Staff, UnexpectedAnswer, card, key
from tools.local.instance import Instance
from tools.local.staff import token
from tools.local.steps import Stop

ORDER, SOLD_OUT = "order", "sold out"
GONE = "out_of_stock"
"""The error that buyers read on their line."""
_PATIENCE = 60.0
"""Seconds for an answer, where everybody asks at once."""

One = TypeVar("One")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Rush:
    """A crowd, and what became of it."""

    name: str
    buyers: int
    units: int
    outcomes: dict[str, int]
    """How many have an `order`, how many were told `sold out`, and whatever else there was."""
    charges: int
    """Payments that the provider holds or has taken for them."""
    left: int
    """Units that are still available."""
    seconds: float

    @property
    def faults(self) -> list[str]:
        """What is not as it must be, in words."""
        sold = min(self.buyers, self.units)
        wanted = {word: number for word, number in ((ORDER, sold), (SOLD_OUT, self.buyers - sold)) if number}
        wrong = {
            f"the answers are {self.outcomes}, not {wanted}": self.outcomes != wanted,
            f"{self.charges} charges, not {sold}": self.charges != sold,
            f"{self.left} units are left, not {self.units - sold}": self.left != self.units - sold,
        }
        return [f"{self.name}: {fault}" for fault, holds in wrong.items() if holds]


class Crowd:
    """Buyers in front of a shop on this machine, `at_once` of whom ask in the same moment."""

    def __init__(self, instance: Instance, at_once: int, done: Callable[[], object] = lambda: None) -> None:
        """`done` is called for each answer that somebody waited for."""
        self._shop = httpx.Client(base_url=instance.url, timeout=_PATIENCE)
        self._provider = httpx.Client(base_url=instance.stripe_url, timeout=_PATIENCE)
        self.buyer = Shopper(self._shop)
        self.warehouse = Staff(self._shop, token(instance, "warehouse"))
        self._at_once = at_once
        self._done = done

    def pay_together(self, sku: str, buyers: int, units: int) -> Rush:
        """Every one of them is ready to pay before the first one does."""

        def play() -> Iterable[str]:
            checkouts = self._together(lambda _: self.buyer.checkout((sku, 1)), range(buyers))
            if unready := {one["status"] for one in checkouts} - {"ready_for_complete"}:
                raise Stop(f"Not everybody is ready to pay: some checkouts are {', '.join(sorted(unready))}")
            return self._together(self._pay, checkouts)

        return self._rush("all pay together", sku, buyers, units, play)

    def fill_carts_together(self, sku: str, buyers: int, units: int) -> Rush:
        """They come at the same time; most hear at the shelf already what is gone."""

        def play() -> Iterable[str]:
            return self._together(self._buy, [sku] * buyers)

        return self._rush("all fill their carts together", sku, buyers, units, play)

    def ask_again(self, sku: str, times: int, units: int, *, same_key: bool) -> Rush:
        """One buyer, whose checkout is completed so many times at once. Equal answers are one."""

        def play() -> Iterable[str]:
            checkout, shared = self.buyer.checkout((sku, 1)), key()
            path = f"/checkout-sessions/{checkout['id']}/complete"

            def complete(_: int) -> tuple[int, bytes]:
                response = self._shop.post(path, json=card(GOOD_CARD), headers=shared if same_key else key())
                return response.status_code, response.content

            answers = set(self._together(complete, range(times), times))
            return [_outcome(json.loads(body)) if status == 200 else f"HTTP {status}" for status, body in answers]

        keys = "one key" if same_key else "a key each"
        return self._rush(f"one checkout, {times} times at once, {keys}", sku, 1, units, play)

    def _rush(self, name: str, sku: str, buyers: int, units: int, play: Callable[[], Iterable[str]]) -> Rush:
        self.warehouse.adjust(sku, units)
        before, began = self._charges(), time.perf_counter()
        outcomes = Counter(play())
        seconds = round(time.perf_counter() - began, 1)
        charges = self._charges() - before
        return Rush(name, buyers, units, dict(outcomes), charges, self.warehouse.stock(sku)["available"], seconds)

    def _together(self, act: Callable[[One], Answer], whom: Iterable[One], at_once: int = 0) -> list[Answer]:
        answers = []
        with ThreadPoolExecutor(at_once or self._at_once) as crowd:
            for answer in crowd.map(act, whom):
                answers.append(answer)
                self._done()
        return answers

    def _buy(self, sku: str) -> str:
        """From the cart on, as far as the goods are there."""
        seen: dict[str, Any] = {}
        steps = (
            lambda _: self.buyer.cart((sku, 1)),
            self.buyer.begin,
            self.buyer.fill_in,
            self.buyer.choose_shipping,
        )
        try:
            for step in steps:
                seen = step(seen)
                if GONE in _errors(seen):
                    return SOLD_OUT
        except UnexpectedAnswer as refused:
            return f"HTTP {refused.response.status_code}"
        return self._pay(seen)

    def _pay(self, checkout: dict[str, Any]) -> str:
        try:
            return _outcome(self.buyer.complete(checkout))
        except UnexpectedAnswer as refused:
            return f"HTTP {refused.response.status_code}"

    def _charges(self) -> int:
        return int(self._provider.get("/_double/summary").json()["authorized"])


def _outcome(checkout: dict[str, Any]) -> str:
    if checkout["status"] == "completed":
        return ORDER
    errors = _errors(checkout)
    return SOLD_OUT if errors == {GONE} else f"{checkout['status']} {sorted(errors)}"


def _errors(told: dict[str, Any]) -> set[str]:
    return {message["code"] for message in told["messages"] if message["type"] == "error"}
