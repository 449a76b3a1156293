"""Support gives money back: never more than was taken, and each refund once."""

from pydantic import Field

from commerce.adapters import wiring
from commerce.adapters.http import Api, Request, Response
from commerce.clock import now
from commerce.ids import derived_id
from commerce.model import Model, StaffModel
from commerce.money import MAX_AMOUNT, Currency
from commerce.orders.payment import refund
from commerce.payments.model import PaymentEvent

api = Api("admin", idempotency=wiring.personal_idempotency)
wiring.at_start(wiring.books, wiring.personal_idempotency, wiring.stripe)


class RefundRequest(StaffModel):
    """`amount` in minor units of the order's currency; `reason` is told to the buyer."""

    amount: int = Field(ge=1, le=MAX_AMOUNT)
    reason: str = Field(min_length=1, max_length=200)


class RefundResponse(Model):
    """How the refund stands: `refund_requested` while the provider works on it, then `refunded` or `refund_failed`."""

    id: str
    order_id: str
    status: str
    amount: int
    currency: Currency
    reason: str | None
    requested_at: str


@api.post(
    "/admin/orders/{id}/refunds",
    groups=("support",),
    body=RefundRequest,
    answers=RefundResponse,
    status=201,
    idempotency="required",
)
def refund_order(request: Request[RefundRequest]) -> Response:
    """Refunds a part or all of what was captured."""
    order_id, actor = request.parameters["id"], str(request.caller.subject)
    event = refund(
        wiring.books(),
        wiring.payment_gateway(),
        order_id=order_id,
        amount=request.body.amount,
        reason="support",
        note=request.body.reason,
        refund_id=derived_id("refund", order_id, actor, request.headers["idempotency-key"]),
        actor=actor,
        now=now(),
    )
    return Response(_response(order_id, event), holder=wiring.orders().get(order_id).holder)


def _response(order_id: str, event: PaymentEvent) -> RefundResponse:
    return RefundResponse(
        id=event.subject,
        order_id=order_id,
        status=event.type,
        amount=event.amount,
        currency=event.currency,
        reason=event.note,
        requested_at=event.occurred_at,
    )


handler = api.handler
