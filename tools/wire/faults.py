"""What can go wrong on the line, where, and in which words `microburst` is told of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, get_args

from tools.wire.line import AFTERMATH
from tools.wire.routing import app_id

Kind = Literal[
    "throttled",
    "failed_before",
    "failed_after",
    "dropped_before",
    "dropped_after",
    "slow",
    "late",
    "twice",
    "conflict",
]
"""`_before`: AWS never hears of the request. `_after`: it does the work, and the function is not told: `failed` gets an
error 500, `dropped` a closed connection. `slow`: a moment late. `late`: later than the function waits, so that botocore
asks again, and the first request is carried out after all. `twice`: the work is done twice. `conflict`: with another
transaction."""
KINDS = get_args(Kind)

LATER_THAN_ANYONE_WAITS = 10_500
"""Milliseconds; functions wait 10 s for an answer (commerce/adapters/aws.py)."""
SLOW = {"min": 100, "max": 400}


@dataclass(frozen=True)
class Boundary:
    """Where a function calls AWS. `about_order`: the request names the order or its checkout, so that a fault can be
    kept for one story; another one meets whichever request of the function comes first."""

    function: str
    service: str
    operation: str
    table: str = ""
    about_order: bool = True

    @property
    def name(self) -> str:
        """As reports count it."""
        return f"{self.service}.{self.operation}"


@dataclass(frozen=True)
class Fault:
    """The `times` requests at the boundary that come after `passing` others meet `kind`."""

    boundary: Boundary
    kind: Kind
    times: int = 1
    passing: int = 0

    def __str__(self) -> str:
        where = f"{self.boundary.function}: {self.boundary.name}"
        return f"{where} {self.kind} {self.times} times" + (f", after {self.passing} others" if self.passing else "")

    def rules(self, about: Iterable[str]) -> list[dict[str, Any]]:
        """The rules for microburst, that of the fault last. `about` are the ids by which a request is of this story."""
        at = self._match(about)
        unhurt = [{**at, "times": self.passing}] if self.passing else []
        return [*unhurt, {**at, "times": self.times, **self._effect()}]

    def _match(self, about: Iterable[str]) -> dict[str, Any]:
        match: dict[str, Any] = {"headers": {"user-agent": f"app/{app_id(self.boundary.function)}"}}
        if self.boundary.service == "sesv2":
            match["service"] = "ses"
        else:
            match |= {"service": self.boundary.service, "operation": self.boundary.operation}
        if self.boundary.table:
            match["resource"] = self.boundary.table
        if self.boundary.about_order:
            match["body"] = " || ".join(f"contains(to_string(@), '{one}')" for one in about)
        return match

    def _effect(self) -> dict[str, Any]:
        match self.kind:
            case "throttled" if self.boundary.service != "sesv2":
                throttled = "ProvisionedThroughputExceeded" if self.boundary.service == "dynamodb" else "Throttling"
                return {"error": {"code": f"{throttled}Exception", "status": 400, "message": "Rate exceeded"}}
            case "failed_before" if self.boundary.service != "sesv2":
                return {"error": {"code": "InternalServerError", "status": 500, "message": "We failed"}}
            case "dropped_before":
                return {"reset": True}
            case "slow":
                return {"latency": SLOW}
            case "late":
                return {"latency": LATER_THAN_ANYONE_WAITS}
        return {"response": {"set_headers": {AFTERMATH: self.kind}}}


@dataclass(frozen=True)
class Trouble:
    """What goes wrong at the payment provider's or the carrier's double, see docs/payments.md."""

    double: Literal["stripe", "carrier"]
    operation: str
    fault: str
    times: int

    def __str__(self) -> str:
        return f"{self.double}: {self.operation} {self.fault} {self.times} times"


_READS: tuple[Kind, ...] = ("throttled", "failed_before", "dropped_before", "dropped_after", "slow")
_WRITES: tuple[Kind, ...] = (*_READS, "failed_after", "twice")
_CONTENDED: tuple[Kind, ...] = (*_WRITES, "conflict")


def kinds_at(boundary: Boundary) -> tuple[Kind, ...]:
    """What can go wrong there. An e-mail that the line itself sends twice has left twice, whatever the shop does."""
    if boundary.operation in ("TransactWriteItems", "UpdateItem"):
        return _CONTENDED
    if boundary.service == "sesv2":
        return tuple(kind for kind in _WRITES if kind != "twice")
    return _READS if boundary.operation.startswith(("Get", "BatchGet", "Query")) else _WRITES


def _dynamodb(function: str, *operations: str, about_order: bool = True, table: str = "") -> tuple[Boundary, ...]:
    return tuple(Boundary(function, "dynamodb", one, table, about_order) for one in operations)


def _secrets(function: str) -> Boundary:
    return Boundary(function, "secretsmanager", "GetSecretValue", about_order=False)


def _signals(function: str, *operations: str) -> tuple[Boundary, ...]:
    """A task token does not tell whose it is."""
    return tuple(Boundary(function, "stepfunctions", one, about_order=False) for one in operations)


def _claims(function: str) -> tuple[Boundary, ...]:
    """Idempotency keys do not tell what they are for."""
    return _dynamodb(function, "PutItem", about_order=False, table="idempotency")


_BOUNDARIES: tuple[Boundary, ...] = (
    *_dynamodb("carts", "BatchGetItem", "GetItem", "PutItem", about_order=False),
    *_dynamodb("complete_checkout", "GetItem", "UpdateItem", "TransactWriteItems"),
    *_dynamodb("complete_checkout", "BatchGetItem", about_order=False),
    *_claims("complete_checkout"),
    _secrets("complete_checkout"),
    Boundary("complete_checkout", "stepfunctions", "StartExecution"),
    *_signals("complete_checkout", "SendTaskSuccess", "SendTaskFailure"),
    *_dynamodb("orders", "GetItem", "TransactWriteItems"),
    *_claims("orders"),
    *_signals("orders", "SendTaskFailure"),
    *_dynamodb("admin_orders", "GetItem", "TransactWriteItems"),
    *_claims("admin_orders"),
    *_signals("admin_orders", "SendTaskSuccess", "SendTaskFailure"),
    *_dynamodb("admin_inventory", "BatchGetItem", "GetItem", "TransactWriteItems", about_order=False),
    *_claims("admin_inventory"),
    *_dynamodb("admin_purchasing", "BatchGetItem", "GetItem", "TransactWriteItems", about_order=False),
    *_claims("admin_purchasing"),
    *_dynamodb("admin_discounts", "TransactWriteItems", about_order=False),
    *_claims("admin_discounts"),
    *_dynamodb("admin_privacy", "GetItem", "TransactWriteItems", about_order=False),
    *_claims("admin_privacy"),
    Boundary("admin_privacy", "stepfunctions", "StartExecution", about_order=False),
    *_dynamodb("admin_refunds", "GetItem", "Query", "TransactWriteItems"),
    *_claims("admin_refunds"),
    _secrets("admin_refunds"),
    *_dynamodb("payment_webhook", "GetItem", "TransactWriteItems"),
    _secrets("payment_webhook"),
    *_signals("payment_webhook", "SendTaskSuccess", "SendTaskFailure"),
    *_dynamodb("carrier_webhook", "GetItem", "UpdateItem", "TransactWriteItems"),
    _secrets("carrier_webhook"),
    *_signals("carrier_webhook", "SendTaskSuccess", "SendTaskFailure"),
    *_dynamodb("ship_order", "GetItem", "UpdateItem", "TransactWriteItems"),
    _secrets("ship_order"),
    *_dynamodb("compensate_order", "GetItem", "Query", "UpdateItem", "TransactWriteItems"),
    _secrets("compensate_order"),
    *_dynamodb("settle_order", "GetItem", "Query", "TransactWriteItems"),
    *_dynamodb("erase_person", "GetItem", "Query", "UpdateItem", "DeleteItem", "TransactWriteItems", about_order=False),
    Boundary("relay_outbox", "events", "PutEvents"),
    *_dynamodb("send_email", "GetItem", "PutItem", "UpdateItem"),
    Boundary("send_email", "sesv2", "SendEmail"),
    Boundary("export_analytics", "firehose", "PutRecordBatch", about_order=False),
)

_TROUBLES: dict[str, tuple[tuple[Literal["stripe", "carrier"], str], ...]] = {
    "complete_checkout": (("stripe", "payment_intents.create"), ("stripe", "payment_intents.confirm")),
    "ship_order": (
        ("stripe", "payment_intents.capture"),
        ("carrier", "shipments.buy"),
        ("carrier", "shipments.create"),
    ),
    "compensate_order": (("stripe", "payment_intents.cancel"),),
    "admin_refunds": (("stripe", "refunds.create"),),
}
_DOUBLES_FAULTS = ("error_before", "error_after", "drop_before", "drop_after", "rate_limit")

_TIMES = (1, 1, 1, 1, 2, 3, 5)
"""botocore asks four times: the last one makes it give up."""
NEVER_FREE = Fault(Boundary("complete_checkout", "dynamodb", "TransactWriteItems"), "conflict", times=8)
"""Other buyers of a pooled SKU are in the way, in as many of its rows as a buyer tries (`checkout/complete.py`)."""
_PASSING = (0, 0, 0, 1, 2, 3)


@dataclass(frozen=True)
class Plan:
    """Everything that goes wrong in one story."""

    faults: tuple[Fault, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, (*self.faults, *self.troubles))) or "nothing goes wrong"


def plan(random: Random, through: Iterable[str], always: tuple[Fault, ...] = ()) -> Plan:
    """What goes wrong in a story that goes through these functions: at most three faults, no two at one boundary, and
    those that it meets `always`."""
    functions = set(through)
    places = [boundary for boundary in _BOUNDARIES if boundary.function in functions]
    chosen = random.sample(places, min(len(places), random.choice((0, 1, 1, 2, 2, 3))))
    faults = tuple(
        Fault(place, random.choice(kinds_at(place)), random.choice(_TIMES), random.choice(_PASSING))
        for place in chosen
    )
    if random.random() < 0.02 and faults:
        faults = (Fault(faults[0].boundary, "late"), *faults[1:])
    return Plan((*always, *faults), _troubles(random, functions))


def _troubles(random: Random, functions: set[str]) -> tuple[Trouble, ...]:
    possible = [one for function in sorted(functions) for one in _TROUBLES.get(function, ())]
    if not possible or random.random() > 0.25:
        return ()
    double, operation = random.choice(possible)
    return (Trouble(double, operation, random.choice(_DOUBLES_FAULTS), random.choice((1, 3))),)
