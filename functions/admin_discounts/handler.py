"""Discounts for staff. Every write leaves an entry in the audit trail."""

from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response, versioned
from commerce.clock import now
from commerce.discounts import service
from commerce.discounts.model import Discount, DiscountContent
from commerce.discounts.request import DiscountCreateRequest
from commerce.discounts.view import DiscountsResponse, DiscountView, discount_view

PAGE, MAX_PAGE = 50, 100
THESE = "discounts"
STAFF = ("catalogue", "support")
SELLERS = ("catalogue",)
"""Who decides what is taken off; support looks up what buyers ask about."""

api = Api("admin", idempotency=wiring.idempotency)
wiring.at_start(wiring.discounts, wiring.catalog, wiring.audit, wiring.idempotency)


@api.get(
    "/admin/discounts",
    groups=STAFF,
    answers=DiscountsResponse,
    query=paging.parameters(PAGE, MAX_PAGE),
)
def list_discounts(request: Request[None]) -> Response:
    """Lists the discounts by their codes."""
    limit = paging.page_size(request, PAGE, MAX_PAGE)
    found, end = wiring.discounts().page(after=paging.position(request, of=THESE), limit=limit)
    at = now()
    views = tuple(discount_view(one, at) for one in found)
    return Response(DiscountsResponse(discounts=views, cursor=paging.cursor(end, of=THESE)))


@api.post(
    "/admin/discounts",
    groups=SELLERS,
    body=DiscountCreateRequest,
    answers=DiscountView,
    status=201,
    idempotency="required",
)
def create_discount(request: Request[DiscountCreateRequest]) -> Response:
    """Makes a discount: a share of the goods, or an amount off them, for whoever enters its code."""
    return _shown(
        service.create_discount(
            wiring.discounts(), wiring.catalog(), wiring.audit(), request.body, actor=request.actor, now=now()
        )
    )


@api.get("/admin/discounts/{code}", groups=STAFF, answers=DiscountView)
def show_discount(request: Request[None]) -> Response:
    """Shows a discount and how often it was used; its ETag is its version."""
    return _shown(wiring.discounts().get(request.parameters["code"]))


@api.put("/admin/discounts/{code}", groups=SELLERS, body=DiscountContent, answers=DiscountView)
def replace_discount(request: Request[DiscountContent]) -> Response:
    """Replaces what staff decide about a discount: read it, change it, send it back. Orders keep what they have."""
    return _shown(
        service.change_discount(
            wiring.discounts(),
            wiring.catalog(),
            wiring.audit(),
            request.body,
            code=request.parameters["code"],
            expected=request.expected_version(),
            actor=request.actor,
            now=now(),
        )
    )


@api.post("/admin/discounts/{code}/end", groups=SELLERS, answers=DiscountView)
def end_discount(request: Request[None]) -> Response:
    """Ends a discount at once. A change with a later end, or none, opens it again."""
    code = request.parameters["code"]
    return _shown(service.end_discount(wiring.discounts(), wiring.audit(), code=code, actor=request.actor, now=now()))


def _shown(discount: Discount) -> Response:
    return versioned(discount_view(discount, now()), discount.version)


handler = api.handler
