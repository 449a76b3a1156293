"""Payment events in DynamoDB: they stand with their order in the table `orders`, see docs/architecture.md."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from commerce.adapters.dynamodb import ConditionFailed, Table, fields, put, transact
from commerce.model import read_back
from commerce.payments.model import PaymentEvent


@dataclass(frozen=True)
class PaymentRepository:
    """Reads an order's payment events, and makes the actions that append one."""

    table: Table

    def of(self, order_id: str) -> list[PaymentEvent]:
        """All that happened to the order's money, the oldest first."""
        items = self.table.query(f"ORDER#{order_id}", prefix="PAYMENT#", consistent=True)
        return [read_back(PaymentEvent, fields(item)) for item in items]

    def recorded(self, order_id: str, key: str) -> bool:
        """Whether the news with this key is on record: a cheap look before a transaction that would be refused."""
        return self.table.get(f"ORDER#{order_id}", f"PAYMENTKEY#{key}") is not None

    def append(self, order_id: str, event: PaymentEvent) -> None:
        """Records the event, whatever becomes of the order. Recorded before, it is left as it is."""
        if self.recorded(order_id, event.key):
            return
        try:
            transact(self.table.client, self.append_actions(order_id, [event]))
        except ConditionFailed:
            return

    def append_actions(self, order_id: str, events: Iterable[PaymentEvent]) -> list[dict[str, Any]]:
        """The transaction's actions that append the events: for each a guard on its key, and the event itself.

        The guard refuses news that was recorded before.
        """
        return [
            put(self.table.name, item, ("pk", "missing"))
            for event in events
            for item in (
                {"pk": f"ORDER#{order_id}", "sk": f"PAYMENTKEY#{event.key}"},
                {
                    "pk": f"ORDER#{order_id}",
                    "sk": f"PAYMENT#{event.occurred_at}#{event.key}",
                    **event.model_dump(exclude_none=True),
                },
            )
        ]
