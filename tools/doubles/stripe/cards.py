"""The test cards: which token behaves how. Names and behaviour as in https://docs.stripe.com/testing."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Decline:
    """Why a charge is refused. `code` is Stripe's error code, `decline_code` the bank's reason."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """A test card and everything that happens to it."""

    brand: str = "visa"
    last4: str = "4242"
    funding: str = "credit"
    decline: Decline | None = None
    authenticates: bool = False
    """The bank asks the buyer for a confirmation (3-D Secure)."""
    risk: Literal["normal", "elevated", "highest"] = "normal"
    capture: Literal["works", "declined", "expired"] = "works"
    refund: Literal["works", "pending", "fails"] = "works"
    dispute: str | None = None
    """The reason for which the buyer will dispute the payment once it is captured."""


def _declined(decline_code: str, message: str = "Your card was declined.") -> Decline:
    return Decline("card_declined", decline_code, message)


GENERIC = _declined("generic_decline")
INSUFFICIENT_FUNDS = _declined("insufficient_funds", "Your card has insufficient funds.")

_VISA = {
    "chargeDeclined": Card(last4="0002", decline=GENERIC),
    "chargeDeclinedInsufficientFunds": Card(last4="9995", decline=INSUFFICIENT_FUNDS),
    "chargeDeclinedLostCard": Card(last4="9987", decline=_declined("lost_card")),
    "chargeDeclinedStolenCard": Card(last4="9979", decline=_declined("stolen_card")),
    "chargeDeclinedVelocityLimitExceeded": Card(last4="6975", decline=_declined("card_velocity_exceeded")),
}

CARDS: dict[str, Card] = {
    "pm_card_visa": Card(),
    "pm_card_visa_debit": Card(last4="5556", funding="debit"),
    "pm_card_mastercard": Card(brand="mastercard", last4="4444"),
    "pm_card_amex": Card(brand="amex", last4="8431"),
    "pm_card_discover": Card(brand="discover", last4="9424"),
    **{f"pm_card_{name}": card for name, card in _VISA.items()},
    **{f"pm_card_visa_{name}": card for name, card in _VISA.items()},
    "pm_card_chargeDeclinedExpiredCard": Card(
        last4="0069", decline=Decline("expired_card", None, "Your card has expired.")
    ),
    "pm_card_chargeDeclinedIncorrectCvc": Card(
        last4="0127", decline=Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
    ),
    "pm_card_chargeDeclinedProcessingError": Card(
        last4="0119",
        decline=Decline("processing_error", None, "An error occurred while processing your card. Try again in a bit."),
    ),
    "pm_card_radarBlock": Card(last4="0019", risk="highest", decline=_declined("fraudulent")),
    "pm_card_riskLevelElevated": Card(last4="9235", risk="elevated"),
    "pm_card_riskLevelHighest": Card(last4="4954", risk="highest"),
    "pm_card_authenticationRequired": Card(last4="3184", authenticates=True),
    "pm_card_threeDSecureRequired": Card(last4="3220", authenticates=True),
    "pm_card_threeDSecure2Required": Card(last4="3220", authenticates=True),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        last4="3178", authenticates=True, decline=INSUFFICIENT_FUNDS
    ),
    "pm_card_createDispute": Card(last4="0259", dispute="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "pm_card_pendingRefund": Card(last4="7726", refund="pending"),
    "pm_card_refundFail": Card(last4="5126", refund="fails"),
    "pm_card_captureFails": Card(last4="0341", capture="declined"),
    "pm_card_captureExpires": Card(last4="0358", capture="expired"),
}
"""The last two are our own: Stripe has no test card whose capture fails."""
