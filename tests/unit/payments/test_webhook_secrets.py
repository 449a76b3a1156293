"""Which of a secret's fields sign webhooks: an empty one, with which anybody could sign, never does."""

import pytest

from builders.pricing import settings
from commerce.adapters import secrets, wiring
from commerce.errors import Unauthenticated
from commerce.payments.gateway import StripeGateway
from tools.doubles.carrier.double import signature


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch):
    """Puts fields into the providers' secrets."""

    def keep(**fields: str) -> None:
        for name in ("PAYMENT", "CARRIER"):
            monkeypatch.setenv(f"{name}_SECRET_ARN", f"arn:{name}")
            monkeypatch.setitem(secrets._known, f"arn:{name}", (float("inf"), {"api_key": "key", **fields}))

    return keep


@pytest.mark.parametrize(
    ("fields", "believed"),
    [
        ({"webhook_secret": "new"}, ("new",)),
        ({"webhook_secret": "new", "previous_webhook_secret": "old"}, ("new", "old")),
        ({"webhook_secret": "new", "previous_webhook_secret": ""}, ("new",)),
        ({"webhook_secret": ""}, ()),
        ({}, ()),
    ],
)
def test_the_present_secret_signs_and_the_one_before_while_it_is_there(kept, fields, believed):
    kept(**fields)

    gateway: StripeGateway = wiring.payment_gateway()

    assert gateway._webhook_secrets == believed


def test_a_carrier_secret_without_a_signing_secret_lets_nobody_sign(kept, monkeypatch):
    monkeypatch.setattr(wiring, "settings", settings)
    kept(webhook_secret="")
    body = b'{"result": {}}'

    with pytest.raises(Unauthenticated):
        wiring.carrier().construct_event(body, {"x-hmac-signature": signature(body, "")})
