"""Bearer tokens of the user pool, checked by the function itself.

Routes that only signed-in people may use are guarded by API Gateway's own JWT authorizer. Public routes take guests and
signed-in buyers alike, which an authorizer cannot express: there a token is checked here, and PyJWT with its
cryptography is imported only when one comes, so that guests do not pay for it.
"""

import functools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3

from commerce.adapters.environment import require
from commerce.errors import Unauthenticated, Unavailable
from commerce.identity.model import Caller

KEYS_KEPT_SECONDS = 3600
"""After this the pool's keys are read again, so that one that was withdrawn stops to be believed."""
REFRESH_SECONDS = 60
"""Tokens with made-up key ids can cause one read of the pool's keys in this time, not one each."""

Fetch = Callable[[str], dict[str, Any]]
"""The JSON document at an address. Raises OSError or ValueError."""


@dataclass
class SigningKeys:
    """The user pool's public keys, by key id."""

    url: str
    fetch: Fetch
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _read_at: float | None = None

    def find(self, key_id: str) -> dict[str, Any] | None:
        """The key as a JWK, or None. Raises Unavailable where the pool does not answer and no key is known."""
        age = None if self._read_at is None else self.clock() - self._read_at
        if age is None or age > KEYS_KEPT_SECONDS or (key_id not in self._known and age > REFRESH_SECONDS):
            self._read()
        return self._known.get(key_id)

    def _read(self) -> None:
        try:
            keys = self.fetch(self.url)["keys"]
        except (OSError, ValueError, KeyError) as error:
            if not self._known:
                raise Unavailable("tokens cannot be checked at the moment; send the request again") from error
        else:
            self._known = {key["kid"]: key for key in keys if key.get("kty") == "RSA"}
        self._read_at = self.clock()


@dataclass(frozen=True)
class TokenVerifier:
    """Believes access and id tokens of one user pool's one client, and nothing else."""

    issuer: str
    client_id: str
    keys: SigningKeys

    def __call__(self, token: str) -> Caller:
        """The caller that the token speaks for. Raises Unauthenticated with the reason."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256":
                raise Unauthenticated("the token is not signed with RS256, as tokens of this shop are; sign in again")
            key = self.keys.find(str(header.get("kid")))
            if key is None:
                raise Unauthenticated("the token is signed with a key that this shop does not know; sign in again")
            claims = jwt.decode(
                token,
                jwt.PyJWK(key, algorithm="RS256"),
                algorithms=["RS256"],
                issuer=self.issuer,
                # When it was signed says nothing that its end does not, and the pool's clock may be ahead of ours.
                options={"require": ["exp", "iss", "sub", "token_use"], "verify_aud": False, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired; refresh it or sign in again") from error
        except jwt.InvalidIssuerError as error:
            raise Unauthenticated("the token was issued by someone else; sign in at this shop") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthenticated("the token is not valid; sign in again") from error
        return self._caller(claims)

    def _caller(self, claims: dict[str, Any]) -> Caller:
        audience = {"access": "client_id", "id": "aud"}.get(claims["token_use"])
        if audience is None:
            raise Unauthenticated("send the access token or the id token, not another one")
        if claims.get(audience) != self.client_id:
            raise Unauthenticated("the token was issued for another application; sign in at this shop")
        return Caller(subject=claims["sub"], groups=frozenset(claims.get("cognito:groups", ())))


def verify(token: str) -> Caller:
    """The caller that the token speaks for, by the function's environment. Raises Unauthenticated."""
    return _verifier()(token)


@functools.cache
def _verifier() -> TokenVerifier:
    issuer = require("USER_POOL_ISSUER")
    url = os.environ.get("JWKS_URL") or f"{issuer}/.well-known/jwks.json"
    return TokenVerifier(issuer, require("USER_POOL_CLIENT_ID"), SigningKeys(url, fetch))


def fetch(url: str) -> dict[str, Any]:
    """The JSON document at the address. Raises OSError and ValueError."""
    try:
        with urllib3.PoolManager() as pool:  # of its own: a connection of an hour ago is dead
            answer = pool.request("GET", url, timeout=3.0, retries=False, redirect=False)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(f"{url} does not answer") from error
    if answer.status != 200:
        raise OSError(f"{url} answers {answer.status}")
    document: dict[str, Any] = json.loads(answer.data)
    return document
