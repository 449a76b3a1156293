"""Staff look at stock, correct it, move it, count it, and see why it is what it is."""

import re
from typing import Any, get_args

from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response, versioned
from commerce.clock import iso, now
from commerce.errors import Invalid, NotFound
from commerce.ids import derived_id
from commerce.inventory.pooling import switch_off, switch_on
from commerce.inventory.request import AdjustmentRequest, PolicyRequest, PoolRequest, TransferRequest
from commerce.inventory.selling import set_policy
from commerce.inventory.service import adjust_stock, transfer_stock
from commerce.inventory.view import (
    MovementsResponse,
    PolicyResponse,
    StockLevel,
    StockOverview,
    StockResponse,
    level,
    levels,
    overview,
    policy_of,
)
from commerce.stockroom import service as stockroom
from commerce.stockroom.bulk import adjust_all, checked_sheet
from commerce.stockroom.model import CountStatus, StockCount
from commerce.stockroom.request import EntriesRequest, OpenCountRequest
from commerce.stockroom.sheet import MAX_ROWS
from commerce.stockroom.view import (
    BulkResponse,
    CountLinesResponse,
    CountResponse,
    CountsResponse,
    EnteredResponse,
    bulk_view,
    count_view,
    line_view,
)

PAGE, MAX_PAGE = 50, 100
STAFF = ("warehouse", "catalogue")

api = Api("admin", idempotency=wiring.idempotency)
wiring.at_start(wiring.inventory, wiring.stock_counts, wiring.catalog, wiring.audit, wiring.idempotency)


@api.get("/admin/stock/{sku}", groups=STAFF, answers=StockOverview)
def show_stock(request: Request[None]) -> Response:
    """Shows how much of a SKU lies where, free and promised, and what is on its way there."""
    sku = _known_sku(request)
    return Response(overview(sku, wiring.inventory().stock_of([sku])[sku], wiring.purchasing().incoming(sku)))


@api.post(
    "/admin/stock/{sku}/adjustments",
    groups=STAFF,
    body=AdjustmentRequest,
    answers=StockLevel,
    status=201,
    idempotency="required",
)
def adjust(request: Request[AdjustmentRequest]) -> Response:
    """Corrects a SKU's stock, with the reason. What is promised to orders cannot be taken."""
    sku, actor = _known_sku(request), request.actor
    stock = adjust_stock(
        wiring.inventory(),
        wiring.audit(),
        sku=sku,
        quantity=request.body.quantity,
        reason=request.body.reason,
        actor=actor,
        adjustment_id=derived_id("adj", sku, actor, request.headers["idempotency-key"]),
        now=now(),
        location=request.body.location,
    )
    return Response(level(stock))


@api.post(
    "/admin/stock/{sku}/transfers",
    groups=STAFF,
    body=TransferRequest,
    answers=StockResponse,
    status=201,
    idempotency="required",
)
def transfer(request: Request[TransferRequest]) -> Response:
    """Moves units of a SKU to another location. What is promised to orders stays where they are picked."""
    sku, actor = _known_sku(request), request.actor
    places = transfer_stock(
        wiring.inventory(),
        wiring.audit(),
        sku=sku,
        quantity=request.body.quantity,
        origin=request.body.origin,
        destination=request.body.destination,
        reason=request.body.reason,
        actor=actor,
        transfer_id=derived_id("transfer", sku, actor, request.headers["idempotency-key"]),
        now=now(),
    )
    return Response(StockResponse(sku=sku, locations=tuple(map(level, places))))


@api.put("/admin/stock/{sku}/pool", groups=STAFF, body=PoolRequest, answers=StockResponse)
def pool_stock(request: Request[PoolRequest]) -> Response:
    """Spreads a hot SKU's stock over many rows, so that many buyers at once do not wait for each other."""
    sku, actor = _known_sku(request), request.actor
    switch_on(wiring.inventory(), wiring.audit(), sku=sku, shards=request.body.shards, actor=actor, now=now())
    return Response(levels(sku, wiring.inventory().stock_of([sku])[sku]))


@api.delete("/admin/stock/{sku}/pool", groups=STAFF, answers=StockResponse)
def unpool_stock(request: Request[None]) -> Response:
    """Brings a SKU's stock together again; what is promised to orders follows when they are sent or canceled."""
    sku, actor = _known_sku(request), request.actor
    switch_off(wiring.inventory(), wiring.audit(), sku=sku, actor=actor, now=now())
    return Response(levels(sku, wiring.inventory().stock_of([sku])[sku]))


@api.get("/admin/stock/{sku}/policy", groups=STAFF, answers=PolicyResponse)
def show_policy(request: Request[None]) -> Response:
    """Shows how a SKU may be sold; its ETag is the policy's version."""
    sku = _known_sku(request)
    policy = wiring.inventory().policy(sku)
    return versioned(policy_of(sku, policy), policy.version)


@api.put("/admin/stock/{sku}/policy", groups=("catalogue",), body=PolicyRequest, answers=PolicyResponse)
def replace_policy(request: Request[PolicyRequest]) -> Response:
    """Decides anew how a SKU may be sold. Units that were sold ahead stay owed."""
    sku = _known_sku(request)
    policy = set_policy(
        wiring.inventory(),
        wiring.audit(),
        sku=sku,
        terms=request.body.terms(),
        expected=request.expected_version(),
        actor=request.actor,
        now=now(),
    )
    return versioned(policy_of(sku, policy), policy.version)


@api.get(
    "/admin/stock/{sku}/movements",
    groups=STAFF,
    answers=MovementsResponse,
    query={
        "month": "Which month's ledger, like 2026-11; the present one if left out.",
        **paging.parameters(PAGE, MAX_PAGE),
    },
)
def list_movements(request: Request[None]) -> Response:
    """Lists what changed a SKU's stock, and which order or adjustment caused it."""
    sku = _known_sku(request)
    month = _month(request.query.get("month", iso(now())[:7]))
    limit, ledger = paging.page_size(request, PAGE, MAX_PAGE), f"movements {sku} {month}"
    before = paging.position(request, of=ledger)
    found = tuple(wiring.inventory().movements(sku, month, before=before, limit=limit + 1))
    end = found[limit - 1].position if len(found) > limit else None
    return Response(MovementsResponse(movements=found[:limit], cursor=paging.cursor(end, of=ledger)))


@api.post(
    "/admin/stock-adjustments",
    groups=STAFF,
    accepts="text/csv",
    answers=BulkResponse,
    idempotency="required",
)
def adjust_in_bulk(request: Request[None]) -> Response:
    """Adjusts many SKUs by a table with the columns sku, location, quantity and reason, up to 250 rows.

    Anything wrong in the table is told by row and column, all at once, and nothing is changed. Then each row is on its
    own, and the answer says what became of it. The same table again, also under another key, adjusts only those rows
    that were not adjusted before.
    """
    inventory = wiring.inventory()
    sheet = checked_sheet(request.raw_body, wiring.catalog(), locations=inventory.locations, most=MAX_ROWS)
    return Response(bulk_view(adjust_all(inventory, wiring.audit(), sheet, actor=request.actor, now=now())))


@api.get(
    "/admin/stock-counts",
    groups=STAFF,
    answers=CountsResponse,
    query={
        "status": "Which counts: `open` (the default), `approved`, `posting`, `posted` or `canceled`.",
        **paging.parameters(PAGE, MAX_PAGE),
    },
)
def list_counts(request: Request[None]) -> Response:
    """Lists the stock counts in a status, the oldest first."""
    status: CountStatus = request.choice("status", get_args(CountStatus), "open")
    limit, these = paging.page_size(request, PAGE, MAX_PAGE), f"{status} counts"
    after = paging.position(request, of=these)
    counts, end = wiring.stock_counts().page(status, after=after, limit=limit)
    return Response(CountsResponse(counts=counts, cursor=paging.cursor(end, of=these)))


@api.post(
    "/admin/stock-counts",
    groups=STAFF,
    body=OpenCountRequest,
    answers=CountResponse,
    status=201,
    idempotency="required",
)
def open_count(request: Request[OpenCountRequest]) -> Response:
    """Begins a count of a location: of the listed SKUs, or of whatever is entered where none are listed."""
    actor = request.actor
    count = stockroom.open_count(
        wiring.stock_counts(),
        wiring.inventory(),
        wiring.catalog(),
        wiring.audit(),
        count_id=derived_id("count", actor, request.headers["idempotency-key"]),
        location=request.body.location,
        skus=request.body.skus,
        note=request.body.note,
        actor=actor,
        now=now(),
    )
    return _shown(count)


@api.get("/admin/stock-counts/{id}", groups=STAFF, answers=CountResponse)
def show_count(request: Request[None]) -> Response:
    """Shows a count, its figures, and which of its SKUs nobody has counted yet."""
    return _shown(wiring.stock_counts().get(request.parameters["id"]))


@api.get(
    "/admin/stock-counts/{id}/lines",
    groups=STAFF,
    answers=CountLinesResponse,
    query=paging.parameters(PAGE, MAX_PAGE),
)
def list_count_lines(request: Request[None]) -> Response:
    """Lists what was counted, by SKU, with what the books said then and, once posted, what became of it."""
    count = wiring.stock_counts().get(request.parameters["id"])
    limit, these = paging.page_size(request, PAGE, MAX_PAGE), f"lines of {count.id}"
    after = paging.position(request, of=these)
    found = tuple(wiring.stock_counts().lines(count.id, after=after, limit=limit + 1))
    end = found[limit - 1].sku if len(found) > limit else None
    return Response(
        CountLinesResponse(lines=tuple(map(line_view, found[:limit])), cursor=paging.cursor(end, of=these))
    )


@api.post(
    "/admin/stock-counts/{id}/entries",
    groups=STAFF,
    body=EntriesRequest,
    answers=EnteredResponse,
    idempotency="required",
)
def enter_count(request: Request[EntriesRequest]) -> Response:
    """Records what somebody found on the shelves. A SKU that was entered before is counted again."""
    lines = stockroom.enter(
        wiring.stock_counts(),
        wiring.inventory(),
        wiring.catalog(),
        wiring.audit(),
        count_id=request.parameters["id"],
        entries=request.body.entries,
        actor=request.actor,
        now=now(),
    )
    return Response(EnteredResponse(lines=tuple(map(line_view, lines))))


@api.post("/admin/stock-counts/{id}/approve", groups=STAFF, answers=CountResponse, idempotency="required")
def approve_count(request: Request[None]) -> Response:
    """Accepts the variances of the version in If-Match. Nothing can be entered from now on."""
    return _shown(
        stockroom.approve(
            wiring.stock_counts(),
            wiring.audit(),
            count_id=request.parameters["id"],
            expected=request.expected_version(),
            actor=request.actor,
            now=now(),
        )
    )


@api.post("/admin/stock-counts/{id}/post", groups=STAFF, answers=CountResponse, idempotency="required")
def post_count(request: Request[None]) -> Response:
    """Corrects the stock by the variances, each once.

    As long as the answer's status is `posting` there is more to do: post again, under a new key.
    """
    return _shown(
        stockroom.post(
            wiring.stock_counts(),
            wiring.inventory(),
            wiring.audit(),
            count_id=request.parameters["id"],
            actor=request.actor,
            now=now(),
        )
    )


@api.post("/admin/stock-counts/{id}/cancel", groups=STAFF, answers=CountResponse, idempotency="required")
def cancel_count(request: Request[None]) -> Response:
    """Ends a count without touching the stock, unless its posting has begun."""
    return _shown(
        stockroom.cancel(
            wiring.stock_counts(),
            wiring.audit(),
            count_id=request.parameters["id"],
            actor=request.actor,
            now=now(),
        )
    )


def _shown(count: StockCount) -> Response:
    counts = wiring.stock_counts()
    return versioned(count_view(count, counts.listed_skus(count.id), counts.lines(count.id)), count.version)


def _known_sku(request: Request[Any]) -> str:
    sku = request.parameters["sku"]
    if sku not in wiring.catalog().offers([sku]):
        raise NotFound("the catalogue has no such SKU")
    return sku


def _month(text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise Invalid("month is written like 2026-11", path="$.month")
    return text


handler = api.handler
