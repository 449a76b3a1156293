"""What staff do to the catalogue. Every write leaves an entry in the audit trail."""

from pydantic import ValidationError

from commerce import clock
from commerce.adapters import paging, wiring
from commerce.adapters.http import Api, Request, Response, invalid, versioned
from commerce.catalog import service
from commerce.catalog.model import AdminEntry, Category, Product, ProductDraft
from commerce.catalog.request import AdminListQuery, CategoryContent
from commerce.catalog.view import AdminList, AuditTrail, page
from commerce.errors import NotFound

api = Api("admin")
catalog = wiring.catalog()

STAFF = ("catalogue",)
_LONGEST_POSITION = 100
"""Characters of a place in the audit trail; more would be no key."""


@api.get(
    "/admin/products",
    groups=STAFF,
    answers=AdminList,
    query={
        "status": "Only drafts, active or archived products.",
        "handle": "The product with this handle.",
        "sku": "The product that this SKU belongs to.",
        "limit": "Products per page, 1 to 100; 20 by default.",
        "cursor": "Where to go on: the cursor of the page before.",
    },
)
def list_products(request: Request[None]) -> Response:
    """Lists products in any state, the newest first. A new one appears within a moment."""
    try:
        asked = AdminListQuery.model_validate(request.query)
    except ValidationError as refused:
        raise invalid(refused) from None
    if asked.handle or asked.sku:
        return Response(AdminList(products=_looked_up(asked.handle, asked.sku), pagination=page(None)))
    of = f"admin {asked.status}"
    after = paging.read(asked.cursor, of=of)
    entries, position = catalog.admin_list(asked.status, after=after, limit=asked.limit)
    return Response(AdminList(products=tuple(entries), pagination=page(paging.cursor(position, of=of))))


@api.post("/admin/products", groups=STAFF, body=ProductDraft, answers=Product, status=201)
def create_product(request: Request[ProductDraft]) -> Response:
    """Makes a product. Sent again it is refused, since the handle is taken."""
    product = service.create_product(
        catalog, request.body, categories=_categories(), actor=request.actor, now=clock.now()
    )
    return versioned(product, product.version)


@api.get("/admin/products/{id}", groups=STAFF, answers=Product)
def show_product(request: Request[None]) -> Response:
    """Shows a product in any state; its ETag is its version."""
    product = _product(request)
    return versioned(product, product.version)


@api.put("/admin/products/{id}", groups=STAFF, body=ProductDraft, answers=Product)
def replace_product(request: Request[ProductDraft]) -> Response:
    """Replaces what staff decide about a product: read it, change it, send it back."""
    version = request.expected_version()
    product = service.expect_version(_product(request), version)
    changed = service.replace_product(
        catalog, product, request.body, categories=_categories(), actor=request.actor, now=clock.now()
    )
    return versioned(changed, changed.version)


@api.post("/admin/products/{id}/archive", groups=STAFF, answers=Product)
def archive_product(request: Request[None]) -> Response:
    """Takes a product out of the shop."""
    product = service.archive_product(catalog, _expected(request), actor=request.actor, now=clock.now())
    return versioned(product, product.version)


@api.post("/admin/products/{id}/publish", groups=STAFF, answers=Product)
def publish_product(request: Request[None]) -> Response:
    """Puts a draft or an archived product into the shop."""
    product = service.publish_product(catalog, _expected(request), actor=request.actor, now=clock.now())
    return versioned(product, product.version)


@api.get(
    "/admin/products/{id}/audit",
    groups=STAFF,
    answers=AuditTrail,
    query={"before": "Only entries before this one's position."},
)
def show_history(request: Request[None]) -> Response:
    """Shows who changed a product, and how it was before."""
    before = request.query.get("before", "")[:_LONGEST_POSITION] or None
    return Response(AuditTrail(entries=catalog.history(_product(request).id, before=before)))


@api.get("/admin/categories/{slug}", groups=STAFF, answers=Category)
def show_category(request: Request[None]) -> Response:
    """Shows a category; its ETag is its version."""
    category, version = catalog.category(request.parameters["slug"])
    return versioned(category, version)


@api.put("/admin/categories/{slug}", groups=STAFF, body=CategoryContent, answers=Category)
def put_category(request: Request[CategoryContent]) -> Response:
    """Makes a category, or with If-Match changes it."""
    try:
        category = Category(slug=request.parameters["slug"], **request.body.model_dump())
    except ValidationError as refused:
        raise invalid(refused) from None
    category, version = service.put_category(
        catalog, category, version=request.version_if_sent(), actor=request.actor, now=clock.now()
    )
    return versioned(category, version, status=201 if version == 1 else 200)


def _product(request: Request[object]) -> Product:
    return catalog.get(request.parameters["id"])


def _expected(request: Request[object]) -> Product:
    """The product; in the version of If-Match, where that is sent."""
    product = _product(request)
    if "if-match" in request.headers:
        return service.expect_version(product, request.expected_version())
    return product


def _looked_up(handle: str | None, sku: str | None) -> tuple[AdminEntry, ...]:
    try:
        product = catalog.by_handle(handle) if handle else catalog.by_sku(sku or "")
    except NotFound:
        return ()
    if sku and product.variant(sku) is None:
        return ()
    return (AdminEntry.of(product),)


def _categories() -> frozenset[str]:
    return frozenset(category.slug for category in catalog.categories())


handler = api.handler
