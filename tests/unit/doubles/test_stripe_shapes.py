"""The Stripe double's objects have the fields that Stripe publishes, and no others.

Measured against the classes and parameters of the `stripe` package, which are generated from Stripe's own
specification. A new release of the package that moves a field fails here.
"""

import typing
from types import UnionType
from typing import Any

import pytest
import stripe
from stripe.params import (
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    RefundCreateParams,
    WebhookEndpointCreateParams,
)

from builders.doubles import Receiver, client, control, stripe_double
from tools.doubles.stripe import objects
from tools.doubles.stripe.account import PARAMETERS
from tools.doubles.stripe.cards import CARDS, Card

CARD = Card()
METHOD = objects.payment_method("pm_card_visa", CARD)
INTENT = objects.payment_intent(2000, "usd", "manual", {"allowed_payment_method_types": ["card"]})
CHARGE = objects.charge(INTENT, METHOD, CARD)
DECLINED = objects.charge(INTENT, METHOD, CARDS["pm_card_chargeDeclined"])
ENDPOINT = objects.webhook_endpoint({"url": "https://shop.example", "enabled_events": ["*"]})

SHAPES: list[tuple[type[Any], dict[str, Any]]] = [
    (stripe.PaymentIntent, INTENT),
    (stripe.PaymentMethod, METHOD),
    (stripe.PaymentMethod.Card, METHOD["card"]),
    (stripe.Charge, CHARGE),
    (stripe.Charge, DECLINED),
    (stripe.Charge.Outcome, CHARGE["outcome"]),
    (stripe.Charge.PaymentMethodDetails.Card, CHARGE["payment_method_details"]["card"]),
    (stripe.Refund, objects.refund(CHARGE, 100, {})),
    (stripe.Dispute, objects.dispute(CHARGE, "fraudulent")),
    (stripe.Event, objects.event("charge.captured", CHARGE, 0, {"id": None, "idempotency_key": None})),
    (stripe.WebhookEndpoint, ENDPOINT),
]
NAMES = [shape.__qualname__ for shape, _ in SHAPES]


def declared(shape: type[Any]) -> dict[str, Any]:
    """The fields that the package declares, with their types."""
    return {
        name: hint
        for name, hint in shape.__annotations__.items()
        if not name.startswith("_") and typing.get_origin(hint) is not typing.ClassVar
    }


def optional(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, UnionType) and type(None) in typing.get_args(hint)


@pytest.mark.parametrize(("shape", "thing"), SHAPES, ids=NAMES)
def test_every_required_field_is_there(shape: type[Any], thing: dict[str, Any]) -> None:
    required = {name for name, hint in declared(shape).items() if not optional(hint)}
    assert required - thing.keys() == set()
    assert {name for name in required if thing[name] is None} == set()


@pytest.mark.parametrize(("shape", "thing"), SHAPES, ids=NAMES)
def test_no_field_is_invented(shape: type[Any], thing: dict[str, Any]) -> None:
    assert objects.public(thing).keys() - declared(shape).keys() == set()


@pytest.mark.parametrize(("shape", "thing"), SHAPES, ids=NAMES)
def test_plain_fields_have_the_declared_type(shape: type[Any], thing: dict[str, Any]) -> None:
    wrong = {
        name: thing[name]
        for name, hint in declared(shape).items()
        if name in thing and hint in (int, str, bool) and type(thing[name]) is not hint
    }
    assert wrong == {}


def test_the_api_version_is_the_packages() -> None:
    from stripe._api_version import _ApiVersion

    assert objects.API_VERSION == _ApiVersion.CURRENT


KNOWN: list[tuple[str, type[Any]]] = [
    ("payment_intents.create", PaymentIntentCreateParams),
    ("payment_intents.confirm", PaymentIntentConfirmParams),
    ("payment_intents.capture", PaymentIntentCaptureParams),
    ("payment_intents.cancel", PaymentIntentCancelParams),
    ("refunds.create", RefundCreateParams),
    ("webhook_endpoints.create", WebhookEndpointCreateParams),
]


@pytest.mark.parametrize(("operation", "params"), KNOWN, ids=[operation for operation, _ in KNOWN])
def test_no_operation_takes_a_parameter_that_stripe_does_not(operation: str, params: type[Any]) -> None:
    assert set(PARAMETERS[operation]) - params.__annotations__.keys() == set()


def test_the_parameters_of_every_operation_are_checked() -> None:
    assert [operation for operation, _ in KNOWN] == list(PARAMETERS)


def test_what_goes_over_the_wire_is_read_as_these_classes() -> None:
    with stripe_double() as double, Receiver() as shop:
        api = client(double)
        api.v1.webhook_endpoints.create({"url": shop.url, "enabled_events": ["*"]})
        intent = api.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_createDispute",
                "expand": ["latest_charge.payment_intent"],
            }
        )
        assert isinstance(intent, stripe.PaymentIntent)
        assert isinstance(intent.latest_charge, stripe.Charge)
        assert isinstance(intent.latest_charge.payment_intent, stripe.PaymentIntent)
        [dispute] = api.v1.disputes.list().data
        assert isinstance(dispute, stripe.Dispute)
        assert control(double, "idle")["idle"]
        assert not any(name.startswith("_") for body in shop.bodies for name in body["data"]["object"])
