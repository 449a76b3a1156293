"""The erasure's task. Input `{"request_id": …}`; answers `{"state": "done" | "waiting"}`, and nobody's name."""

from typing import Any

from commerce.adapters import wiring
from commerce.adapters.invocation import correlated
from commerce.clock import now
from commerce.privacy.service import erase

wiring.at_start(wiring.person_requests, wiring.person_files, wiring.accounts)


@correlated
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Runs again from wherever it stopped: what is erased is not found again."""
    request = erase(
        wiring.person_requests(),
        wiring.person_files(),
        wiring.accounts(),
        wiring.audit(),
        request_id=event["request_id"],
        now=now(),
    )
    return {"state": request.state}
