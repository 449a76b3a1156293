"""Builds the repositories and gateways of a function from its environment, each once and only when asked for.

Each factory imports what it builds: a function pays, at every cold start, for the contexts that it uses and no others.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from commerce.adapters import aws
from commerce.adapters.dynamodb import Table
from commerce.adapters.environment import require, settings
from commerce.adapters.secrets import secret

if TYPE_CHECKING:
    from commerce.adapters.audit import AuditTrail
    from commerce.adapters.idempotency import IdempotencyStore
    from commerce.adapters.outbox import Outbox
    from commerce.adapters.relay import Leftovers
    from commerce.adapters.sealing import Seals
    from commerce.adapters.workflow import Erasures, Workflow
    from commerce.carts.repository import CartRepository
    from commerce.catalog.repository import CatalogRepository
    from commerce.checkout.repository import CheckoutRepository, LineRepository
    from commerce.discounts.repository import DiscountRepository
    from commerce.fulfilment.gateway import EasyPostCarrier
    from commerce.inventory.repository import InventoryRepository
    from commerce.orders.ports import Books, Stores
    from commerce.orders.repository import OrderRepository
    from commerce.payments.gateway import StripeGateway
    from commerce.payments.repository import PaymentRepository
    from commerce.privacy.gateway import CognitoAccounts
    from commerce.privacy.repository import PersonFiles, RequestRepository
    from commerce.purchasing.repository import PurchasingRepository
    from commerce.stockroom.repository import StockCountRepository


def at_start(*factories: Callable[[], object]) -> None:
    """Builds these while the function starts, when Lambda lends it a whole CPU, and not while its first caller waits.

    Only for what calls nobody: secrets may be rotated, so what needs them is asked for in each request.
    """
    for build in factories:
        build()


@functools.cache
def table(variable: str) -> Table:
    """The table that the environment variable names."""
    return Table(aws.client("dynamodb"), require(variable))


@functools.cache
def seals() -> Seals:
    """The data keys of buyers."""
    from commerce.adapters.sealing import Seals

    return Seals(table("PRIVACY_TABLE"))


@functools.cache
def idempotency(*, personal: bool = False) -> IdempotencyStore:
    """The idempotency keys. Here and below, `personal` is for functions that need to know who buys."""
    from commerce.adapters.idempotency import IdempotencyStore

    return IdempotencyStore(table("IDEMPOTENCY_TABLE"), seals() if personal else None)


def personal_idempotency() -> IdempotencyStore:
    """The same for answers that tell who buys."""
    return idempotency(personal=True)


@functools.cache
def outbox() -> Outbox:
    """Where events are put that must leave with a transaction. A function that only reads is not told the table."""
    from commerce.adapters.outbox import Outbox

    return Outbox(os.environ.get("OUTBOX_TABLE", ""))


@functools.cache
def leftovers() -> Leftovers:
    """What the outbox's relay missed."""
    from commerce.adapters.relay import Leftovers

    return Leftovers(aws.client("events"), table("OUTBOX_TABLE"), require("EVENT_BUS"))


@functools.cache
def orders(*, personal: bool = False) -> OrderRepository:
    """The orders."""
    from commerce.orders.repository import OrderRepository

    return OrderRepository(table("ORDERS_TABLE"), outbox(), seals() if personal else None)


@functools.cache
def audit() -> AuditTrail:
    """Where writes of staff are recorded. A function that staff do not reach is not told the table."""
    from commerce.adapters.audit import AuditTrail

    return AuditTrail(os.environ.get("AUDIT_TABLE", ""))


@functools.cache
def workflow() -> Workflow:
    """The orders' state machine."""
    from commerce.adapters.workflow import Workflow

    return Workflow(aws.client("stepfunctions"), require("STATE_MACHINE_ARN"))


@functools.cache
def inventory() -> InventoryRepository:
    """The stock."""
    from commerce.inventory.repository import InventoryRepository

    shop = settings()
    return InventoryRepository(table("INVENTORY_TABLE"), outbox(), shop.location_ids, shop.low_stock)


@functools.cache
def discounts() -> DiscountRepository:
    """The discounts."""
    from commerce.discounts.repository import DiscountRepository

    return DiscountRepository(table("INVENTORY_TABLE"))


@functools.cache
def purchasing() -> PurchasingRepository:
    """The suppliers and purchase orders."""
    from commerce.purchasing.repository import PurchasingRepository

    return PurchasingRepository(table("STOCKROOM_TABLE"), outbox())


@functools.cache
def stock_counts() -> StockCountRepository:
    """The stock counts."""
    from commerce.stockroom.repository import StockCountRepository

    return StockCountRepository(table("STOCKROOM_TABLE"), outbox())


@functools.cache
def carts() -> CartRepository:
    """The carts."""
    from commerce.carts.repository import CartRepository

    return CartRepository(table("CARTS_TABLE"), seals())


@functools.cache
def checkouts(*, personal: bool = False) -> CheckoutRepository:
    """The checkouts."""
    from commerce.checkout.repository import CheckoutRepository

    return CheckoutRepository(table("CARTS_TABLE"), seals() if personal else None)


def personal_checkouts() -> CheckoutRepository:
    """The same with who buys."""
    return checkouts(personal=True)


@functools.cache
def lines() -> LineRepository:
    """Who waits for what many want at once."""
    from commerce.checkout.repository import LineRepository

    return LineRepository(table("CARTS_TABLE"))


@functools.cache
def payments() -> PaymentRepository:
    """The payment events."""
    from commerce.payments.repository import PaymentRepository

    return PaymentRepository(table("ORDERS_TABLE"))


@functools.cache
def books() -> Books:
    """Orders, their money, and who did what to them."""
    from commerce.orders.ports import Books

    return Books(orders(), payments(), audit())


@functools.cache
def stores(*, personal: bool = False) -> Stores:
    """Everything that a change of an order may have to change with it."""
    from commerce.orders.ports import Stores

    return Stores(orders(personal=personal), payments(), audit(), checkouts(), inventory(), discounts())


def personal_stores() -> Stores:
    """The same with who bought."""
    return stores(personal=True)


def stripe() -> None:
    """Loads Stripe's package, for `at_start` of the functions that move money in each request."""
    import commerce.payments.gateway  # noqa: F401


def payment_gateway() -> StripeGateway:
    """Stripe, or its double. The same object until the secret is rotated."""
    keys = secret(require("PAYMENT_SECRET_ARN"))
    return _stripe(keys["api_key"], _webhook_secrets(keys), os.environ.get("STRIPE_API_BASE"))


@functools.lru_cache(maxsize=1)
def _stripe(api_key: str, webhook_secrets: tuple[str, ...], api_base: str | None) -> StripeGateway:
    from commerce.payments.gateway import StripeGateway

    return StripeGateway(api_key, *webhook_secrets, api_base=api_base or None)


def carrier() -> EasyPostCarrier:
    """EasyPost, or its double. The same object until the secret is rotated; loads `easypost` when first asked for."""
    keys = secret(require("CARRIER_SECRET_ARN"))
    return _easypost(keys["api_key"], _webhook_secrets(keys), os.environ.get("CARRIER_API_BASE"))


@functools.lru_cache(maxsize=1)
def _easypost(api_key: str, webhook_secrets: tuple[str, ...], api_base: str | None) -> EasyPostCarrier:
    from commerce.fulfilment.gateway import EasyPostCarrier

    shop = settings()
    return EasyPostCarrier(
        api_key, *webhook_secrets, sender=shop.address_of, company=shop.name, api_base=api_base or None
    )


def _webhook_secrets(keys: Mapping[str, str]) -> tuple[str, ...]:
    """Whose signatures are believed: the secret's, and while it is changed also the one before. Never an empty one,
    with which anybody could sign.
    """
    return tuple(filter(None, (keys.get("webhook_secret"), keys.get("previous_webhook_secret"))))


@functools.cache
def catalog() -> CatalogRepository:
    """The products."""
    from commerce.catalog.repository import CatalogRepository

    return CatalogRepository(table("CATALOG_TABLE"), outbox(), audit(), settings().url)


@functools.cache
def person_requests() -> RequestRepository:
    """What people asked about their own data."""
    from commerce.privacy.repository import RequestRepository

    return RequestRepository(seals())


@functools.cache
def person_files() -> PersonFiles:
    """What is known of a person, wherever it stands."""
    from commerce.privacy.repository import PersonFiles

    return PersonFiles(seals(), carts(), personal_checkouts(), orders(personal=True))


@functools.cache
def accounts() -> CognitoAccounts:
    """The customers' accounts."""
    from commerce.privacy.gateway import CognitoAccounts

    return CognitoAccounts(aws.client("cognito-idp"), require("USER_POOL_ID"))


@functools.cache
def erasures() -> Erasures:
    """The state machine that erases people."""
    from commerce.adapters.workflow import Erasures

    return Erasures(aws.client("stepfunctions"), require("ERASURE_STATE_MACHINE_ARN"))
