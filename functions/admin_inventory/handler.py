"""Staff look at stock, correct it, and see why it is what it is."""

import re
from typing import Any

from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response
from commerce.clock import iso, now
from commerce.errors import Invalid, NotFound
from commerce.ids import derived_id
from commerce.inventory.pooling import switch_off, switch_on
from commerce.inventory.request import AdjustmentRequest, PoolRequest, TransferRequest
from commerce.inventory.service import adjust_stock, transfer_stock
from commerce.inventory.view import MovementsResponse, StockLevel, StockResponse, level, levels

PAGE, MAX_PAGE = 50, 100

api = Api("admin", idempotency=wiring.idempotency)
wiring.at_start(wiring.inventory, wiring.catalog, wiring.audit, wiring.idempotency)


@api.get("/admin/stock/{sku}", groups=("warehouse", "catalogue"), answers=StockResponse)
def show_stock(request: Request[None]) -> Response:
    """Shows how much of a SKU lies where, free and promised."""
    sku = _known_sku(request)
    return Response(levels(sku, wiring.inventory().stock_of([sku])[sku]))


@api.post(
    "/admin/stock/{sku}/adjustments",
    groups=("warehouse", "catalogue"),
    body=AdjustmentRequest,
    answers=StockLevel,
    status=201,
    idempotency="required",
)
def adjust(request: Request[AdjustmentRequest]) -> Response:
    """Corrects a SKU's stock, with the reason. What is promised to orders cannot be taken."""
    sku, actor = _known_sku(request), str(request.caller.subject)
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
    groups=("warehouse", "catalogue"),
    body=TransferRequest,
    answers=StockResponse,
    status=201,
    idempotency="required",
)
def transfer(request: Request[TransferRequest]) -> Response:
    """Moves units of a SKU to another location. What is promised to orders stays where they are picked."""
    sku, actor = _known_sku(request), str(request.caller.subject)
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


@api.put("/admin/stock/{sku}/pool", groups=("warehouse", "catalogue"), body=PoolRequest, answers=StockResponse)
def pool_stock(request: Request[PoolRequest]) -> Response:
    """Spreads a hot SKU's stock over many rows, so that many buyers at once do not wait for each other."""
    sku, actor = _known_sku(request), str(request.caller.subject)
    switch_on(wiring.inventory(), wiring.audit(), sku=sku, shards=request.body.shards, actor=actor, now=now())
    return Response(levels(sku, wiring.inventory().stock_of([sku])[sku]))


@api.delete("/admin/stock/{sku}/pool", groups=("warehouse", "catalogue"), answers=StockResponse)
def unpool_stock(request: Request[None]) -> Response:
    """Brings a SKU's stock together again; what is promised to orders follows when they are sent or canceled."""
    sku, actor = _known_sku(request), str(request.caller.subject)
    switch_off(wiring.inventory(), wiring.audit(), sku=sku, actor=actor, now=now())
    return Response(levels(sku, wiring.inventory().stock_of([sku])[sku]))


@api.get(
    "/admin/stock/{sku}/movements",
    groups=("warehouse", "catalogue"),
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
