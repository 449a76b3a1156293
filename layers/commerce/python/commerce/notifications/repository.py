"""E-mails that were sent, in the orders table: `ORDER#<order id>`/`EMAIL#<kind>#<event id>`.

The claim is written before the e-mail is sent. One without `sent_at` belongs to an e-mail whose fate is unknown,
because the function died or the answer got lost: it stays, since each e-mail is sent at most once.
"""

from dataclasses import dataclass
from datetime import datetime

from commerce.adapters.dynamodb import ConditionFailed, Table
from commerce.clock import iso
from commerce.ids import new_id
from commerce.notifications.model import Kind


@dataclass(frozen=True)
class EmailClaims:
    """The orders table, as far as it is about e-mails."""

    table: Table

    def take(self, order_id: str, kind: Kind, event_id: str, now: datetime) -> bool:
        """The right to send this e-mail; False where somebody has or had it."""
        item = {
            "pk": f"ORDER#{order_id}",
            "sk": f"EMAIL#{kind}#{event_id}",
            "claimed_at": iso(now),
            "by": new_id("claim"),
        }
        try:
            self.table.put_once(item, ("pk", "missing"))
        except ConditionFailed:
            return False
        return True

    def keep(self, order_id: str, kind: Kind, event_id: str, *, message_id: str, now: datetime) -> None:
        """Remembers when the e-mail left, and under which id the mail service knows it."""
        self.table.update(
            f"ORDER#{order_id}",
            f"EMAIL#{kind}#{event_id}",
            set={"sent_at": iso(now), "message_id": message_id},
        )

    def release(self, order_id: str, kind: Kind, event_id: str) -> None:
        """Gives the right back after an e-mail that was certainly not sent."""
        self.table.delete(f"ORDER#{order_id}", f"EMAIL#{kind}#{event_id}", ("sent_at", "missing"))

    def any(self, order_id: str) -> bool:
        """Whether the buyer was written to about this order at all."""
        return any(True for _ in self.table.query(f"ORDER#{order_id}", prefix="EMAIL#", limit=1, consistent=True))
