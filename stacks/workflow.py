"""The workflows: an order's way from checkout to delivery, with the reconciler behind it, and a person's erasure."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.function import METRICS, CommerceFunction
from stacks.constructs.queue import ParkedQueue
from stacks.constructs.release import Releases
from stacks.constructs.rule import watch_rule
from stacks.constructs.state_machine import CommerceStateMachine
from stacks.functions import FUNCTIONS
from stacks.shop import ROOT, Shop
from stacks.tables import ORDERS

DEFINITION = ROOT / "statemachines" / "checkout_to_delivery.asl.json"
ERASURE = ROOT / "statemachines" / "erase_person.asl.json"
_TASKS = ("ship_order", "compensate_order", "settle_order")
_RECONCILE_EVERY = Duration.minutes(1)
_ERASED_WITHIN = Duration.days(25)
"""The law gives a month (General Data Protection Regulation, article 12 (3)); somebody must have time to look."""


class WorkflowStack(ShopStack):
    """One execution for each order, and one for each person who wants to be forgotten."""

    def __init__(self, scope: Construct, config: Config, *, shop: Shop, bus: events.IEventBus) -> None:
        super().__init__(scope, "workflow", config=config, does="checkout to delivery")
        tasks = {name: CommerceFunction(self, FUNCTIONS[name], shop) for name in _TASKS}
        releases = Releases(
            self, config=config, alarms=[function.errors for function in tasks.values() if function.errors]
        )
        live = {f"{function.node.id}Function": releases.live(function) for function in tasks.values()}
        orders = shop.tables[ORDERS]
        self.state_machine = CommerceStateMachine(
            self,
            "CheckoutToDelivery",
            file=DEFINITION,
            config=config,
            key=shop.key,
            substitutions={
                "OrdersTable": orders.table_name,
                "EventBus": bus.event_bus_name,
                "HoldSeconds": config.shop.hold_seconds,
                "WarehouseSeconds": config.warehouse_seconds,
                "DeliverySeconds": config.delivery_deadline_seconds,
                **{name: function.function_arn for name, function in live.items()},
            },
        )
        self._may("dynamodb:UpdateItem", orders.table_arn)
        self._may("events:PutEvents", bus.event_bus_arn)
        # An execution keeps the definition that it began with, for weeks: one from before there were aliases calls the
        # function itself.
        callees = dict.fromkeys(function.function_arn for function in (*live.values(), *tasks.values()))
        self._may("lambda:InvokeFunction", *callees)
        self._watch(self._reconcile(shop, bus))
        self.erasures = self._erase_people(shop)
        self.tell("StateMachineArn", self.state_machine.state_machine_arn)

    def _may(self, action: str, *resources: str) -> None:
        self.state_machine.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=list(resources)))

    def _erase_people(self, shop: Shop) -> CommerceStateMachine:
        function = CommerceFunction(self, FUNCTIONS["erase_person"], shop)
        machine = CommerceStateMachine(
            self,
            "PersonErasure",
            file=ERASURE,
            config=self.config,
            key=shop.key,
            substitutions={
                "ErasePersonFunction": function.function_name,
                "DeadlineSeconds": int(_ERASED_WITHIN.to_seconds()),
                "LookAgainSeconds": self.config.erasure_looks_again_seconds,
            },
            stuck="a person is not erased",
            runbooks=("erasure-stuck", "erasure-stuck"),
            urgent=False,
        )
        machine.add_to_role_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        )
        self.tell("ErasureStateMachineArn", machine.state_machine_arn)
        return machine

    def _reconcile(self, shop: Shop, bus: events.IEventBus) -> CommerceFunction:
        function = CommerceFunction(
            self,
            FUNCTIONS["reconcile"],
            shop,
            state_machine=self.state_machine,
            environment={"EVENT_BUS": bus.event_bus_name},
        )
        function.allow("events:PutEvents", bus.event_bus_arn)
        # A run that failed is not tried again: the next one comes by itself.
        function.configure_async_invoke(retry_attempts=0, max_event_age=_RECONCILE_EVERY)
        rule = events.Rule(
            self,
            "Reconciliation",
            description="Looks for what no event will ever tell",
            schedule=events.Schedule.rate(_RECONCILE_EVERY),
            targets=[
                targets.LambdaFunction(
                    function,
                    dead_letter_queue=ParkedQueue(self, "ReconcileParked", of="the reconciler", config=self.config),
                    retry_attempts=0,
                    max_event_age=_RECONCILE_EVERY,
                )
            ],
        )
        watch_rule(rule, of="reconcile")
        return function

    def _watch(self, reconciler: CommerceFunction) -> None:
        RunbookAlarm(
            self,
            "ReconcilerSilent",
            says="The reconciler, which comes every minute, has not run for a quarter of an hour",
            runbook="reconciler-silent",
            metric=reconciler.metric_invocations(statistic=cloudwatch.Stats.SUM),
            periods=3,
            urgent=True,
            silence=True,
        )
        RunbookAlarm(
            self,
            "FindingsLeft",
            says="For a quarter of an hour the reconciler has found something that it cannot mend",
            runbook="reconciliation-left",
            metric=_findings("FindingsLeft"),
            periods=3,
            urgent=True,
        )
        RunbookAlarm(
            self,
            "FindingsMended",
            says="The reconciler mends so much that signals, answers or webhooks must be getting lost",
            runbook="reconciliation-mends",
            metric=_findings("FindingsMended"),
            threshold=10,
            periods=3,
        )


def _findings(name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS,
        metric_name=name,
        dimensions_map={"service": "reconcile"},
        statistic=cloudwatch.Stats.SUM,
        period=Duration.minutes(5),
    )
