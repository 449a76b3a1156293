"""Amazon SES: one attempt per e-mail but where the sending rate is full, and an honest word about what became of it."""

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses import ses_backends

from commerce.notifications.gateway import PAUSES, THROTTLED, SesMailer
from commerce.notifications.model import Email
from commerce.notifications.service import FateUnknown, Refused
from stacks.functions import FUNCTIONS

EMAIL = Email(recipient="ada@example.com", subject="Your order: Ünïcode", html="<p>ä</p>", text="ä")


class Ses:
    """Answers with these errors in turn, with the last one for good; None is a message that left."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.asked = 0

    def send_email(self, **request):
        self.asked += 1
        error = self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]
        if error:
            raise error
        return {"MessageId": "m-1"}


def answer(status, code):
    said = {"Error": {"Code": code, "Message": "ada@example.com"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "SendEmail")


def mailer(client, pause=lambda seconds: None):
    return SesMailer(client, "orders@shop.example", "Tradepost", pause)


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
        mailer(Ses(error)).send(EMAIL, "order_confirmed")


def test_what_the_sending_rate_holds_up_leaves_after_a_pause():
    client, pauses = Ses(answer(429, THROTTLED), answer(429, THROTTLED), None), []

    assert mailer(client, pauses.append).send(EMAIL, "order_confirmed") == "m-1"

    assert (client.asked, len(pauses)) == (3, 2)


def test_a_sending_rate_that_stays_full_refuses_it_within_the_time_of_a_batch():
    client, pauses = Ses(answer(429, THROTTLED)), []

    with pytest.raises(Refused) as refused:
        mailer(client, pauses.append).send(EMAIL, "order_confirmed")

    assert refused.value.code == THROTTLED
    assert (client.asked, len(pauses)) == (4, 3)
    assert all(0 <= seconds <= most for seconds, most in zip(pauses, PAUSES, strict=True))
    assert 10 * sum(PAUSES) <= FUNCTIONS["send_email"].timeout - 10


@pytest.mark.parametrize("error", [answer(400, "MessageRejected"), answer(500, "InternalFailure")])
def test_nothing_else_is_asked_for_twice(error):
    client = Ses(error)

    with pytest.raises((Refused, FateUnknown)):
        mailer(client).send(EMAIL, "order_confirmed")

    assert client.asked == 1


@pytest.mark.parametrize("error", [answer(500, "InternalFailure"), ReadTimeoutError(endpoint_url="https://email")])
def test_what_may_have_been_sent_is_unknown(error):
    with pytest.raises(FateUnknown):
        mailer(Ses(error)).send(EMAIL, "order_confirmed")


def test_an_error_does_not_quote_the_buyers_address():
    with pytest.raises(Refused) as refused:
        mailer(Ses(answer(400, "MessageRejected"))).send(EMAIL, "order_confirmed")

    assert "ada" not in str(refused.value)
    assert refused.value.__cause__ is None
