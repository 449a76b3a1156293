"""The audit trail: one append-only entry for every write that staff make.

Items of the audit table: pk = `<resource type>#<id>`, sk = `<RFC 3339 time>#<entry id>`; actor, action, before, after.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commerce.adapters.dynamodb import put
from commerce.clock import iso
from commerce.ids import new_id


@dataclass(frozen=True)
class AuditTrail:
    """The audit table, by name: it is only ever written in other people's transactions."""

    table: str

    def action(
        self,
        resource: str,
        *,
        actor: str,
        action: str,
        now: datetime,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The transaction's action that records who did what to `resource` (`product#<id>`, `stock#<sku>`, …)."""
        item = {
            "pk": resource,
            "sk": f"{iso(now)}#{new_id('audit')}",
            "actor": actor,
            "action": action,
            "before": before,
            "after": after,
        }
        return put(self.table, item, ("pk", "missing"))
