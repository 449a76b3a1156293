"""Secrets Manager: JSON secrets, read once per process and again after ten minutes, so that a rotation is seen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from commerce.adapters import aws
from commerce.adapters.environment import require

if TYPE_CHECKING:
    from commerce.identity.model import KeyRing

_KEPT_SECONDS = 600
_known: dict[str, tuple[float, dict[str, Any]]] = {}


def secret(arn: str) -> dict[str, Any]:
    """The secret's fields. Never log them."""
    kept = _known.get(arn)
    if kept is None or kept[0] < time.monotonic():
        text = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        kept = (time.monotonic() + _KEPT_SECONDS, json.loads(text))
        _known[arn] = kept
    return kept[1]


def key_ring() -> KeyRing:
    """The shop's signing keys. Never log it."""
    from commerce.identity.model import KeyRing

    return KeyRing.model_validate(secret(require("SIGNING_SECRET_ARN")))
