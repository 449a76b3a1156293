"""Amazon SES. Each e-mail is asked for once: what a retry would repeat is a message in somebody's mailbox."""

from dataclasses import dataclass
from email.utils import formataddr
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from commerce.notifications.model import Email, Kind
from commerce.notifications.service import FateUnknown, Refused

NEVER_LEFT = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ParamValidationError)
"""Errors from before the request was on its way."""


@dataclass(frozen=True)
class SesMailer:
    """`client` is one of `sesv2` that makes a single attempt; `sender` a verified address, `name` who that is."""

    client: Any
    sender: str
    name: str

    def send(self, email: Email, kind: Kind) -> str:
        """Sends it, and answers the message's id. Raises Refused or FateUnknown; neither quotes the e-mail."""
        try:
            answer = self.client.send_email(
                FromEmailAddress=formataddr((self.name, self.sender)),
                Destination={"ToAddresses": [email.recipient]},
                Content={
                    "Simple": {
                        "Subject": _utf8(email.subject),
                        "Body": {"Text": _utf8(email.text), "Html": _utf8(email.html)},
                    }
                },
                EmailTags=[{"Name": "kind", "Value": kind}],
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise Refused(code) from None
            raise FateUnknown(code) from None
        except NEVER_LEFT as error:
            raise Refused(type(error).__name__) from None
        except BotoCoreError as error:
            raise FateUnknown(type(error).__name__) from None
        return str(answer["MessageId"])


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
