"""Every Lambda function of the shop: what it may touch, and how large it is. Roles and environments are made from this.

A new function is a folder `functions/<name>/` with a `handler.py`, and ten lines here. It may call exactly what stands
here: DynamoDB authorises a TransactWriteItems as the puts, updates, deletes and checks in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from stacks.tables import (
    AUDIT,
    CARTS,
    CATALOG,
    IDEMPOTENCY,
    INVENTORY,
    ORDERS,
    OUTBOX,
    PRIVACY,
    STOCKROOM,
    TableSpec,
)

Operation = Literal["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]
Secret = Literal["payment", "carrier", "signing"]
WorkflowAction = Literal["StartExecution", "SendTaskSuccess", "SendTaskFailure"]
AccountAction = Literal["AdminGetUser", "AdminDeleteUser"]
Layer = Literal["base", "identity", "payment", "carrier", "letters"]
"""Third-party packages that go together; `tools/build/layers.py` says which."""
LAYERS: tuple[Layer, ...] = get_args(Layer)

READ: tuple[Operation, ...] = ("GetItem", "BatchGetItem", "Query")
BOOK: tuple[Operation, ...] = ("GetItem", "Query")
"""An order and its payments, a count and its lines: never many by their keys."""
CHANGE: tuple[Operation, ...] = ("PutItem", "UpdateItem")
REPLACE: tuple[Operation, ...] = ("GetItem", "PutItem")
"""Carts and checkouts are written whole."""
APPEND: tuple[Operation, ...] = ("PutItem",)
"""For ledgers: what is written cannot be changed."""
CLAIM: tuple[Operation, ...] = ("GetItem", "PutItem", "DeleteItem")
"""Idempotency keys are taken, answered and given back."""
OPEN: tuple[Operation, ...] = ("GetItem",)
"""With the buyer's data key, what is sealed with it can be read."""
SEAL: tuple[Operation, ...] = (*OPEN, *CHANGE)
"""And written: the first personal data make the key."""

NAMED: tuple[Operation, ...] = ()
"""The table's name and nothing more: a repository wants it for writes that this function never asks for."""

START: tuple[WorkflowAction, ...] = ("StartExecution",)
SIGNAL: tuple[WorkflowAction, ...] = ("SendTaskSuccess", "SendTaskFailure")


@dataclass(frozen=True)
class FunctionSpec:
    """One function. `memory` in MB, which also decides its share of a CPU; `timeout` in seconds.

    By default a function may take as long as API Gateway waits for it: on a busy laptop a cold start counts in.
    """

    name: str
    does: str
    tables: Mapping[TableSpec, tuple[Operation, ...]] = field(default_factory=dict)
    indexes: tuple[str, ...] = ()
    """Those of its tables' indexes that it queries."""
    secrets: tuple[Secret, ...] = ()
    workflow: tuple[WorkflowAction, ...] = ()
    accounts: tuple[AccountAction, ...] = ()
    """What it does with customers' accounts in the user pool."""
    tokens: bool = False
    """Whether it checks bearer tokens itself, because its routes are open to guests too."""
    media: bool = False
    """Whether it hands out addresses of pictures."""
    beside: tuple[str, ...] = ()
    """Files and folders of the repository that are packaged beside the handler."""
    starts_traces: bool = False
    """Whether X-Ray begins a trace with it. Others are in the traces of who called them, and else in none."""
    memory: int = 512
    timeout: int = 29

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The packages that it may load: what is not there need not be fetched and unpacked at a cold start.

        Who may not read the data keys opens nothing that is sealed, and needs no cryptography for it.
        """
        wanted: dict[Layer, bool] = {
            "base": True,
            "identity": self.tokens or PRIVACY in self.tables,
            "payment": "payment" in self.secrets,
            "carrier": "carrier" in self.secrets,
            "letters": "emails" in self.beside,
        }
        return tuple(layer for layer, is_wanted in wanted.items() if is_wanted)


_ORDER_CHANGES: dict[TableSpec, tuple[Operation, ...]] = {
    ORDERS: BOOK + CHANGE,
    INVENTORY: CHANGE,
    CARTS: ("GetItem", "UpdateItem"),
    OUTBOX: APPEND,
    AUDIT: APPEND,
}
"""What changes together when an order is canceled: its money, its stock, its checkout, the event, the audit entry."""
_WITHOUT_MONEY: tuple[Operation, ...] = ("GetItem", "UpdateItem")
"""An order whose ledger is left as it is."""

_CATALOG_READS: dict[TableSpec, tuple[Operation, ...]] = {CATALOG: READ, OUTBOX: NAMED, AUDIT: NAMED}
_PERSON_READS: dict[TableSpec, tuple[Operation, ...]] = {
    PRIVACY: (*OPEN, "BatchGetItem"),
    ORDERS: BOOK,
    CARTS: ("GetItem",),
    OUTBOX: NAMED,
}
"""What is known of a person."""
_OFFERS: tuple[Operation, ...] = ("BatchGetItem",)
"""Prices, stock and discounts that somebody names."""

_ALL = (
    FunctionSpec(
        "catalog",
        "Products, categories and search for storefronts and agents; the shop's profile",
        tables={**_CATALOG_READS, INVENTORY: _OFFERS},
        indexes=("by_price", "by_newest", "by_title", "by_word"),
        secrets=("signing",),
        media=True,
    ),
    FunctionSpec(
        "carts",
        "Carts, and checkouts until they are completed",
        tables={
            **_CATALOG_READS,
            CATALOG: _OFFERS,
            CARTS: (*REPLACE, "DeleteItem"),
            INVENTORY: _OFFERS,
            IDEMPOTENCY: CLAIM,
            PRIVACY: SEAL,
        },
        secrets=("signing",),
        tokens=True,
        media=True,
    ),
    FunctionSpec(
        "complete_checkout",
        "Takes stock, makes the order and asks for the money",
        tables={
            **_ORDER_CHANGES,
            INVENTORY: ("BatchGetItem", *CHANGE, "ConditionCheckItem"),  # checks the policy of what is sold ahead
            CARTS: (*REPLACE, "UpdateItem"),  # the lines of waiting buyers
            CATALOG: _OFFERS,
            IDEMPOTENCY: CLAIM,
            PRIVACY: SEAL,
        },
        secrets=("payment", "signing"),
        workflow=START + SIGNAL,
        tokens=True,
        media=True,
        starts_traces=True,  # and hands it on to the order's execution
        memory=1024,
    ),
    FunctionSpec(
        "orders",
        "A buyer's orders: look at them, cancel them",
        tables={
            **_ORDER_CHANGES,
            ORDERS: _WITHOUT_MONEY,
            IDEMPOTENCY: CLAIM,
            PRIVACY: (*OPEN, "BatchGetItem"),
        },
        indexes=("by_customer",),
        secrets=("signing",),
        workflow=("SendTaskFailure",),  # it was canceled
        tokens=True,
        media=True,
    ),
    FunctionSpec(
        "payment_webhook",
        "What Stripe tells about payments",
        tables=_ORDER_CHANGES,
        secrets=("payment",),
        workflow=SIGNAL,
    ),
    FunctionSpec(
        "carrier_webhook",
        "What the carrier tells about parcels",
        tables={ORDERS: _WITHOUT_MONEY, OUTBOX: APPEND},
        secrets=("carrier",),
        workflow=SIGNAL,
    ),
    FunctionSpec(
        "admin_catalog",
        "Staff create, change, publish and archive products",
        tables={CATALOG: (*READ, "PutItem", "DeleteItem"), AUDIT: ("Query", "PutItem"), OUTBOX: APPEND},
        indexes=("by_newest",),
        secrets=("signing",),
        media=True,
    ),
    FunctionSpec(
        "admin_inventory",
        "Staff look at stock, correct it, move it, count it, and pool what is hot",
        tables={
            CATALOG: _OFFERS,
            # Deletes the rows of a pool that is empty; checks that nothing is owed where a policy leaves a location.
            INVENTORY: (*READ, *CHANGE, "DeleteItem", "ConditionCheckItem"),
            STOCKROOM: BOOK + CHANGE,
            AUDIT: APPEND,
            OUTBOX: APPEND,
            IDEMPOTENCY: CLAIM,
        },
        indexes=("by_listing",),
        secrets=("signing",),
    ),
    FunctionSpec(
        "admin_purchasing",
        "Staff keep suppliers, send purchase orders and take deliveries in",
        tables={
            CATALOG: _OFFERS,
            INVENTORY: CHANGE,
            STOCKROOM: (*REPLACE, "DeleteItem"),  # what is no longer incoming
            AUDIT: APPEND,
            OUTBOX: APPEND,
            IDEMPOTENCY: CLAIM,
        },
        indexes=("by_listing",),
        secrets=("signing",),
    ),
    FunctionSpec(
        "admin_discounts",
        "Staff make discount codes, change and end them",
        tables={
            **_CATALOG_READS,
            CATALOG: _OFFERS,
            INVENTORY: ("BatchGetItem", "Query", *CHANGE),
            AUDIT: APPEND,
            IDEMPOTENCY: CLAIM,
        },
        secrets=("signing",),
    ),
    FunctionSpec(
        "admin_orders",
        "Staff find, pick, pack, ship and cancel orders, and take goods back",
        tables={
            **_ORDER_CHANGES,
            ORDERS: (*READ, "UpdateItem"),
            INVENTORY: READ + CHANGE,  # what a picker misses is taken out of stock
            IDEMPOTENCY: CLAIM,
            PRIVACY: OPEN,
        },
        indexes=("in_status",),
        secrets=("signing",),
        workflow=SIGNAL,
    ),
    FunctionSpec(
        "admin_refunds",
        "Staff give money back",
        tables={ORDERS: BOOK + CHANGE, AUDIT: APPEND, OUTBOX: APPEND, IDEMPOTENCY: CLAIM, PRIVACY: OPEN},
        secrets=("payment",),
    ),
    FunctionSpec(
        "admin_privacy",
        "People ask for their data, or to be forgotten",
        tables={PRIVACY: (*OPEN, "PutItem"), AUDIT: APPEND, IDEMPOTENCY: CLAIM},
        indexes=("by_listing",),
        secrets=("signing",),
    ),
    FunctionSpec(
        "export_person",
        "Hands out what the shop has of a person",
        tables={**_PERSON_READS, AUDIT: APPEND},
        indexes=("by_person", "by_email", "by_customer"),
        accounts=("AdminGetUser",),
    ),
    FunctionSpec(
        "docs",
        "The API's documentation page and its OpenAPI file",
        beside=("docs/openapi.json", "docs/api.html"),
        memory=256,
    ),
    FunctionSpec(
        "ship_order",
        "Buys the label, captures the money, marks the order shipped",
        tables={**_ORDER_CHANGES, CARTS: ("GetItem",), PRIVACY: OPEN},
        secrets=("payment", "carrier"),
        timeout=60,
    ),
    FunctionSpec(
        "compensate_order",
        "Does what a canceled order still lacks: releases stock, gives money back",
        tables=_ORDER_CHANGES,
        secrets=("payment",),
        timeout=60,
    ),
    FunctionSpec(
        "settle_order",
        "Gives the money for lost parcels back, checks the money of a delivered order and closes it",
        tables={ORDERS: BOOK + CHANGE, AUDIT: APPEND, OUTBOX: APPEND},
        secrets=("payment",),
    ),
    FunctionSpec(
        "erase_person",
        "Erases what the shop knows of a person, and leaves what the law wants of their orders",
        tables={
            **_PERSON_READS,
            PRIVACY: (*OPEN, "BatchGetItem", "PutItem", "DeleteItem"),
            ORDERS: (*BOOK, "UpdateItem"),
            CARTS: ("GetItem", "DeleteItem"),
            AUDIT: APPEND,
        },
        indexes=("by_person", "by_email", "by_customer"),
        accounts=("AdminGetUser", "AdminDeleteUser"),
        timeout=240,
    ),
    FunctionSpec(
        "reconcile",
        "Finds and mends what no event will ever tell: lost signals, answers and notices; tends the pools of hot SKUs",
        tables={
            **_ORDER_CHANGES,
            ORDERS: READ + CHANGE,
            INVENTORY: (*READ, *CHANGE, "DeleteItem"),
            OUTBOX: ("GetItem", *CHANGE),
        },
        indexes=("in_status", "by_ahead", "by_unpublished"),
        secrets=("payment", "carrier"),
        workflow=START + SIGNAL,
        timeout=240,
    ),
    FunctionSpec(
        "project_catalog",
        "Keeps the listings and search words in step with the products",
        tables={**_CATALOG_READS, CATALOG: ("Query", "PutItem", "DeleteItem", "ConditionCheckItem")},
        timeout=60,
    ),
    FunctionSpec(
        "watch_stock",
        "Tells when a SKU runs low, is out, or is back",
        tables={INVENTORY: ("BatchGetItem",), OUTBOX: APPEND},
        timeout=60,
    ),
    FunctionSpec("relay_outbox", "Puts the outbox's events on the bus", tables={OUTBOX: ("UpdateItem",)}, timeout=60),
    FunctionSpec(
        "send_email",
        "Tells buyers what happened to their orders",
        # An e-mail that was never sent gives its claim back.
        tables={ORDERS: (*BOOK, *CHANGE, "DeleteItem"), OUTBOX: NAMED, PRIVACY: OPEN},
        secrets=("signing",),
        beside=("emails",),
        timeout=30,
    ),
    FunctionSpec(
        "rotate_signing_keys",
        "Makes new keys for cursors and order links, four times a year",
        secrets=("signing",),
        memory=256,
        timeout=30,
    ),
    FunctionSpec("export_analytics", "Hands the events on to Firehose", memory=256, timeout=30),
)

FUNCTIONS: dict[str, FunctionSpec] = {spec.name: spec for spec in _ALL}
