"""The business profile under /.well-known/ucp: what a client finds out before it talks to the shop.

Source: UCP 2026-08-25, profile.json, ucp.json (business_schema), service.json, capability.json.
"""

from typing import Any

from commerce.model import Model
from commerce.protocol import (
    CART,
    CHECKOUT,
    DISCOUNT,
    FULFILLMENT,
    LOOKUP,
    ORDER,
    PAYMENT_HANDLER,
    SEARCH,
    VERSION,
    payment_handler,
)

_BASE = f"https://ucp.dev/{VERSION}"
_SCHEMAS = {
    CART: "cart",
    CHECKOUT: "checkout",
    FULFILLMENT: "fulfillment",
    DISCOUNT: "discount",
    ORDER: "order",
    SEARCH: "catalog_search",
    LOOKUP: "catalog_lookup",
}
_EXTENDS = {FULFILLMENT: CHECKOUT, DISCOUNT: CHECKOUT}


class BusinessMetadata(Model):
    """Registries, each keyed by reverse-domain name."""

    version: str = VERSION
    services: dict[str, list[dict[str, Any]]]
    capabilities: dict[str, list[dict[str, Any]]]
    payment_handlers: dict[str, list[dict[str, Any]]]


class BusinessProfile(Model):
    """The profile document."""

    ucp: BusinessMetadata


def business_profile(url: str) -> BusinessProfile:
    """The profile of the shop at `url`, which is also where its API answers."""
    service = {
        "version": VERSION,
        "spec": f"{_BASE}/specification/overview",
        "transport": "rest",
        "schema": f"{_BASE}/services/shopping/rest.openapi.json",
        "endpoint": url,
    }
    return BusinessProfile(
        ucp=BusinessMetadata(
            services={"dev.ucp.shopping": [service]},
            capabilities={name: [_capability(name, schema)] for name, schema in _SCHEMAS.items()},
            payment_handlers={PAYMENT_HANDLER: [payment_handler()]},
        )
    )


def _capability(name: str, schema: str) -> dict[str, Any]:
    declared = {"version": VERSION, "schema": f"{_BASE}/schemas/shopping/{schema}.json"}
    return {**declared, "extends": _EXTENDS[name]} if name in _EXTENDS else declared
