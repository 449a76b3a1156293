"""Bearer tokens: only what the shop's own pool signed, for the shop's own client, and not yet expired."""

import json
import os
import subprocess
import sys
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from builders.forging import Issuer, confusions, forgeries
from commerce.adapters.tokens import KEYS_KEPT_SECONDS, REFRESH_SECONDS, SigningKeys, TokenVerifier, fetch
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


def test_an_access_token_names_the_caller_and_the_groups():
    caller = Pool("key-1").verifier()(token(**{"cognito:groups": ["support"]}))

    assert caller.subject == "customer-1"
    assert caller.groups == {"support"}


def test_an_id_token_is_believed_by_its_audience():
    caller = Pool("key-1").verifier()(token(token_use="id", client_id=None, aud=CLIENT))

    assert caller.subject == "customer-1"
    assert caller.groups == frozenset()


def people():
    """The pool, and the claims of somebody in support."""
    return Issuer(private_key("key-1"), "key-1", claims(**{"cognito:groups": ["support"]}))


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


def believes(verify, forged):
    """Whether the token speaks for somebody."""
    try:
        verify(forged)
    except Unauthenticated:
        return False
    return True


def test_a_forged_token_speaks_for_nobody():
    """Forged here and not when this file is read: some of them are wrong for a few minutes only."""
    real, verify = people(), Pool("key-1").verifier()
    forged = {**forgeries(real), **confusions(real)}

    assert verify(real.token()).groups == {"support"}
    assert [name for name, one in forged.items() if believes(verify, one)] == []


def test_a_token_with_a_part_that_must_be_understood_and_is_not_is_refused():
    critical = people().token(header={"crit": ["scope"], "scope": "everything"})

    with pytest.raises(Unauthenticated):
        Pool("key-1").verifier()(critical)


def test_a_pool_whose_clock_is_ahead_signs_good_tokens():
    assert Pool("key-1").verifier()(token(iat=int(time.time()) + 5)).subject == "customer-1"


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


class Address(BaseHTTPRequestHandler):
    """Shows the pool's keys at `/keys`, and what is wrong everywhere else."""

    def do_GET(self):
        status, headers, body = {
            "/keys": (200, {}, json.dumps({"keys": [jwk("key-1")]})),
            "/moved": (302, {"location": "/keys"}, ""),
            "/broken": (500, {}, json.dumps({"keys": [jwk("key-1")]})),
            "/page": (200, {}, "<html>"),
            "/else": (200, {}, "{}"),
        }[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    with HTTPServer(("127.0.0.1", 0), Address) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_pools_keys_are_fetched_from_its_address(address):
    assert SigningKeys(f"{address}/keys", fetch).find("key-1") == jwk("key-1")


@pytest.mark.parametrize("path", ["/moved", "/broken", "/page", "/else"])
def test_an_address_that_shows_something_else_shows_no_keys(path, address):
    with pytest.raises(Unavailable):
        SigningKeys(f"{address}{path}", fetch).find("key-1")


def test_an_address_where_nobody_answers_shows_no_keys():
    with pytest.raises(Unavailable):
        SigningKeys("http://127.0.0.1:9/keys", fetch).find("key-1")


def test_guests_do_not_pay_for_cryptography():
    loaded = "import sys, commerce.adapters.tokens; print({'jwt', 'cryptography', 'urllib.request'} & set(sys.modules))"

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, env=environment)

    assert answer.stdout.strip() == "set()"
