"""Secrets Manager: JSON secrets, read once per process and again after ten minutes, so that a rotation is seen."""

import json
import time

from commerce.adapters import aws

_KEPT_SECONDS = 600
_known: dict[str, tuple[float, dict[str, str]]] = {}


def secret(arn: str) -> dict[str, str]:
    """The secret's fields. Never log them."""
    kept = _known.get(arn)
    if kept is None or kept[0] < time.monotonic():
        text = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        kept = (time.monotonic() + _KEPT_SECONDS, json.loads(text))
        _known[arn] = kept
    return kept[1]
