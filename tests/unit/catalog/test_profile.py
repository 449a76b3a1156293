"""The business profile, judged by the protocol's own models."""

import json

from ucp_sdk.models.schemas.profile import BusinessSchema

from commerce.catalog.profile import business_profile
from commerce.protocol import CHECKOUT, FULFILLMENT, VERSION


def test_the_profile_is_what_the_protocol_asks_of_a_business() -> None:
    document = json.loads(business_profile("https://shop.example").model_dump_json())
    profile = BusinessSchema.model_validate(document).ucp
    assert set(profile.capabilities or {}) >= {
        "dev.ucp.shopping.cart",
        "dev.ucp.shopping.checkout",
        "dev.ucp.shopping.fulfillment",
        "dev.ucp.shopping.order",
        "dev.ucp.shopping.catalog.search",
        "dev.ucp.shopping.catalog.lookup",
    }
    assert document["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"] == "https://shop.example"
    assert document["ucp"]["capabilities"][FULFILLMENT][0]["extends"] == CHECKOUT


def test_everything_of_the_protocol_is_declared_in_its_version() -> None:
    profile = business_profile("https://shop.example").ucp
    declared = [entry for registry in (profile.services, profile.capabilities) for entry in registry.values()]
    assert {entry["version"] for entries in declared for entry in entries} == {VERSION}
