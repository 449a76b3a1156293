"""The way of an order from checkout to delivery: the state machine, its functions, and the sweeper behind them."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.function import CommerceFunction
from stacks.constructs.queue import ParkedQueue
from stacks.constructs.state_machine import CommerceStateMachine
from stacks.functions import FUNCTIONS
from stacks.shop import ROOT, Shop
from stacks.tables import ORDERS

DEFINITION = ROOT / "statemachines" / "checkout_to_delivery.asl.json"
_TASKS = ("ship_order", "compensate_order", "settle_order")
_SWEEP_EVERY = Duration.minutes(1)


class WorkflowStack(ShopStack):
    """One execution for each order."""

    def __init__(self, scope: Construct, config: Config, *, shop: Shop, bus: events.IEventBus) -> None:
        super().__init__(scope, "workflow", config=config, does="checkout to delivery")
        tasks = {name: CommerceFunction(self, FUNCTIONS[name], shop) for name in _TASKS}
        orders = shop.tables[ORDERS]
        self.state_machine = CommerceStateMachine(
            self,
            "CheckoutToDelivery",
            file=DEFINITION,
            config=config,
            substitutions={
                "OrdersTable": orders.table_name,
                "EventBus": bus.event_bus_name,
                "HoldSeconds": config.shop.hold_seconds,
                "WarehouseSeconds": config.warehouse_seconds,
                "DeliverySeconds": config.delivery_deadline_seconds,
                **{f"{function.node.id}Function": function.function_name for function in tasks.values()},
            },
        )
        self._may("dynamodb:UpdateItem", orders.table_arn)
        self._may("events:PutEvents", bus.event_bus_arn)
        self._may("lambda:InvokeFunction", *(function.function_arn for function in tasks.values()))
        self._sweep(shop)
        self.tell("StateMachineArn", self.state_machine.state_machine_arn)

    def _may(self, action: str, *resources: str) -> None:
        self.state_machine.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=list(resources)))

    def _sweep(self, shop: Shop) -> None:
        function = CommerceFunction(self, FUNCTIONS["sweep_orders"], shop, state_machine=self.state_machine)
        # A sweep that failed is not tried again: the next one comes within the minute.
        function.configure_async_invoke(retry_attempts=0, max_event_age=_SWEEP_EVERY)
        events.Rule(
            self,
            "Sweep",
            description="Looks for orders that nobody moves on",
            schedule=events.Schedule.rate(_SWEEP_EVERY),
            targets=[
                targets.LambdaFunction(
                    function,
                    dead_letter_queue=ParkedQueue(self, "SweepParked", of="the sweeper", config=self.config),
                    retry_attempts=0,
                    max_event_age=_SWEEP_EVERY,
                )
            ],
        )
