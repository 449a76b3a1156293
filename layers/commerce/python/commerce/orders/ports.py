"""What the use cases around an order need: where its parts are kept, and the workflow that waits for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from commerce.audit import Audit
from commerce.checkout.model import Checkout
from commerce.discounts.model import Discount, OrderDiscount
from commerce.events import Event
from commerce.inventory.model import Part
from commerce.orders.model import Order, Status
from commerce.payments.model import PaymentEvent
from commerce.supply import Supply


class Orders(Protocol):
    """Where orders are kept."""

    def get(self, order_id: str) -> Order:
        """The order. Raises NotFound."""

    def find(self, order_id: str) -> Order | None:
        """The order, or None."""

    def place(
        self,
        order: Order,
        *,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
        patient: bool = True,
    ) -> None:
        """Makes the order. Raises ConditionFailed, and Contended: at the first conflict if not `patient`."""

    def change(
        self,
        order: Order,
        *,
        to: Status | None = None,
        now: datetime | None = None,
        fields: dict[str, Any] | None = None,
        actions: Iterable[dict[str, Any]] = (),
        events: Iterable[Event] = (),
    ) -> Order:
        """Moves the order on, if nobody changed it; `now` goes with `to`. Raises ConditionFailed and Contended."""

    def followed(self, order: Order) -> None:
        """The execution has come to where the order stands, if that is still its status."""


class Checkouts(Protocol):
    """Where checkouts are kept."""

    def get(self, checkout_id: str, now: datetime) -> Checkout:
        """The checkout. Raises NotFound."""

    def action(self, old: Checkout, new: Checkout) -> dict[str, Any]:
        """Replaces `old` by `new`, if nobody changed it."""


class Reservations(Protocol):
    """The stock promised to orders."""

    def reserve_actions(
        self,
        order_id: str,
        parts: Iterable[Part],
        *,
        deadline: datetime,
        now: datetime,
        supply: Mapping[str, Supply],
    ) -> list[dict[str, Any]]:
        """Takes the parts out of what is free; what is sold ahead, as the policies in `supply` allow."""

    def limit_actions(self, buyer: str, units: Mapping[str, int], supply: Mapping[str, Supply]) -> list[dict[str, Any]]:
        """Counts what the buyer takes of SKUs with a purchase limit, by SKU: one action each."""

    def unlimit_actions(self, buyer: str, units: Mapping[str, int]) -> list[dict[str, Any]]:
        """Gives that back."""

    def keep_actions(self, order_id: str, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """Lifts the deadline."""

    def release_actions(self, order_id: str, parts: Iterable[Part], *, now: datetime) -> list[dict[str, Any]]:
        """Gives the parts back."""


class DiscountUses(Protocol):
    """How often discounts were used."""

    def use_actions(self, discounts: Iterable[Discount]) -> dict[str, dict[str, Any]]:
        """By code, counts one use of each that has a limit. Refused where it was changed since, or has been used up."""

    def buyer_use_actions(self, discounts: Iterable[Discount], buyer: str) -> dict[str, dict[str, Any]]:
        """By code, counts one use of the buyer's, of each that limits those. Refused where there were as many."""

    def give_back_actions(self, discounts: Sequence[OrderDiscount], buyer: str) -> list[dict[str, Any]]:
        """Takes the counted uses back."""


class PaymentLedger(Protocol):
    """The append-only list of what happened to an order's money."""

    def of(self, order_id: str) -> list[PaymentEvent]:
        """All of it, the oldest first."""

    def recorded(self, order_id: str, key: str) -> bool:
        """Whether the news with this key is on record."""

    def append(self, order_id: str, event: PaymentEvent) -> None:
        """Appends the event once, whatever becomes of the order."""

    def append_actions(self, order_id: str, events: Iterable[PaymentEvent]) -> list[dict[str, Any]]:
        """Appends the events; refused for news that was recorded before."""


class Workflow(Protocol):
    """The order's execution. A token that is missing or gone is no error."""

    def start(self, order_id: str) -> None:
        """Starts the order's one execution."""

    def succeed(self, token: str | None, output: dict[str, Any]) -> None:
        """The waiting state goes on."""

    def fail(self, token: str | None, error: str, cause: str) -> None:
        """The waiting state compensates."""


class Running:
    """The workflow while it runs one of its own tasks: the answer is the signal, nobody waits for another one."""

    def start(self, order_id: str) -> None:
        """It runs."""

    def succeed(self, token: str | None, output: dict[str, Any]) -> None:
        """Nobody waits."""

    def fail(self, token: str | None, error: str, cause: str) -> None:
        """Nobody waits."""


@dataclass(frozen=True)
class Books:
    """An order, its money, and who did what to it."""

    orders: Orders
    payments: PaymentLedger
    audit: Audit


@dataclass(frozen=True)
class Stores(Books):
    """Everything that a change of an order may have to change with it."""

    checkouts: Checkouts
    inventory: Reservations
    discounts: DiscountUses
