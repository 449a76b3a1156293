"""A person wants their data, and then to be forgotten, on the deployed shop: over HTTP, and in everything it keeps."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tools.demo.actors import Shopper, Staff, card, key
from tools.demo.scenes import Cast, through_warehouse
from tools.demo.watch import until
from tools.local.instance import Instance
from tools.local.staff import PASSWORD, token
from tools.privacy.scan import scan

EMAIL = "mileva.maric@planted.example"
BUYER = {"first_name": "Mileva", "last_name": "Maric", "phone_number": "+15005550111", "email": EMAIL}
IN_A_CART = {"first_name": "Mitsa", "last_name": "Maric-Ruzic", "phone_number": "+15005550112", "email": EMAIL}
ADDRESS = {
    "first_name": "Desanka",
    "last_name": "Trbuhovic",
    "street_address": "27 Plantain Passage",
    "extended_address": "the door with the lion",
    "address_locality": "Plantersburg",
    "postal_code": "97288",
    "phone_number": "+15005550113",
}
LEFT = {
    "first_name": "Zorka",
    "last_name": "Maric-Einstein",
    "street_address": "62 Forsaken Footpath",
    "extended_address": "with the neighbour",
    "phone_number": "+15005550114",
}
NOTE = "the violin came without its bow"
PLANTED = sorted(
    {*BUYER.values(), *IN_A_CART.values(), *ADDRESS.values(), *LEFT.values(), NOTE}
)
PLACE = {"address_region": "OR", "address_country": "US"}


@pytest.fixture(scope="module")
def admin(instance: Instance) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token(instance, 'admin')}"}
    with httpx.Client(base_url=f"{instance.url}/admin", headers=headers, timeout=60) as client:
        yield client


def filled(skus: list[str], buyer: dict[str, str], address: dict[str, str], option: str | None = None) -> Any:
    """The body of a checkout."""
    method = {
        "type": "shipping",
        "destinations": [{"id": "home", **address, **PLACE}],
        "groups": [{"selected_option_id": option}] if option else [],
    }
    lines = [{"item": {"id": sku}, "quantity": 1} for sku in skus]
    return {"line_items": lines, "buyer": buyer, "fulfillment": {"methods": [method]}}


@pytest.fixture(scope="module")
def known(instance: Instance, guest: Shopper, everyone: Cast) -> str:
    """The order of somebody of whom the shop knows all that is planted."""
    pool, where = instance.client("cognito-idp"), instance.output("UserPoolId")
    attributes = [{"Name": "email", "Value": EMAIL}, {"Name": "email_verified", "Value": "true"}]
    pool.admin_create_user(UserPoolId=where, Username=EMAIL, MessageAction="SUPPRESS", UserAttributes=attributes)
    pool.admin_set_user_password(UserPoolId=where, Username=EMAIL, Password=PASSWORD, Permanent=True)
    skus = guest.some_skus(1)
    guest.post("/carts", {"line_items": [{"item": {"id": skus[0]}, "quantity": 1}], "buyer": IN_A_CART})
    guest.post("/checkout-sessions", filled(skus, {"email": EMAIL}, LEFT))
    made = guest.post("/checkout-sessions", filled(skus, BUYER, ADDRESS))
    option = made["fulfillment"]["methods"][0]["groups"][0]["options"][0]["id"]
    path = f"/checkout-sessions/{made['id']}"
    guest.shop.put(path, json=filled(skus, BUYER, ADDRESS, option)).raise_for_status()
    completed = guest.post(f"{path}/complete", card("pm_card_visa"))
    order_id = str(completed["order"]["id"])
    everyone.watcher.email(completed["order"]["label"], "confirmed")
    return order_id


def test_what_twenty_things_tell_is_exported_and_found_nowhere_after_the_erasure(
    instance: Instance, admin: httpx.Client, everyone: Cast, known: str
) -> None:
    def wants(kind: str) -> str:
        body = {"email": EMAIL, "kind": kind, "reference": "ticket 17"}
        answer = admin.post("/privacy/requests", json=body, headers=key())
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def shown(request_id: str) -> Any:
        return admin.get(f"/privacy/requests/{request_id}").json()

    assert len(PLANTED) == 20
    erasure = wants("erase")
    until("the erasure's wait", lambda: shown(erasure)["state"] == "waiting")
    assert shown(erasure)["waits_for"] == [known]

    exporting = wants("export")
    through_warehouse(everyone, known)
    support: Staff = everyone.support
    shipped = until("the shipment", lambda: _parcel(support, known))
    support.post(f"/orders/{known}/refunds", {"amount": 100, "reason": NOTE})
    exported = admin.get(f"/privacy/requests/{exporting}/export")
    assert [said for said in PLANTED if said not in exported.text] == []

    everyone.carrier.report(shipped, "delivered")
    until("the erasure", lambda: shown(erasure)["state"] == "done", patience=60)

    order = support.get(f"/orders/{known}")["order"]
    assert (order["status"], order["buyer"], order["country"]) == ("delivered", {}, "US")
    left = [str(finding) for finding in scan(instance, words=PLANTED) if finding.sign.text in PLANTED]
    assert left == []


def _parcel(support: Staff, order_id: str) -> str | None:
    order = support.get(f"/orders/{order_id}")["order"]
    label = order["shipments"][0].get("label")
    return str(label["tracking_number"]) if order["status"] == "shipped" and label else None
