"""Every event the shop publishes: one versioned model, shared by who emits it and who consumes it.

Events carry ids, quantities and amounts, never personal data: whoever needs an address reads the order.
A name is `<context>.<past tense>`. A change that a consumer could trip over raises `version`; docs/events/versions.json
keeps every shape that went out.
"""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from commerce.bus import SOURCE as SOURCE
from commerce.clock import iso
from commerce.correlation import current
from commerce.ids import new_id
from commerce.model import Model, read_back
from commerce.money import Currency


class Event(Model):
    """What all events have. `subject` is the id of the thing it happened to."""

    type: ClassVar[str]
    version: ClassVar[int] = 1

    id: str = Field(default_factory=lambda: new_id("evt"))
    occurred_at: str
    subject: str
    correlation_id: str | None = Field(default_factory=current)
    """What caused it: the request, the order's execution or the run that it happened in, as logs name it."""


class OrderLine(Model):
    """A line of an order as analytics wants it. Amounts in minor units of the order's currency."""

    sku: str
    quantity: int
    unit_price: int
    total: int


class OrderEvent(Event):
    """What happened to an order; `subject` is the order id."""

    currency: Currency
    total: int


class GivenDiscount(Model):
    """A discount that an order was given, in minor units of its currency."""

    code: str
    amount: int


class OrderPlaced(OrderEvent):
    """Stock is reserved and the order exists; payment has not come yet."""

    type: ClassVar[str] = "order.placed"
    lines: tuple[OrderLine, ...]
    country: str
    customer: bool
    """Whether the buyer was signed in."""
    discounts: tuple[GivenDiscount, ...] = ()
    """What codes took off; it has gone off the lines already."""


class OrderConfirmed(OrderEvent):
    """Payment is authorised; the warehouse may begin."""

    type: ClassVar[str] = "order.confirmed"
    lines: tuple[OrderLine, ...]


class ShippedParcel(Model):
    """A parcel of an order, and how to follow it."""

    location: str
    """Where it left."""
    carrier: str
    tracking_number: str


class OrderShipped(OrderEvent):
    """All its parcels were handed to the carrier, and it was captured."""

    type: ClassVar[str] = "order.shipped"
    version: ClassVar[int] = 2
    carrier: str
    """Of the first parcel."""
    tracking_number: str
    """Of the first parcel."""
    parcels: tuple[ShippedParcel, ...] = ()
    """All of them; none where the event is of version 1."""


class OrderDelivered(OrderEvent):
    """All its parcels have come to their end, and the carrier says that they arrived; if some were lost, the buyer gets
    the money for those back.
    """

    type: ClassVar[str] = "order.delivered"


CancelReason = Literal[
    "payment_declined",
    "payment_timeout",
    "buyer_request",
    "merchant_request",
    "short_pick",
    "capture_failed",
    "fraud",
]


class OrderCanceled(OrderEvent):
    """It will not be delivered; its stock is free again and its payment is voided or refunded."""

    type: ClassVar[str] = "order.canceled"
    reason: CancelReason
    confirmed: bool
    """Whether the buyer had been told that the order stands."""


class OrderLost(OrderEvent):
    """The carrier lost all its parcels; the buyer gets the money back."""

    type: ClassVar[str] = "order.lost"


class OrderSettled(OrderEvent):
    """Delivered, captured and closed. `captured` and `refunded` in minor units."""

    type: ClassVar[str] = "order.settled"
    captured: int
    refunded: int


class DeliveryOverdue(OrderEvent):
    """Shipped, and the carrier's promise has passed without a delivery."""

    type: ClassVar[str] = "order.delivery_overdue"


class GoodsReturned(OrderEvent):
    """The buyer sent goods back and the warehouse took them in."""

    type: ClassVar[str] = "return.received"
    return_id: str
    lines: tuple[OrderLine, ...]


class PaymentActionRequired(OrderEvent):
    """The buyer's bank wants a confirmation (3-D Secure)."""

    type: ClassVar[str] = "payment.action_required"


RefundReason = Literal["support", "order_canceled", "order_lost", "parcel_lost", "by_hand"]
"""Who or what gave the money back: support, the end of an order or a parcel, or somebody at the payment provider."""


class PaymentRefunded(OrderEvent):
    """Money went back to the buyer. `amount` is positive, in minor units."""

    type: ClassVar[str] = "payment.refunded"
    refund_id: str
    amount: int
    reason: RefundReason


class PaymentRefundFailed(OrderEvent):
    """Money that was to go back to the buyer did not arrive, be it days after the refund was made."""

    type: ClassVar[str] = "payment.refund_failed"
    refund_id: str
    amount: int
    reason: RefundReason


class PaymentDisputed(OrderEvent):
    """The buyer's bank took the money back for now; the merchant must answer by the bank's deadline."""

    type: ClassVar[str] = "payment.disputed"
    dispute_id: str
    amount: int
    reason: str


class ProductChanged(Event):
    """A product was created, changed, published or archived; `subject` is the product id."""

    type: ClassVar[str] = "product.changed"
    product_version: int
    status: str


StockReason = Literal["received", "adjusted"]
"""What staff wrote about it stands in the ledger of movements."""


class StockAdjusted(Event):
    """Staff changed the stock of a SKU; `subject` is the SKU."""

    type: ClassVar[str] = "stock.adjusted"
    location: str
    quantity: int
    """Signed: what was added or taken."""
    reason: StockReason


class StockTransferred(Event):
    """Staff moved units of a SKU from one location to another; `subject` is the SKU."""

    type: ClassVar[str] = "stock.transferred"
    origin: str
    destination: str
    quantity: int


class StockCounted(Event):
    """A stock count was posted; `subject` is the count. What it corrected are adjustments of their own."""

    type: ClassVar[str] = "stock.counted"
    location: str
    skus: int
    """How many SKUs were counted."""
    differing: int
    """Of how many of them the count differed from the books."""
    short: int
    """Units that are promised to orders, and that were not found."""
    outdated: int
    """Of how many SKUs the stock was corrected by hand after they were counted: they must be counted again."""


class PurchaseOrderEvent(Event):
    """What happened to a purchase order; `subject` is its id."""

    supplier_id: str
    location: str
    """Where the goods go."""


class PurchaseOrderSent(PurchaseOrderEvent):
    """A supplier has the order; what it orders is incoming stock."""

    type: ClassVar[str] = "purchase_order.sent"
    currency: Currency
    cost: int
    """What is ordered, in minor units."""
    units: int
    """Units ordered, over all SKUs."""
    expected_on: str
    """The day on which they should come."""


class PurchaseOrderReceived(PurchaseOrderEvent):
    """A delivery was taken in."""

    type: ClassVar[str] = "purchase_order.received"
    delivery_id: str
    units: int
    """Units in this delivery, over all SKUs."""
    complete: bool
    """Whether nothing is left to come."""


class PurchaseOrderClosed(PurchaseOrderEvent):
    """Nothing more will come of it."""

    type: ClassVar[str] = "purchase_order.closed"
    status: str
    """`received` in full, `closed` after a part, or `canceled`."""
    units: int
    """Units that have come, over all SKUs."""
    outstanding: int
    """Units that were ordered and did not come."""


class StockEvent(Event):
    """The free units of a SKU at a location crossed a line; `subject` is the SKU."""

    location: str
    available: int
    """Units that are free there then; below zero, so many are sold ahead."""
    threshold: int
    """From so many free units on the SKU is low."""


class StockLow(StockEvent):
    """No more than its threshold of a SKU are free at a location."""

    type: ClassVar[str] = "stock.low"


class StockOut(StockEvent):
    """Nothing of a SKU is free at a location any more."""

    type: ClassVar[str] = "stock.out"


class StockBack(StockEvent):
    """Units of a SKU are free at a location again, where there were none."""

    type: ClassVar[str] = "stock.back"


ALL: tuple[type[Event], ...] = (
    OrderPlaced,
    OrderConfirmed,
    OrderShipped,
    OrderDelivered,
    OrderCanceled,
    OrderLost,
    OrderSettled,
    DeliveryOverdue,
    GoodsReturned,
    PaymentActionRequired,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentDisputed,
    ProductChanged,
    StockAdjusted,
    StockTransferred,
    StockCounted,
    PurchaseOrderSent,
    PurchaseOrderReceived,
    PurchaseOrderClosed,
    StockLow,
    StockOut,
    StockBack,
)

BY_TYPE: dict[str, type[Event]] = {event.type: event for event in ALL}


def detail(event: Event) -> dict[str, object]:
    """The event as it travels: its fields, and which shape they have."""
    return {"type": event.type, "version": event.version, **event.model_dump(mode="json")}


def parse(body: dict[str, object]) -> Event:
    """The event in a bus entry's `detail`. Raises KeyError for a type this release does not know."""
    fields = {name: value for name, value in body.items() if name not in ("type", "version")}
    return read_back(BY_TYPE[str(body["type"])], fields)


def at(moment: datetime) -> str:
    """`occurred_at` for an event that happens now."""
    return iso(moment)
