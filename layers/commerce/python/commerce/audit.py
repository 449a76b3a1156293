"""The audit trail, as use cases see it: whoever writes for staff records it in the same transaction."""

from datetime import datetime
from typing import Any, Protocol


class Audit(Protocol):
    """Who did what to which resource."""

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
        """The transaction's action that records it.

        `resource` is `<type>#<id>`, `action` is `<thing>.<what became of it>`: `parcel.picked`.
        """
