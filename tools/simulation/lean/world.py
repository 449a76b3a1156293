"""The same shop, entered one layer further in: handlers are called with parsed requests, and the doubles speak Python.

Requests skip API Gateway's event, idempotency keys and JSON answers; nobody consumes the outbox. Everything else of
`tools.simulation.world` is as it is there: people, faults, executions, the reconciler, the invariants.
"""

import functools
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from commerce.adapters import http
from commerce.errors import CommerceError
from commerce.identity.model import GUEST, Caller
from commerce.payments.service import PaymentNotice
from tools.simulation import parcels
from tools.simulation.checks import Before, Checks
from tools.simulation.faults import Plan
from tools.simulation.lean.bank import SIGNATURE, Bank
from tools.simulation.lean.depot import Depot
from tools.simulation.lean.tables import Rows, Tables, copied
from tools.simulation.rounds import EVERY, Rounds
from tools.simulation.world import Answer, World

SELDOM = 300.0
"""Seconds between two runs of the reconciler. In the shop it is a minute; four of five runs would find the same."""


class LeanBase:
    """The tables when a schedule begins, and what the checks and the shelves know of how they came about."""

    def __init__(self, rows: Rows, before: Before, lying: Mapping[tuple[str, str], int]) -> None:
        self.rows, self.before, self.lying = copied(rows), before, lying


class LeanWorld(World):
    """Built anew for each schedule. Its store is the client that the repositories of the process keep."""

    keeps_answers = False

    def _wire(self, client: Any, base: Any) -> None:
        self.checks = Checks(self, base.before if base else None, decode=dict)
        self.tables = client.tables = Tables(self.boundaries, self._written, copied(base.rows if base else {}))
        if self._lag:
            self.tables.lagging = lambda: random.random() < self._lag
        self.bus = Overdue()
        self.payments = Bank(self.boundaries, self.checks, self._bank_tells)
        self.depot = Depot(self.boundaries, self._label_bought)
        planned = isinstance(self.boundaries.chooser, Plan)  # by the number of a call: it must not depend on the fault
        self.rounds = Rounds(self, EVERY if planned else SELDOM)

    def base(self) -> LeanBase:
        """What schedules begin with: the world as it is now."""
        return LeanBase(self.tables.rows, self.checks.before(), self.shelves.loose())

    def _gateway(self, function: str, event: dict[str, Any], wrong: float) -> Answer:
        api: http.Api = self.functions.modules[function].api
        return self._answered(function, functools.partial(_called, api, event), wrong)

    def _rest(self) -> None:
        """There are no consumers of events: what transactions published is looked at where it lies."""
        self.checks.books()
        self.checks.told_once(
            (pk[6:], item["detail_type"], json.loads(item["detail"])["subject"])
            for pk, _, item in self.tables.items("outbox")
        )

    def _outbox_touched(self) -> None:
        """Nobody consumes it."""

    def unpublished(self, since: float) -> list[float]:
        """Nor does anybody wait for it."""
        return []

    def _letters_left(self) -> int:
        return 0

    _letters_redriven = _letters_left

    def _bank_tells(self, notice: PaymentNotice) -> None:
        self.checks.course.told(notice.intent_id or "", notice.kind)
        self.webhook(
            f"stripe {notice.kind}",
            "payment_webhook",
            "POST /webhooks/stripe",
            lambda _, forged: (notice.id, {"stripe-signature": "forged" if forged else SIGNATURE}),
            lambda success: self._stripe_heard(notice.id, success),
            self.checks.healed,
        )

    def _sealed(
        self, shipment: parcels.Shipment, status: str, happened: float, forged: bool
    ) -> tuple[str, dict[str, str]]:
        news = json.dumps([shipment.reference, status, happened])
        return news, {"x-hmac-signature": "forged" if forged else SIGNATURE}


class Overdue:
    """In the place of the bus: of its events people must hear of one alone, that a delivery is overdue."""

    def __init__(self) -> None:
        self.overdue: Callable[[str], None] = lambda order_id: None

    def put(self, entries: list[dict[str, Any]]) -> dict[str, int]:
        """The workflow's own event."""
        for entry in entries:
            self.overdue(json.loads(entry["Detail"])["subject"])
        return {"FailedEntryCount": 0}


def _called(api: http.Api, event: dict[str, Any]) -> Answer:
    """What the handler of the event's route answers to the parsed request."""
    route = api.routes[event["routeKey"]]
    raw = event["body"].encode()
    staff = "authorizer" in event["requestContext"]
    try:
        response = route.call(
            http.Request(
                method=route.method,
                path=event["rawPath"],
                parameters=event["pathParameters"],
                query=event["queryStringParameters"],
                headers=event["headers"],
                raw_body=raw,
                caller=_STAFF if staff else GUEST,
                body=http._parse(route, raw, event["headers"]),
            )
        )
    except CommerceError as error:
        return Answer(http.STATUS[type(error)], {"code": error.code}, "")
    return Answer(response.status or route.status, Shown(response.body), "")


_STAFF = Caller(subject="staff_1", groups=frozenset({"admin"}))


class Shown(Mapping[str, Any]):
    """An answer's body, written out when somebody first reads it: most people look at the status alone."""

    def __init__(self, body: BaseModel | None) -> None:
        self._body = body
        self._fields: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._written[name]

    def __iter__(self) -> Any:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    @property
    def _written(self) -> dict[str, Any]:
        if self._fields is None:
            self._fields = self._body.model_dump(mode="json", by_alias=True, exclude_none=True) if self._body else {}
        return self._fields
