"""Tokens that nobody should believe, made from one that everybody should."""

import base64
import functools
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ELSEWHERE = "https://attacker.example/jwks.json"


@dataclass(frozen=True)
class Issuer:
    """A user pool's key and the claims of a good access token of somebody who may not do everything."""

    key: RSAPrivateKey
    kid: str
    claims: dict[str, Any]

    def token(self, *, key: RSAPrivateKey | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token with other claims (None takes one away), signed by the pool, or by somebody else's `key`."""
        claims = {name: value for name, value in {**self.claims, **changes}.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": self.kid, **(header or {})})


@functools.cache
def attackers_key() -> RSAPrivateKey:
    """A key that no pool knows."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def forgeries(issuer: Issuer) -> dict[str, str]:
    """Those that every door is tried with, by what is wrong with them."""
    now = int(time.time())
    header, _, signature = issuer.token().split(".")
    promoted = _segment({**issuer.claims, "cognito:groups": ["admin"]})
    return {
        "garbage": "x.y.z",
        "promoted to admin": f"{header}.{promoted}.{signature}",
        "expired a second ago": issuer.token(exp=now - 1),
        "another issuer": issuer.token(iss=f"{issuer.claims['iss']}x"),
        "another audience": issuer.token(client_id="another-client"),
    }


def confusions(issuer: Issuer) -> dict[str, str]:
    """Those that confuse whoever checks tokens by hand, or leaves a check out."""
    now, admin = int(time.time()), {"cognito:groups": ["admin"]}
    mine = functools.partial(issuer.token, key=attackers_key(), **admin)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(attackers_key().public_key(), as_dict=True)
    return {
        **{f"alg {name}": _unsigned(issuer, name) for name in ("none", "None", "NONE", "")},
        "the public key as a password": _with_password(issuer, _pem(issuer.key)),
        "no password": _with_password(issuer, b""),
        "signed by somebody else": mine(),
        "a key of its own": mine(header={"kid": "mine", "jwk": {**public, "kid": "mine"}}),
        "keys elsewhere (jku)": mine(header={"kid": "mine", "jku": ELSEWHERE}),
        "a certificate elsewhere (x5u)": mine(header={"kid": "mine", "x5u": ELSEWHERE}),
        "a key id that is a file": mine(header={"kid": "../../../../dev/null"}),
        "a key id that is an address": mine(header={"kid": ELSEWHERE}),
        "a key id that is a query": mine(header={"kid": "x' UNION SELECT 'key' --"}),
        "without its signature": f"{issuer.token().rpartition('.')[0]}.",
        "not valid yet": issuer.token(nbf=now + 600),
        "for refreshing": issuer.token(token_use="refresh"),
        "without a use": issuer.token(token_use=None),
        "an id token of another client": issuer.token(token_use="id", client_id=None, aud="another-client"),
        "without a client": issuer.token(client_id=None),
    }


def _unsigned(issuer: Issuer, algorithm: str) -> str:
    return f"{_segment({'alg': algorithm, 'typ': 'JWT', 'kid': issuer.kid})}.{_segment(issuer.claims)}."


def _with_password(issuer: Issuer, password: bytes) -> str:
    """HS256: the verifier that believes the token's own `alg` would take its public key for the password."""
    content = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': issuer.kid})}.{_segment(issuer.claims)}"
    return f"{content}.{_text(hmac.new(password, content.encode(), hashlib.sha256).digest())}"


def _pem(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _segment(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
