"""Bearer tokens: only what the shop's own pool signed, for the shop's own client, and not yet expired."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from commerce.adapters.tokens import KEYS_KEPT_SECONDS, REFRESH_SECONDS, SigningKeys, TokenVerifier
from commerce.errors import Unauthenticated, Unavailable

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
CLIENT = "storefront-client"


@cache
def private_key(kid):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(kid):
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(private_key(kid).public_key(), as_dict=True), "kid": kid, "use": "sig"}


class Pool:
    """The user pool's address of keys. `kids` are the keys it shows now; it counts how often it was asked."""

    def __init__(self, *kids):
        self.kids = list(kids)
        self.asked = 0
        self.up = True
        self.now = 1_000.0

    def fetch(self, url):
        self.asked += 1
        if not self.up:
            raise OSError("no route to host")
        return {"keys": [jwk(kid) for kid in self.kids]}

    def keys(self):
        return SigningKeys("https://pool/jwks.json", self.fetch, clock=lambda: self.now)

    def verifier(self):
        return TokenVerifier(ISSUER, CLIENT, self.keys())


def claims(**changes):
    return {
        "sub": "customer-1",
        "iss": ISSUER,
        "client_id": CLIENT,
        "token_use": "access",
        "exp": int(time.time()) + 3600,
        **changes,
    }


def token(kid="key-1", **changes):
    kept = {name: value for name, value in claims(**changes).items() if value is not None}
    return jwt.encode(kept, private_key(kid), algorithm="RS256", headers={"kid": kid})


def forged(header, body, signature=b""):
    parts = (json.dumps(header).encode(), json.dumps(body).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def public_pem(kid):
    return private_key(kid).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_an_access_token_names_the_caller_and_the_groups():
    caller = Pool("key-1").verifier()(token(**{"cognito:groups": ["support"]}))

    assert caller.subject == "customer-1"
    assert caller.groups == {"support"}


def test_an_id_token_is_believed_by_its_audience():
    caller = Pool("key-1").verifier()(token(token_use="id", client_id=None, aud=CLIENT))

    assert caller.subject == "customer-1"
    assert caller.groups == frozenset()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exp": 1_000_000}, "expired"),
        ({"exp": None}, "not valid"),
        ({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"}, "someone else"),
        ({"client_id": "another-client"}, "another application"),
        ({"client_id": None}, "another application"),
        ({"token_use": "id"}, "another application"),
        ({"token_use": "refresh"}, "access token"),
        ({"token_use": None}, "not valid"),
        ({"sub": None}, "not valid"),
    ],
)
def test_a_token_that_does_not_fit_is_refused_with_the_reason(changes, says):
    with pytest.raises(Unauthenticated, match=says):
        Pool("key-1").verifier()(token(**changes))


def test_an_unsigned_token_is_refused():
    with pytest.raises(Unauthenticated, match="RS256"):
        Pool("key-1").verifier()(forged({"alg": "none", "kid": "key-1"}, claims()))


def test_a_token_signed_with_the_public_key_as_a_password_is_refused():
    header = {"alg": "HS256", "kid": "key-1"}
    unsigned = forged(header, claims()).rpartition(".")[0]
    signature = hmac.new(public_pem("key-1"), unsigned.encode(), hashlib.sha256).digest()

    with pytest.raises(Unauthenticated, match="RS256"):
        Pool("key-1").verifier()(forged(header, claims(), signature))


def test_a_token_of_another_key_under_a_known_key_id_is_refused():
    stolen_name = jwt.encode(claims(), private_key("attacker"), algorithm="RS256", headers={"kid": "key-1"})

    with pytest.raises(Unauthenticated, match="not valid"):
        Pool("key-1").verifier()(stolen_name)


def test_a_key_in_the_tokens_own_header_is_not_believed():
    header = {"kid": "attacker", "jwk": jwk("attacker")}
    own_key = jwt.encode(claims(), private_key("attacker"), algorithm="RS256", headers=header)

    with pytest.raises(Unauthenticated, match="does not know"):
        Pool("key-1").verifier()(own_key)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "\ud800", ".".join("abcde")])
def test_what_is_no_token_is_refused(text):
    with pytest.raises(Unauthenticated):
        Pool("key-1").verifier()(text)


def test_a_refusal_does_not_repeat_the_token():
    bad = token(iss="https://elsewhere")

    with pytest.raises(Unauthenticated) as refused:
        Pool("key-1").verifier()(bad)

    assert bad not in refused.value.content


def test_keys_are_read_once_for_many_tokens():
    pool = Pool("key-1")
    verify = pool.verifier()

    for _ in range(5):
        verify(token())

    assert pool.asked == 1


def test_a_new_key_of_the_pool_is_found():
    pool = Pool("key-1")
    verify = pool.verifier()
    verify(token())
    pool.kids.append("key-2")
    pool.now += REFRESH_SECONDS + 1

    assert verify(token("key-2")).subject == "customer-1"


def test_many_made_up_key_ids_do_not_become_many_reads_of_the_pool():
    pool = Pool("key-1")
    verify = pool.verifier()

    for _ in range(20):
        with pytest.raises(Unauthenticated, match="does not know"):
            verify(token("unknown"))

    assert pool.asked == 1


def test_a_withdrawn_key_is_forgotten():
    pool = Pool("key-1", "key-2")
    verify = pool.verifier()
    verify(token("key-2"))
    pool.kids.remove("key-2")
    pool.now += KEYS_KEPT_SECONDS + 1

    with pytest.raises(Unauthenticated, match="does not know"):
        verify(token("key-2"))


def test_known_keys_outlive_a_pool_that_does_not_answer():
    pool = Pool("key-1")
    verify = pool.verifier()
    verify(token())
    pool.up = False
    pool.now += KEYS_KEPT_SECONDS + 1

    assert verify(token()).subject == "customer-1"


def test_a_pool_that_never_answered_is_the_shops_fault_and_not_the_buyers():
    pool = Pool("key-1")
    pool.up = False

    with pytest.raises(Unavailable):
        pool.verifier()(token())


def test_guests_do_not_pay_for_cryptography():
    loaded = "import sys, commerce.adapters.tokens; print({'jwt', 'cryptography', 'urllib.request'} & set(sys.modules))"

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, env=environment)

    assert answer.stdout.strip() == "set()"
