"""One shop with everything it touches, from a schedule's first request to the moment when nothing moves any more."""

import functools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from commerce.adapters.dynamodb import from_item
from stacks.config import Config
from stacks.substitution import substituted
from tools.simulation import money, parcels, virtual
from tools.simulation.boundary import Boundaries
from tools.simulation.checks import Before, Checks
from tools.simulation.dynamodb import Snapshot
from tools.simulation.errors import AwsLine
from tools.simulation.executions import Executions
from tools.simulation.faults import Chance, Chooser, Plan
from tools.simulation.functions import ROOT, FunctionFailed, Functions
from tools.simulation.messaging import Bus, Queue, Stream, skew
from tools.simulation.release import as_before
from tools.simulation.rounds import Rounds
from tools.simulation.scheduler import Scheduler
from tools.simulation.shelves import Place, Shelves
from tools.simulation.states import Machine
from tools.simulation.story import Story
from tools.simulation.tables import Tables, Write

STAFF = {"sub": "staff_1", "token_use": "access", "cognito:groups": "[admin]"}
WEBHOOK_PAUSES = (60.0, 600.0, 3600.0, 18_000.0, 36_000.0, 43_200.0, 43_200.0, 43_200.0)
"""After which seconds a provider sends its news again: Stripe does so for three days, growing rarer."""
HEALED_WITHIN = 900.0
"""Seconds after which the shop knows what a webhook should have told that never came."""
FIRST_NAME = 1000
"""The number of a schedule's first identifier; those before belong to its base."""
SENDING_RATE_FULL = 10.0
"""Seconds: longer than the shop goes on asking for one e-mail."""


@dataclass(frozen=True)
class Answer:
    """What a client got back."""

    status: int
    body: Any
    text: str


@dataclass(frozen=True)
class Base:
    """The state of the tables when a schedule begins, and what the checks know of how it came about."""

    snapshot: Snapshot
    before: Before
    changes: int
    """How much of the outbox's stream was worked off."""
    lying: Mapping[Place, int]
    """What is on the shelves."""


class World:
    """Built anew for each schedule, on the functions of the process and the base of its tables."""

    tables: Any
    payments: Any
    depot: Any
    bus: Any
    """Doubles; each tier has its own (`_wire`)."""
    keeps_answers = True
    """Whether a request that is sent again under its key is answered as the first time."""

    def __init__(
        self,
        functions: Functions,
        store: Any,
        base: Any,
        seed: int,
        chooser: Chooser,
        *,
        told: bool = False,
    ) -> None:
        self.functions = functions
        self.random = Random(seed)
        random.seed(seed)
        self.scheduler = Scheduler(self.random)
        virtual.play(self.scheduler, first=FIRST_NAME if base else 1)
        self.story = Story(self.scheduler, told=told)
        self.boundaries = Boundaries(self.scheduler, chooser, self.story)
        self._lag = self.random.choice((0.0, 0.0, 0.3)) if isinstance(chooser, Chance) else 0.0
        """How often an eventually consistent read is behind by one write."""
        self.shelves = Shelves(base.lying if base else {})
        self.on_parcel: Callable[[parcels.Shipment], None] = lambda shipment: None
        """What becomes of a parcel whose label was bought: the flow says."""
        self.on_order: list[Callable[[], None]] = []
        """Look at the orders each time one of them was written."""
        self.overdue = 0
        """How often people had to ask a carrier for a parcel."""
        self._wire(store, base)
        self.executions = Executions(
            machine(functions.config), self.scheduler, self.boundaries, self.tables, self.bus, self.invoke, self.deploy
        )

    def _wire(self, tables: Tables, base: "Base | None") -> None:
        """Puts doubles where the shop's functions leave it."""
        self.checks = Checks(self, base.before if base else None)
        self.tables = tables
        tables.database.clock, tables.watch = lambda: self.scheduler.now, self._written
        tables.database.lagging = (lambda: random.random() < self._lag) if self._lag else None
        if base is not None:
            tables.database.restore(base.snapshot)
        self.mailbox: list[dict[str, Any]] = []
        self.mails_again_at = 0.0
        """Until then the account's sending rate is full."""
        self.rows: list[dict[str, Any]] = []
        self.parked: list[str] = []
        self.emails = self._queue("emails", "send_email")
        self.analytics = self._queue("analytics", "export_analytics")
        self.bus = Bus(self.scheduler, self.boundaries, self.emails, self.analytics)
        self.stream = Stream(
            self.scheduler,
            self.boundaries,
            self.invoke,
            lambda after: self.tables.database.records("outbox", after=after),
            lambda: self.rounds.begin(),
            done=base.changes if base else 0,
        )
        self.payments = money.Payments(self.boundaries, self._stripe_tells, self.checks)
        self.depot = parcels.Depot(self.boundaries, self._label_bought)
        self.rounds = Rounds(self)

    def base(self) -> Any:
        """What schedules begin with: the world as it is now."""
        return Base(
            self.tables.database.snapshot(),
            self.checks.before(),
            len(self.tables.database.records("outbox")),
            self.shelves.loose(),
        )

    def invoke(self, function: str, event: dict[str, Any], *, skew: float = 0.0) -> Any:
        """Runs a function in the present actor's line of work. Raises FunctionFailed."""
        return self.functions.invoke(self.scheduler, self.story, function, event, skew)

    def aws(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        """One call of a function to an AWS service."""
        if service == "dynamodb":
            return self.tables.call(self.boundaries, operation, parameters)
        if service == "stepfunctions":
            return self.executions.call(operation, parameters)
        return getattr(self, f"_{service}_{operation}")(**parameters)

    def http(
        self,
        function: str,
        route: str,
        *,
        parameters: dict[str, str] | None = None,
        body: Any = None,
        text: str | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        staff: bool = False,
        boundary: str | None = None,
    ) -> Answer | None:
        """One request through API Gateway; None where no answer came."""
        event = _event(route, parameters or {}, body, text, headers or {}, query or {}, staff)
        boundary = boundary or f"http.{route}"
        self.story.tell(route, parameters or {}, body or "")
        kind = self.boundaries.strike(boundary, "http.request", seconds=0.02)
        if kind == "deployed":
            self.deploy(boundary)
        if kind == "crash_before":
            self.boundaries.fired(kind, boundary)
            return None
        if kind == "duplicate":
            self.boundaries.fired(kind, boundary)
            self.scheduler.start("the same request", lambda: self._gateway(function, event, 0.0))
        answer = self._gateway(function, event, skew(kind, boundary, self.boundaries))
        if kind == "answer_lost":
            self.boundaries.fired(kind, boundary)
            return None
        self.story.tell("answered", answer.status, answer.text)
        return answer

    def deploy(self, boundary: str) -> None:
        """This release comes while orders are under way that the one before wrote."""
        older = [old for order in self.checks.orders() if (old := as_before(order)) is not None]
        for item in older:
            self.tables.overwrite("orders", item)
        if older:
            self.boundaries.fired("deployed", boundary)

    def webhook(
        self,
        name: str,
        function: str,
        route: str,
        seal: Callable[[float, bool], tuple[str, dict[str, str]]],
        taken: Callable[[bool], None],
        healed: Callable[[], None],
    ) -> None:
        """News on its way to the shop: sent again until it is taken, for three days. `taken` hears of each attempt;
        `healed` looks whether the shop knows what never came.
        """
        boundary = f"webhook.{name}"
        kind = self.boundaries.chance(boundary, "webhook")
        after = {"at_once": 0.0, "late": 600.0, "three_days_late": 259_200.0}.get(kind or "", 0.2 + 3 * random.random())
        if kind in ("at_once", "late", "three_days_late", "never"):
            self.boundaries.fired(kind, boundary)
        if kind in ("never", "late", "three_days_late"):
            taken(False)
        if kind == "never":
            chooser = self.boundaries.chooser
            if isinstance(chooser, Plan) and chooser.alone:
                self.scheduler.at(self.scheduler.now + HEALED_WITHIN, healed)
            return
        self.payments.slow_answer |= kind == "at_once" and name.startswith("stripe")

        def deliver(first: str | None) -> None:
            if first == "forged":
                body, headers = seal(self.scheduler.now, True)
                answer = self._post(function, route, body, headers, 0.0)
                self.boundaries.fired("forged", boundary)
                self.checks.refused(answer.status)
            wrong = skew(first, boundary, self.boundaries)
            for pause in (*WEBHOOK_PAUSES, None):
                body, headers = seal(self.scheduler.now, False)
                success = self._post(function, route, body, headers, wrong).status < 300
                taken(success)
                if success or pause is None:
                    return
                self.scheduler.sleep(pause)

        self.scheduler.start(boundary, lambda: deliver(kind), after=after)
        if kind == "duplicate":
            self.boundaries.fired(kind, boundary)
            self.scheduler.start(f"{boundary} again", lambda: deliver(None), after=after + 0.05)

    def _post(self, function: str, route: str, body: str, headers: dict[str, str], wrong: float) -> Answer:
        self.boundaries.scheduler.turn(0.02)
        self.story.tell(route, body)
        answer = self._gateway(function, _event(route, {}, None, body, headers, {}, False), wrong)
        self.story.tell("answered", answer.status)
        return answer

    def _gateway(self, function: str, event: dict[str, Any], wrong: float) -> Answer:
        return self._answered(function, lambda: _read(self.functions.modules[function].handler(event, None)), wrong)

    def _answered(self, function: str, do: Callable[[], Answer], wrong: float) -> Answer:
        """What a client gets: 503 of a function that failed."""
        try:
            return self.functions.within(self.scheduler, self.story, function, do, wrong)
        except FunctionFailed as failure:
            self.story.tell("failed", failure.error)
            return Answer(503, None, "")

    def run(self) -> None:
        """Until everybody is done; then people tidy up, as the runbooks say, and everybody is done again."""
        self.scheduler.run()
        self._expect_nobody_was_needed()
        self.boundaries.chooser = None
        for _ in range(6):
            if not self._tidied():
                break
            self.scheduler.run()
        self._rest()

    def _rest(self) -> None:
        """Nothing moves any more: every invariant holds."""
        self.checks.at_rest()

    def _expect_nobody_was_needed(self) -> None:
        """One thing that goes wrong, and not for good, is mended without a person."""
        chooser = self.boundaries.chooser
        if isinstance(chooser, Plan) and chooser.passes:
            self.checks.mended_itself(self.executions.needed + self._letters_left() + self.overdue)

    def _tidied(self) -> bool:
        """Redrives failed executions and dead letters, and lets the reconciler look once more."""
        self.story.tell("people redrive what failed")
        work = self.executions.redrive() + self._letters_redriven()
        return bool(self.rounds.once_more() or work)

    def _letters_left(self) -> int:
        """Dead letters."""
        return len(self.emails.dead) + len(self.analytics.dead)

    def _letters_redriven(self) -> int:
        return self.emails.redrive() + self.analytics.redrive()

    # --- what the doubles cause -------------------------------------------------------------------------------------

    def _written(self, written: list[Write]) -> None:
        self.checks.written(written)
        for write in written:
            if write.table == "outbox":
                self._outbox_touched()
            elif write.table == "orders" and write.sk == "ORDER":
                self.rounds.begin()
                for look in tuple(self.on_order):
                    look()
            elif write.table == "inventory":
                self.rounds.stir()

    def _outbox_touched(self) -> None:
        self.stream.touched()

    def unpublished(self, since: float) -> list[float]:
        """When the events happened, since that moment, that the stream gave up and the bus has not heard of."""
        if not self.stream.parked:
            return []
        published = {event["id"] for event in self.bus.published}
        parked = [from_item(record["dynamodb"]["NewImage"]) for record in self.stream.parked]
        waiting = (event for event in parked if event["pk"].removeprefix("EVENT#") not in published)
        moments = (datetime.fromisoformat(event["occurred_at"]).timestamp() for event in waiting)
        return [moment for moment in moments if moment >= since]

    def _stripe_tells(self, event: dict[str, Any]) -> None:
        if kind := money.STANDING.get(event["type"]):
            self.checks.course.told(event["data"]["object"]["id"], kind)
        self.webhook(
            f"stripe {event['type']}",
            "payment_webhook",
            "POST /webhooks/stripe",
            lambda moment, forged: money.webhook(event, moment, forged=forged),
            lambda success: self._stripe_heard(event["id"], success),
            self.checks.healed,
        )

    def _stripe_heard(self, event_id: str, success: bool) -> None:
        """Stripe keeps a list of what it could not deliver, which the reconciler reads."""
        self.payments.delivered(event_id, success)
        if not success:
            self.rounds.begin()

    def carrier_tells(self, shipment: parcels.Shipment, status: str) -> None:
        """The parcel has this status now."""
        happened = self.scheduler.now
        shipment.status, shipment.moved_at = status, happened
        self.webhook(
            f"carrier {status}",
            "carrier_webhook",
            "POST /webhooks/carrier",
            lambda _, forged: self._sealed(shipment, status, happened, forged),
            lambda success: self._carrier_heard(shipment, success),
            lambda: self.checks.followed(shipment),
        )

    def _sealed(
        self, shipment: parcels.Shipment, status: str, happened: float, forged: bool
    ) -> tuple[str, dict[str, str]]:
        """The carrier's news as they are sent: body and headers."""
        return parcels.webhook(shipment, status, happened, forged=forged)

    def _carrier_heard(self, shipment: parcels.Shipment, success: bool) -> None:
        shipment.told = success and self.checks.expects(shipment)
        if not shipment.told:
            self.rounds.begin()

    def _label_bought(self, shipment: parcels.Shipment) -> None:
        self.on_parcel(shipment)

    def _queue(self, name: str, function: str) -> Queue:
        visibility = 6 * self.functions.timeout(function)
        return Queue(name, function, visibility, self.scheduler, self.boundaries, self.invoke)

    # --- the smaller services ---------------------------------------------------------------------------------------

    def _events_put_events(self, Entries: list[dict[str, Any]]) -> Any:
        boundary = "events.PutEvents"
        kind = self.boundaries.strike(boundary, "events.call")
        if kind is None:
            return self.bus.put(Entries)
        if kind == "refused_in_part":
            self.boundaries.fired(kind, boundary)
            return self.bus.put(Entries, refused=len(Entries) - 1)
        return self.boundaries.fail(kind, boundary, lambda: self.bus.put(Entries), AwsLine("PutEvents"))

    def _sesv2_send_email(self, **letter: Any) -> Any:
        boundary = "ses.SendEmail"
        line = AwsLine("SendEmail", throttling="TooManyRequestsException")

        def send() -> Any:
            if self.scheduler.now < self.mails_again_at:
                raise line.throttled()
            self.mailbox.append(letter)
            return {"MessageId": f"message-{len(self.mailbox)}"}

        kind = self.boundaries.strike(boundary, "ses.call")
        if kind == "throttled":
            self.mails_again_at = self.scheduler.now + SENDING_RATE_FULL
        return send() if kind is None else self.boundaries.fail(kind, boundary, send, line, attempts=1)

    def _firehose_put_record_batch(self, DeliveryStreamName: str, Records: list[dict[str, Any]]) -> Any:
        def take(refused: int | None = None) -> Any:
            for position, record in enumerate(Records):
                if position != refused:
                    self.rows.append(json.loads(record["Data"]))
            results = [{"ErrorCode": "x"} if position == refused else {} for position in range(len(Records))]
            return {"FailedPutCount": 0 if refused is None else 1, "RequestResponses": results}

        boundary = "firehose.PutRecordBatch"
        kind = self.boundaries.strike(boundary, "firehose.call")
        if kind == "refused_in_part":
            self.boundaries.fired(kind, boundary)
            return take(len(Records) - 1)
        line = AwsLine("PutRecordBatch", throttling="ServiceUnavailableException")
        return take() if kind is None else self.boundaries.fail(kind, boundary, take, line)

    def _sqs_send_message(self, QueueUrl: str, MessageBody: str) -> Any:
        def send() -> Any:
            self.parked.append(MessageBody)
            return {"MessageId": "1"}

        return self.boundaries.call("sqs.SendMessage", "sqs.call", send, AwsLine("SendMessage"))


def machine(config: Config) -> Machine:
    """The orders' state machine, from its file."""
    return _machine(config.shop.hold_seconds, config.warehouse_seconds, config.delivery_deadline_seconds)


@functools.cache
def _machine(hold: int, warehouse: int, delivery: int) -> Machine:
    path = ROOT / "statemachines" / "checkout_to_delivery.asl.json"
    return Machine(
        substituted(
            json.loads(path.read_text(encoding="utf-8")),
            {
                "OrdersTable": "orders",
                "EventBus": "bus",
                "HoldSeconds": hold,
                "WarehouseSeconds": warehouse,
                "DeliverySeconds": delivery,
                "ShipOrderFunction": "ship_order",
                "CompensateOrderFunction": "compensate_order",
                "SettleOrderFunction": "settle_order",
            },
        )
    )


def _read(answer: dict[str, Any]) -> Answer:
    text = answer["body"]
    return Answer(answer["statusCode"], json.loads(text) if text else None, text)


def _event(
    route: str,
    parameters: dict[str, str],
    body: Any,
    text: str | None,
    headers: dict[str, str],
    query: dict[str, str],
    staff: bool,
) -> dict[str, Any]:
    """An HTTP API event of version 2.0."""
    path = route.split(" ")[1]
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value)
    context: dict[str, Any] = {"requestId": "simulation"}
    if staff:
        context["authorizer"] = {"jwt": {"claims": STAFF}}
    return {
        "routeKey": route,
        "rawPath": path,
        "pathParameters": parameters,
        "queryStringParameters": query,
        "headers": {"content-type": "application/json", **headers},
        "requestContext": context,
        "body": text if text is not None else json.dumps(body) if body is not None else "",
        "isBase64Encoded": False,
    }
