"""What buyers see of the catalogue: lists and pages for shops, search and lookup for the protocol, the profile."""

from pydantic import ValidationError

from commerce.adapters import paging, wiring
from commerce.adapters.environment import settings
from commerce.adapters.http import Api, Request, Response, cacheable, invalid
from commerce.catalog import service, view
from commerce.catalog.model import ALL, Browsing, PriceRange, Product, Variant
from commerce.catalog.profile import BusinessProfile, business_profile
from commerce.catalog.request import Context, Filters, ListQuery, LookupRequest, ProductRequest, SearchRequest
from commerce.clock import now
from commerce.errors import Invalid, TooMany
from commerce.messages import Message, error, info
from commerce.protocol import ErrorResponse

api = Api("storefront")
catalog = wiring.catalog()
stock = wiring.inventory()


@api.get(
    "/products",
    answers=view.ProductList,
    query={
        "category": "Only products in this category, or one below it, by its slug.",
        "currency": "The currency to list prices in; the shop's first one by default.",
        "min_price": "Only products with a variant at this price or above, in minor units.",
        "max_price": "Only products with a variant at this price or below, in minor units.",
        "sort": "newest (default), price, -price or title.",
        "limit": "Products per page, 1 to 100; 20 by default.",
        "cursor": "Where to go on: the cursor of the page before.",
    },
)
def list_products(request: Request[None]) -> Response:
    """Lists published products."""
    try:
        asked = ListQuery.model_validate(request.query)
    except ValidationError as refused:
        raise invalid(refused) from None
    wanted = asked.browsing(settings().currencies)
    of = wanted.model_dump_json()
    after = paging.read(asked.cursor, of=of)
    listings, position = catalog.browse(wanted, after=after, limit=asked.limit)
    return cacheable(
        request,
        view.ProductList(
            products=tuple(view.listed(listing, settings().url) for listing in listings),
            pagination=view.page(paging.cursor(position, of=of)),
        ),
    )


@api.get(
    "/products/{handle}",
    answers=view.ProductPage,
    query={"currency": "The currency to show prices in; the shop's first one by default."},
)
def show_product(request: Request[None]) -> Response:
    """Shows one published product with all its variants."""
    asked = request.query.get("currency")
    if asked is not None and asked not in settings().currencies:
        raise Invalid(f"the shop sells in {', '.join(settings().currencies)}", path="$.currency")
    product = service.show(catalog, request.parameters["handle"])
    currency = product.presentment((asked, settings().currencies[0]))
    supply = stock.supply([variant.sku for variant in product.sold_in(currency)], now())
    return cacheable(request, view.product_page(product, currency, supply, settings().url))


@api.get("/categories", answers=view.CategoryTree)
def list_categories(request: Request[None]) -> Response:
    """Shows the tree of categories."""
    return cacheable(request, view.tree(catalog.categories()), max_age=300)


@api.get("/.well-known/ucp", answers=BusinessProfile)
def show_profile(request: Request[None]) -> Response:
    """Shows what the shop speaks, and where."""
    return cacheable(request, business_profile(settings().url), max_age=3600)


@api.post("/catalog/search", body=SearchRequest, answers=view.SearchResponse)
def search(request: Request[SearchRequest]) -> Response:
    """Finds products by words, categories and price."""
    asked = request.body
    query = (asked.query or "").strip()
    if not query and not asked.filters.categories and not asked.filters.price:
        raise Invalid("send a query, filters, or both")
    wanted, messages = _wanted(asked.context, asked.filters)
    of = f"{query}\n{wanted.model_dump_json()}"
    after = paging.read(asked.pagination.cursor, of=of, path="$.pagination.cursor")
    limit = min(asked.pagination.limit, view.MAX_FOUND)
    products, position = service.find(catalog, catalog, catalog, query, wanted, after=after, limit=limit)
    chosen = [(product, _fitting(product, wanted)[: view.MAX_SHOWN]) for product in products]
    supply = stock.supply([variant.sku for _, variants in chosen for variant in variants], now())
    return Response(
        view.SearchResponse(
            products=tuple(
                view.shown_product(
                    product, variants, product.presentment((wanted.currency,)), supply, settings().url
                )
                for product, variants in chosen
                if variants
            ),
            pagination=view.page(paging.cursor(position, of=of)),
            messages=messages or None,
        )
    )


@api.post("/catalog/lookup", body=LookupRequest, answers=view.LookupResponse)
def look_up(request: Request[LookupRequest]) -> Response:
    """Reads products by product ids and SKUs."""
    asked = request.body
    if len(asked.ids) > service.MAX_LOOKUP:
        raise TooMany(f"{len(asked.ids)} identifiers are too many; send at most {service.MAX_LOOKUP}", path="$.ids")
    wanted, messages = _wanted(asked.context, asked.filters)
    found, unknown = service.look_up(catalog, stock, asked.ids, wanted, now=now())
    supply = stock.supply([match.variant.sku for _, matches in found for match in matches], now())
    missing = tuple(
        info("not_found", "nothing is sold under this identifier", path=f"$.ids[{asked.ids.index(identifier)}]")
        for identifier in unknown
    )
    return Response(
        view.LookupResponse(
            products=tuple(
                view.shown_product(
                    product,
                    [match.variant for match in matches],
                    product.presentment((wanted.currency,)),
                    supply,
                    settings().url,
                    matches=matches,
                )
                for product, matches in found
            ),
            messages=(*messages, *missing) or None,
        )
    )


@api.post("/catalog/product", body=ProductRequest, answers=view.ProductResponse)
def read_product(request: Request[ProductRequest]) -> Response:
    """Reads one product by its id or a SKU, narrowed down by the option values chosen so far."""
    asked = request.body
    selected = {option.name: option.label for option in asked.selected}
    if len(selected) < len(asked.selected):
        raise Invalid("an option is selected twice", path="$.selected")
    wanted, _ = _wanted(asked.context, asked.filters)
    product = service.resolve(catalog, asked.id)
    candidates = _fitting(product, wanted) if product else []
    supply = stock.supply([variant.sku for variant in candidates], now())
    selection = product and service.select(
        product, candidates, supply, sku=asked.id, selected=selected, preferences=asked.preferences
    )
    if product is None or selection is None:
        return Response(ErrorResponse(messages=(_not_found(),)))
    return Response(
        view.ProductResponse(
            product=view.shown_product(
                product,
                selection.variants,
                product.presentment((wanted.currency,)),
                supply,
                settings().url,
                selection=selection,
                candidates=candidates,
            )
        )
    )


def _wanted(context: Context, filters: Filters) -> tuple[Browsing, tuple[Message, ...]]:
    """What a protocol client is looking for, and what it must be told about it."""
    asked = (context.currency or "").upper()
    currencies = settings().currencies
    price, messages = filters.price, ()
    if asked and asked not in currencies and price is not None:
        price, messages = None, (
            info(
                "price_filter_ignored",
                f"prices are not known in that currency, only in {', '.join(currencies)}",
                path="$.filters.price",
            ),
        )
    categories = filters.categories or ()
    browsing = Browsing(
        currency=asked if asked in currencies else currencies[0],
        category=categories[0] if len(categories) == 1 else ALL,
        categories=categories,
        price=PriceRange(min=price.min, max=price.max) if price else None,
    )
    return browsing, messages


def _fitting(product: Product, wanted: Browsing) -> list[Variant]:
    return [variant for variant in product.variants if service.fits(product, variant, wanted)]


def _not_found() -> Message:
    return error("not_found", "nothing is sold under this identifier", path="$.id", severity="unrecoverable")


handler = api.handler
