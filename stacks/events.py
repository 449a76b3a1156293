"""What happens after something happened: the outbox's relay, the bus, e-mails, analytics, the catalogue's listings."""

from collections.abc import Callable

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from commerce.events import SOURCE, DeliveryOverdue, OrderEvent, PaymentRefundFailed
from commerce.notifications.model import KINDS
from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.analytics import Analytics
from stacks.constructs.function import CommerceFunction
from stacks.constructs.queue import ParkedQueue, WorkQueue
from stacks.constructs.retention import removal
from stacks.constructs.rotation import rotate_signing_keys
from stacks.constructs.rule import watch_rule
from stacks.constructs.slo import watch_delivery
from stacks.constructs.stream import consume_stream
from stacks.data import DataStack
from stacks.functions import FUNCTIONS, FunctionSpec
from stacks.keys import USE
from stacks.shop import Shop, physical_name
from stacks.tables import CATALOG, INVENTORY, OUTBOX

STOCK_CHANGES = {"eventName": ["MODIFY"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "LOCATION#"}]}}}}
"""What of the inventory table's stream is a change of stock; a location's first units cross no line."""


class EventsStack(ShopStack):
    """One bus; every rule leads to a queue with dead letters."""

    def __init__(self, scope: Construct, config: Config, *, data: DataStack, shop: Shop, operators: sns.ITopic) -> None:
        super().__init__(scope, "events", config=config, does="bus, e-mails, analytics, listings")
        self.shop = shop
        self.bus = events.EventBus(self, "Bus", event_bus_name=physical_name(config, "events"))
        self.bus.archive(
            "Archive",
            archive_name=physical_name(config, "events"),
            description="Every event of the shop, to be replayed to a new or mended consumer",
            event_pattern=events.EventPattern(source=[SOURCE]),
            retention=Duration.days(365 if config.keep_data else 7),
        )
        self._relay_outbox()
        self._project_catalog()
        self._watch_stock()
        self._send_email()
        self._export_analytics(data)
        rotate_signing_keys(self, shop)
        self._tell_operators(
            operators,
            DeliveryOverdue,
            why="A parcel is late: operators ask the carrier",
            says=lambda order: f"The delivery of order {order} is overdue",
            runbook="delivery-overdue",
        )
        self._tell_operators(
            operators,
            PaymentRefundFailed,
            why="A refund did not arrive: operators find another way",
            says=lambda order: f"A refund of order {order} failed",
            runbook="refund-failed",
        )
        self.tell("EventBusName", self.bus.event_bus_name)

    def _relay_outbox(self) -> None:
        parked = ParkedQueue(self, "OutboxParked", of="the outbox's relay", config=self.config)
        function = CommerceFunction(
            self,
            FUNCTIONS["relay_outbox"],
            self.shop,
            environment={"EVENT_BUS": self.bus.event_bus_name, "RELAY_FAILURES_QUEUE_URL": parked.queue_url},
        )
        function.allow("events:PutEvents", self.bus.event_bus_arn)
        consume_stream(function, self.shop.tables[OUTBOX], parked, only={"eventName": ["INSERT"]})

    def _project_catalog(self) -> None:
        parked = ParkedQueue(self, "CatalogParked", of="the catalogue's projection", config=self.config)
        function = CommerceFunction(self, FUNCTIONS["project_catalog"], self.shop)
        products = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": {"S": ["PRODUCT"]}}}}
        consume_stream(function, self.shop.tables[CATALOG], parked, only=products)

    def _watch_stock(self) -> None:
        parked = ParkedQueue(self, "StockParked", of="the notices about stock", config=self.config)
        function = CommerceFunction(self, FUNCTIONS["watch_stock"], self.shop)
        # Nobody waits for these: a busy shop pays for one invocation where it sold a hundred units.
        within = Duration.seconds(10)
        consume_stream(function, self.shop.tables[INVENTORY], parked, only=STOCK_CHANGES, within=within)

    def _send_email(self) -> None:
        function = self._consumer(FUNCTIONS["send_email"], [event.type for event in KINDS])
        sender = ses.EmailIdentity(self, "Sender", identity=ses.Identity.domain(self.config.email_domain))
        sender.apply_removal_policy(removal(self.config))
        function.allow("ses:SendEmail", sender.email_identity_arn)
        if self.config.local:
            return
        for number, record in enumerate(sender.dkim_records, 1):
            self.tell(f"EmailDns{number}", f"{record.name} CNAME {record.value}")

    def _export_analytics(self, data: DataStack) -> None:
        analytics = Analytics(self, "Analytics", bucket=data.analytics, config=self.config, key=self.shop.key)
        function = self._consumer(
            FUNCTIONS["export_analytics"], None, environment={"ANALYTICS_STREAM": analytics.stream_name}
        )
        function.allow("firehose:PutRecordBatch", analytics.stream_arn)
        watch_delivery(self, function.log_group)
        self.tell("AthenaWorkgroup", analytics.workgroup_name)
        self.tell("GlueDatabase", analytics.database_name)

    def _tell_operators(
        self, operators: sns.ITopic, event: type[OrderEvent], *, why: str, says: Callable[[str], str], runbook: str
    ) -> None:
        """Not an alarm: each of these orders needs somebody to look after it, so operators get its id."""
        name = event.__name__
        parked = ParkedQueue(self, f"{name}Parked", of=f"notices of {event.type}", config=self.config)
        page = f"docs/runbooks/{runbook}.md"
        rule = events.Rule(
            self,
            name,
            event_bus=self.bus,
            description=f"{why} ({page})",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=[event.type]),
        )
        role = iam.Role(self, f"{name}Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        if self.shop.key:
            role.add_to_policy(iam.PolicyStatement(actions=list(USE), resources=[self.shop.key.key_arn]))
        order = events.EventField.from_path("$.detail.subject")
        rule.add_target(
            targets.SnsTopic(
                operators,
                message=events.RuleTargetInput.from_text(f"{says(order)}. Runbook: {page}"),
                role=role,
                dead_letter_queue=parked,
            )
        )
        watch_rule(rule, of=f"operators ({event.type})", bus=self.bus)

    def _consumer(
        self, spec: FunctionSpec, types: list[str] | None, *, environment: dict[str, str] | None = None
    ) -> CommerceFunction:
        """A function behind a queue behind a rule for `types` of events, or for all."""
        function = CommerceFunction(self, spec, self.shop, environment=environment)
        name = function.node.id
        queue = WorkQueue(
            self, f"{name}Queue", of=spec.name, function_timeout=Duration.seconds(spec.timeout), config=self.config
        )
        function.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=10,
                report_batch_item_failures=True,
                max_concurrency=self.config.queue_concurrency,
            )
        )
        rule = events.Rule(
            self,
            f"{name}Rule",
            event_bus=self.bus,
            description=f"Events for {spec.name}",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=types),
        )
        # What the rule could not put into the queue has the shape of what the function gave up: one place for both.
        rule.add_target(targets.SqsQueue(queue, dead_letter_queue=queue.parked))
        watch_rule(rule, of=spec.name, bus=self.bus)
        return function
