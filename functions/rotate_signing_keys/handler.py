"""Rotates the signing keys, in the four steps in which Secrets Manager asks for it. Each can come twice.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

import json
import secrets
from typing import Any

from commerce.adapters import aws
from commerce.adapters.invocation import correlated
from commerce.adapters.log import logger
from commerce.identity.model import KeyRing
from commerce.identity.service import access_token, verify_access_token

vault = aws.client("secretsmanager")


@correlated
def handler(event: dict[str, str], _context: Any) -> None:
    """One step. Whatever it raises ends the rotation until Secrets Manager begins it again; the old keys stay."""
    secret, version = event["SecretId"], event["ClientRequestToken"]
    match event["Step"]:
        case "createSecret":
            _create(secret, version)
        case "testSecret":
            _test(_ring(secret, VersionId=version, VersionStage="AWSPENDING"))
        case "finishSecret":
            _finish(secret, version)
    logger().info("rotation", step=event["Step"], version=version)


def _create(secret: str, version: str) -> None:
    """Puts the next ring beside the present one, once for a rotation."""
    if version in _versions(secret, "AWSPENDING", "AWSCURRENT"):
        return
    ring = _ring(secret, VersionStage="AWSCURRENT").rotated(secrets.token_urlsafe(36))
    vault.put_secret_value(
        SecretId=secret, ClientRequestToken=version, SecretString=ring.model_dump_json(), VersionStages=["AWSPENDING"]
    )


def _test(ring: KeyRing) -> None:
    """What the next ring signs, it knows again. Raises ValueError."""
    if not verify_access_token(ring, "order_test", access_token(ring, "order_test")):
        raise ValueError("the next ring does not know its own signature")


def _finish(secret: str, version: str) -> None:
    """From now on the next ring is the present one."""
    [present] = _versions(secret, "AWSCURRENT")
    if present != version:
        vault.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=present
        )


def _versions(secret: str, *stages: str) -> list[str]:
    """The versions of the secret that are in any of these stages."""
    known: dict[str, list[str]] = vault.describe_secret(SecretId=secret)["VersionIdsToStages"]
    return [version for version, has in known.items() if not {*stages}.isdisjoint(has)]


def _ring(secret: str, **version: str) -> KeyRing:
    return KeyRing.model_validate(json.loads(vault.get_secret_value(SecretId=secret, **version)["SecretString"]))
