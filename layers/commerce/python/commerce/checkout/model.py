"""The checkout as it is stored (item `CHECKOUT#<id>`/`CHECKOUT`), and its life.

What the client asked for (`lines`, `buyer`, `destination`, `option_id`, `codes`) is kept apart from what the shop
derived (`priced`, `discounts`, `totals`, `messages`): deriving again gives the same for the same prices and rates.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from commerce.contact import Buyer, PostalAddress
from commerce.discounts.model import AppliedDiscount
from commerce.messages import Message
from commerce.model import Model
from commerce.money import Currency
from commerce.pricing.model import PricedLine, Total, WantedLine

Status = Literal[
    "incomplete",
    "requires_escalation",
    "ready_for_complete",
    "complete_in_progress",
    "completed",
    "canceled",
]

OPEN: frozenset[Status] = frozenset({"incomplete", "ready_for_complete"})
"""In these the buyer may change it."""
IN_PROGRESS: frozenset[Status] = frozenset({"complete_in_progress", "requires_escalation"})
"""An order exists and waits for its payment."""


class Place(Model):
    """A place in the line for a SKU that more buyers want than can be served at once. It promises no stock."""

    sku: str
    slot: int
    """When the buyer is let in (epoch milliseconds). Asking before, or again after, loses nothing."""
    pace: int
    """How many buyers per second are let in."""


class Checkout(Model):
    """One checkout session. `attempt` counts the orders that it has tried to become."""

    id: str
    owner: str | None = None
    """The signed-in buyer's subject; None for a guest."""
    cart_id: str | None = None
    status: Status
    version: int = 1
    currency: Currency
    lines: tuple[WantedLine, ...]
    buyer: Buyer = Buyer()
    destination: PostalAddress | None = None
    unsealed: bool = Field(default=False, exclude=True)
    """Whether it was read from where a release that sealed nothing stored who buys."""
    destination_id: str | None = None
    option_id: str | None = None
    """The shipping option the buyer chose, one of the shop's rates."""
    country_hint: str | None = None
    """From the client's context, until there is a destination."""
    codes: tuple[str, ...] = ()
    """Discount codes, as the buyer entered them."""
    unknown_codes: int = 0
    """How many that the shop does not know were entered so far."""
    priced: tuple[PricedLine, ...] = ()
    discounts: tuple[AppliedDiscount, ...] = ()
    totals: tuple[Total, ...] = ()
    messages: tuple[Message, ...] = ()
    attempt: int = 1
    order_id: str | None = None
    waiting: Place | None = None
    escalation_url: str | None = None
    """Where the buyer's bank asks for confirmation, while the status is requires_escalation."""
    created_at: str
    updated_at: str
    expires_at: int
    """Epoch seconds; the table's time to live. Reads compare it with the clock, never trusting the sweep."""

    @property
    def tells_of_buyer(self) -> bool:
        """Whether it holds personal data."""
        return self.buyer != Buyer() or self.destination is not None

    @property
    def holder(self) -> str | None:
        """Whose key seals what it tells of the buyer, if any does."""
        return self.id if self.tells_of_buyer and not self.unsealed else None

    def expired(self, now: datetime) -> bool:
        """Whether it is as good as gone. One that is being paid, or was, is never taken away before the sweep."""
        return self.expires_at <= now.timestamp() and self.status not in IN_PROGRESS | {"completed"}
