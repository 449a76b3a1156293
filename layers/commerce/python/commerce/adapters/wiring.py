"""Builds the repositories and gateways of a function from its environment, each once and only when asked for."""

import functools
import os
from typing import TYPE_CHECKING

from commerce.adapters import aws
from commerce.adapters.audit import AuditTrail
from commerce.adapters.dynamodb import Table
from commerce.adapters.environment import require, settings
from commerce.adapters.idempotency import IdempotencyStore
from commerce.adapters.outbox import Outbox
from commerce.adapters.secrets import secret
from commerce.adapters.workflow import Workflow
from commerce.carts.repository import CartRepository
from commerce.catalog.repository import CatalogRepository
from commerce.checkout.repository import CheckoutRepository
from commerce.inventory.repository import InventoryRepository
from commerce.orders.repository import OrderRepository
from commerce.orders.service import Books, Stores
from commerce.payments.repository import PaymentRepository

if TYPE_CHECKING:
    from commerce.fulfilment.gateway import EasyPostCarrier
    from commerce.payments.gateway import StripeGateway


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
    """Where events are put that must leave with a transaction. A function that only reads is not told the table."""
    return Outbox(os.environ.get("OUTBOX_TABLE", ""))


@functools.cache
def orders() -> OrderRepository:
    """The orders."""
    return OrderRepository(table("ORDERS_TABLE"), outbox())


@functools.cache
def audit() -> AuditTrail:
    """Where writes of staff are recorded. A function that staff do not reach is not told the table."""
    return AuditTrail(os.environ.get("AUDIT_TABLE", ""))


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
def books() -> Books:
    """Orders, their money, and who did what to them."""
    return Books(orders(), payments(), audit())


@functools.cache
def stores() -> Stores:
    """Everything that a change of an order may have to change with it."""
    return Stores(orders(), payments(), audit(), checkouts(), inventory())


def payment_gateway() -> "StripeGateway":
    """Stripe, or its double. The same object until the secret is rotated; loads `stripe` when first asked for."""
    keys = secret(require("PAYMENT_SECRET_ARN"))
    return _stripe(keys["api_key"], keys["webhook_secret"], os.environ.get("STRIPE_API_BASE"))


@functools.lru_cache(maxsize=1)
def _stripe(api_key: str, webhook_secret: str, api_base: str | None) -> "StripeGateway":
    from commerce.payments.gateway import StripeGateway

    return StripeGateway(api_key, webhook_secret, api_base=api_base or None)


def carrier() -> "EasyPostCarrier":
    """EasyPost, or its double. The same object until the secret is rotated; loads `easypost` when first asked for."""
    keys = secret(require("CARRIER_SECRET_ARN"))
    return _easypost(keys["api_key"], keys["webhook_secret"], os.environ.get("CARRIER_API_BASE"))


@functools.lru_cache(maxsize=1)
def _easypost(api_key: str, webhook_secret: str, api_base: str | None) -> "EasyPostCarrier":
    from commerce.fulfilment.gateway import EasyPostCarrier

    shop = settings()
    return EasyPostCarrier(api_key, webhook_secret, sender=shop.ship_from, company=shop.name, api_base=api_base or None)


@functools.cache
def catalog() -> CatalogRepository:
    """The products."""
    return CatalogRepository(table("CATALOG_TABLE"), outbox(), audit(), settings().url)
