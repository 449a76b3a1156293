"""Amazon SES: one attempt per e-mail, and an honest word about what became of it."""

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses import ses_backends

from commerce.notifications.gateway import SesMailer
from commerce.notifications.model import Email
from commerce.notifications.service import FateUnknown, Refused

EMAIL = Email(recipient="ada@example.com", subject="Your order: Ünïcode", html="<p>ä</p>", text="ä")


class Broken:
    def __init__(self, error):
        self.error = error
        self.asked = 0

    def send_email(self, **request):
        self.asked += 1
        raise self.error


def answer(status, code):
    said = {"Error": {"Code": code, "Message": "ada@example.com"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "SendEmail")


def mailer(client):
    return SesMailer(client, "orders@shop.example", "Tradepost")


@mock_aws
def test_an_email_goes_out_in_html_and_text_from_the_shop():
    client = boto3.client("sesv2", region_name="us-east-1")
    client.create_email_identity(EmailIdentity="orders@shop.example")

    message_id = mailer(client).send(EMAIL, "order_confirmed")

    [sent] = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    assert sent.id == message_id
    assert sent.source == "Tradepost <orders@shop.example>"
    assert sent.destinations["ToAddresses"] == ["ada@example.com"]
    assert sent.subject == EMAIL.subject


@pytest.mark.parametrize(
    "error",
    [
        answer(400, "MessageRejected"),
        answer(429, "TooManyRequestsException"),
        ConnectTimeoutError(endpoint_url="https://email"),
        EndpointConnectionError(endpoint_url="https://email"),
    ],
)
def test_what_certainly_was_not_sent_is_refused(error):
    with pytest.raises(Refused):
        mailer(Broken(error)).send(EMAIL, "order_confirmed")


@pytest.mark.parametrize("error", [answer(500, "InternalFailure"), ReadTimeoutError(endpoint_url="https://email")])
def test_what_may_have_been_sent_is_unknown(error):
    with pytest.raises(FateUnknown):
        mailer(Broken(error)).send(EMAIL, "order_confirmed")


def test_an_error_does_not_quote_the_buyers_address():
    with pytest.raises(Refused) as refused:
        mailer(Broken(answer(400, "MessageRejected"))).send(EMAIL, "order_confirmed")

    assert "ada" not in str(refused.value)
    assert refused.value.__cause__ is None
