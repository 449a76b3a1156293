"""Builds the repositories and gateways of a function from its environment, each once and only when asked for."""

import functools

from commerce.adapters import aws
from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table
from commerce.adapters.environment import require, settings
from commerce.adapters.idempotency import IdempotencyStore
from commerce.adapters.outbox import Outbox
from commerce.adapters.workflow import Workflow
from commerce.carts.repository import CartRepository
from commerce.checkout.repository import CheckoutRepository
from commerce.inventory.repository import InventoryRepository
from commerce.orders.repository import OrderRepository
from commerce.orders.service import Stores
from commerce.payments.repository import PaymentRepository


@functools.cache
def table(variable: str) -> Table:
    """The table that the environment variable names."""
    return Table(aws.client("dynamodb"), require(variable))


@functools.cache
def idempotency() -> IdempotencyStore:
    """The idempotency keys."""
    return IdempotencyStore(table("IDEMPOTENCY_TABLE"))


@functools.cache
def outbox() -> Outbox:
    """Where events are put that must leave with a transaction."""
    return Outbox(require("OUTBOX_TABLE"))


@functools.cache
def orders() -> OrderRepository:
    """The orders."""
    return OrderRepository(table("ORDERS_TABLE"), outbox())


@functools.cache
def audit() -> AuditTrail:
    """Where writes of staff are recorded."""
    return AuditTrail(require("AUDIT_TABLE"))


@functools.cache
def workflow() -> Workflow:
    """The orders' state machine."""
    return Workflow(aws.client("stepfunctions"), require("STATE_MACHINE_ARN"))


@functools.cache
def inventory() -> InventoryRepository:
    """The stock."""
    return InventoryRepository(table("INVENTORY_TABLE"), outbox(), settings().locations)


@functools.cache
def carts() -> CartRepository:
    """The carts."""
    return CartRepository(table("CARTS_TABLE"))


@functools.cache
def checkouts() -> CheckoutRepository:
    """The checkouts."""
    return CheckoutRepository(table("CARTS_TABLE"))


@functools.cache
def payments() -> PaymentRepository:
    """The payment events."""
    return PaymentRepository(table("ORDERS_TABLE"))


@functools.cache
def stores() -> Stores:
    """Everything that a change of an order may have to change with it."""
    return Stores(orders(), checkouts(), inventory(), payments(), audit())
