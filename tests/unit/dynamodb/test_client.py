"""The client of DynamoDB answers what botocore's own would, at half the price."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session, get_session

from commerce.adapters import aws
from commerce.adapters.dynamodb import to_item

ITEM = to_item({"pk": "ORDER#1", "sk": "ORDER", "total": 4200, "lines": [{"gift": False, "note": None}]})


class Line:
    """One answer, for whatever is asked."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, json.dumps(body).encode()

    def stream(self) -> Iterator[bytes]:
        """As botocore reads it."""
        yield self.body

    def answer(self, **_: Any) -> AWSResponse:
        """In the place of the network."""
        return AWSResponse("", self.status, {"x-amz-crc32": str(zlib.crc32(self.body))}, self)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """The shop's own session, as a function begins with it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for cached in (aws.session, aws.client):
        cached.cache_clear()
    yield aws.session()
    for cached in (aws.session, aws.client):
        cached.cache_clear()


@pytest.mark.parametrize("body", [{}, {"Responses": {"carts": [ITEM]}, "UnprocessedKeys": {}}])
def test_an_answer_is_what_botocore_would_make_of_it(session: Session, body: dict[str, Any]) -> None:
    asked = {"RequestItems": {"carts": {"Keys": [{"pk": {"S": "1"}, "sk": {"S": "2"}}]}}}
    plain = get_session()
    for one in (session, plain):
        one.register("before-send", Line(200, body).answer)
    theirs = plain.create_client("dynamodb", region_name="us-east-1", config=Config(retries={"mode": "standard"}))

    assert aws.client("dynamodb").batch_get_item(**asked) == theirs.batch_get_item(**asked)


def test_a_refusal_says_why(session: Session) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": ITEM}]
    refusal = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "no"}
    session.register("before-send", Line(400, {**refusal, "CancellationReasons": reasons}).answer)

    with pytest.raises(ClientError) as refused:
        aws.client("dynamodb").transact_write_items(TransactItems=[])

    assert refused.value.response["CancellationReasons"] == reasons  # type: ignore[typeddict-item]


def test_other_services_answer_as_ever(session: Session) -> None:
    session.register("before-send", Line(200, {"executionArn": "arn", "startDate": 1.8e9}).answer)

    started = aws.client("stepfunctions").start_execution(stateMachineArn="arn")

    assert started["startDate"].year == 2027
