"""Bodies of every route: read in one way or not at all, and only for what the client may decide."""

import codecs
import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from builders.http import http_event
from commerce.adapters.http import GUARDS, MAX_BODY
from commerce.model import WANTED
from tools.api_examples import BODIES
from tools.handlers import Operation

STAFF = {"sub": "anna", "cognito:groups": "[admin]"}

Sent = tuple[bytes, dict[str, str]]
TRICKS: dict[str, Callable[[bytes], Sent]] = {
    "plain text": lambda body: (body, {"content-type": "text/plain"}),
    "a form": lambda body: (body, {"content-type": "application/x-www-form-urlencoded"}),
    "many parts": lambda body: (body, {"content-type": "multipart/form-data; boundary=x"}),
    "XML": lambda body: (body, {"content-type": "application/xml"}),
    "two types": lambda body: (body, {"content-type": "application/json, text/plain"}),
    "a type that begins alike": lambda body: (body, {"content-type": "application/jsonp"}),
    "another character set": lambda body: (body, {"content-type": "application/json; charset=utf-7"}),
    "UTF-16 that says so": lambda body: (
        body.decode().encode("utf-16"),
        {"content-type": "application/json; charset=utf-16"},
    ),
    "UTF-16 that does not": lambda body: (body.decode().encode("utf-16"), {}),
    "a mark of the byte order": lambda body: (codecs.BOM_UTF8 + body, {}),
    "no UTF-8": lambda body: (body.replace(b'"', b'"\xff', 1), {}),
    "compressed": lambda body: (gzip.compress(body), {"content-encoding": "gzip"}),
    "compressed in secret": lambda body: (gzip.compress(body), {}),
    "said to be compressed": lambda body: (body, {"content-encoding": "gzip"}),
    "very deep": lambda body: (body[:-1] + b', "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}),
    "more behind it": lambda body: (body + body, {}),
}


@pytest.fixture(scope="module")
def with_model(doors: list[Operation]) -> dict[str, Operation]:
    """Operations that take JSON, by their ids in the contract."""
    return {f"{one.route.method} {one.route.path}": one for one in doors if one.route.body}


def send(one: Operation, body: bytes, **headers: str) -> dict[str, Any]:
    claims = STAFF if one.api.style == "admin" else None
    event = http_event(one.route.key, body, headers=headers, claims=claims, encoded=True)
    event["pathParameters"] = dict.fromkeys(("id", "sku", "slug"), "thing")
    return one.api.handler(event, None)


def read(answer: dict[str, Any]) -> bool:
    """Whether the body was understood: what lacks next is a key, a version, or AWS."""
    return answer["statusCode"] != 400 or "Idempotency-Key" in answer["body"]


def example(one: Operation, **more: Any) -> bytes:
    return json.dumps({**BODIES[one.route.call.__name__], **more}).encode()


def fields(model: type[BaseModel] | None) -> set[str]:
    return set(model.model_fields) if model else set()


def test_a_refusal_names_every_field_at_fault_and_repeats_no_value(with_model: dict[str, Operation]) -> None:
    answer = send(with_model["POST /admin/privacy/requests"], b'{"email": "ada", "kind": "sell"}')

    problem = json.loads(answer["body"])
    assert [one["path"] for one in problem["errors"]] == ["$.email", "$.kind", "$.reference"]
    assert problem["detail"].startswith("$.email: ") and problem["detail"].endswith("(and 2 more)")
    assert "ada" not in answer["body"] and "sell" not in answer["body"]


def test_text_of_the_wrong_form_is_answered_in_words(with_model: dict[str, Operation]) -> None:
    supplier = with_model["POST /admin/suppliers"]

    answer = send(supplier, example(supplier, currency="dollars"))

    assert json.loads(answer["body"])["errors"] == [
        {"path": "$.currency", "detail": "use the three capital letters of ISO 4217, such as USD"}
    ]


def test_there_are_words_for_every_form_that_text_must_have(with_model: dict[str, Operation]) -> None:
    schemas = (json.dumps(one.route.body.model_json_schema()) for one in with_model.values() if one.route.body)
    patterns = {json.loads(found) for text in schemas for found in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', text)}

    assert patterns and patterns <= set(WANTED)


def test_the_examples_themselves_get_as_far_as_the_shops_data(with_model: dict[str, Operation]) -> None:
    answers = {key: send(one, example(one)) for key, one in with_model.items()}

    assert {key for key, answer in answers.items() if not read(answer)} == set()


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_body_that_could_be_read_in_two_ways_is_not_read(
    trick: Callable[[bytes], Sent], with_model: dict[str, Operation]
) -> None:
    sent = {key: (one, *trick(example(one))) for key, one in with_model.items()}

    assert {key for key, (one, body, headers) in sent.items() if read(send(one, body, **headers))} == set()


def test_a_field_that_staff_misspell_is_refused_by_its_name(with_model: dict[str, Operation]) -> None:
    of_staff = {key: one for key, one in with_model.items() if one.api.style == "admin"}

    answers = {key: send(one, example(one, purchase_limt=4)) for key, one in of_staff.items()}

    named = {key: [one["path"] for one in json.loads(answer["body"])["errors"]] for key, answer in answers.items()}
    assert named == {key: ["$.purchase_limt"] for key in of_staff}


def test_a_put_passes_over_what_only_its_answer_shows(with_model: dict[str, Operation]) -> None:
    replaced = {key: one for key, one in with_model.items() if one.api.style == "admin" and one.route.method == "PUT"}
    own = {key: fields(one.route.answers) - fields(one.route.body) for key, one in replaced.items()}

    answers = {key: send(one, example(one, **dict.fromkeys(own[key]))) for key, one in replaced.items()}

    assert {key for key, answer in answers.items() if not read(answer)} == set()
    misspelt = send(replaced["PUT /admin/stock/{sku}/policy"], b'{"sku": "MUG", "version": 3, "purchase_limt": 4}')
    assert "$.purchase_limt" in misspelt["body"]


def test_a_client_of_a_later_protocol_is_understood(with_model: dict[str, Operation]) -> None:
    of_buyers = {key: one for key, one in with_model.items() if one.api.style == "storefront"}

    assert {key for key, one in of_buyers.items() if not read(send(one, example(one, of_next_year=True)))} == set()


def test_what_is_no_number_is_none(with_model: dict[str, Operation]) -> None:
    for name in (b": NaN", b": Infinity", b": 1e999"):
        changed = {key: re.sub(rb": \d+", name, example(one)) for key, one in with_model.items()}
        sent = {key: body for key, body in changed.items() if name in body}
        assert len(sent) > 10
        assert {key for key, body in sent.items() if read(send(with_model[key], body))} == set()


def test_a_body_that_is_too_large_is_not_read(doors: list[Operation]) -> None:
    assert {send(one, b" " * (MAX_BODY + 1))["statusCode"] for one in doors} == {413}


def test_every_answer_tells_browsers_to_load_and_run_nothing(doors: list[Operation]) -> None:
    for one in doors:
        headers = send(one, b"")["headers"]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
        assert {name: headers[name] for name in GUARDS if name != "content-security-policy"} == {
            name: text for name, text in GUARDS.items() if name != "content-security-policy"
        }


# what only the shop decides

DECIDED_BY_THE_SHOP = frozenset(
    "amount_captured available balance captured created_at customer customer_id discount expires_at messages"
    " on_hand order order_id owner paid payment_status price refunded reserved role subject subtotal tax total totals"
    " unit_price updated_at version".split()
)
SAYS_ANOTHER_THING = {("Filters", "price")}
"""A range to look for is no price."""


def models(one: Any, seen: set[Any]) -> Iterator[type[BaseModel]]:
    """The model and those inside it."""
    if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
        seen.add(one)
        yield one
        for field in one.model_fields.values():
            yield from models(field.annotation, seen)
    for inner in getattr(one, "__args__", ()):
        yield from models(inner, seen)


def test_no_request_has_a_field_for_what_only_the_shop_decides(with_model: dict[str, Operation]) -> None:
    for key, operation in with_model.items():
        for model in models(operation.route.body, set()):
            assert model.model_config["extra"] in ("ignore", "forbid"), (key, model)
            fields = {*model.model_fields} | {str(field.alias) for field in model.model_fields.values() if field.alias}
            own = {(model.__name__, name) for name in fields & DECIDED_BY_THE_SHOP} - SAYS_ANOTHER_THING
            assert own == set(), key
            assert not [name for name in fields if name.startswith("_")], key
