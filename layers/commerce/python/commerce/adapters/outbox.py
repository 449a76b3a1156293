"""The transactional outbox: an event leaves exactly if the transaction that it tells of took place.

Items: `EVENT#<event id>`/`EVENT` {detail_type, detail: JSON text, occurred_at, expires_at, unpublished: shard}. The
table's stream feeds `relay_outbox`, which takes the mark `unpublished` off what the bus has taken.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from commerce.adapters.dynamodb import Item, put
from commerce.adapters.sharding import shard_of
from commerce.clock import epoch
from commerce.events import Event, detail

KEPT = timedelta(days=7)
"""Longer than a stream keeps its records, so that a lost one can be relayed again."""


@dataclass(frozen=True)
class Outbox:
    """The outbox table, by name: it is only ever written in other people's transactions."""

    table: str

    def action(self, event: Event) -> dict[str, Any]:
        """The transaction's action that publishes `event`."""
        return put(self.table, self.item(event), ("pk", "missing"))

    @staticmethod
    def item(event: Event) -> Item:
        """The event as it is stored."""
        occurred_at = datetime.fromisoformat(event.occurred_at)
        return {
            "pk": f"EVENT#{event.id}",
            "sk": "EVENT",
            "detail_type": event.type,
            "detail": json.dumps(detail(event), separators=(",", ":")),
            "occurred_at": event.occurred_at,
            "unpublished": str(shard_of(event.id)),
            "expires_at": epoch(occurred_at + KEPT),
        }
