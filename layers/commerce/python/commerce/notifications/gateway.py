"""Amazon SES. Each e-mail is asked for once: what a retry would repeat is a message in somebody's mailbox.

Only what is refused for the account's sending rate is asked for again: that has certainly not left.
"""

import random
import time
from collections.abc import Callable
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

THROTTLED = "TooManyRequestsException"
"""SES's word for more e-mails in a second than the account may send."""

PAUSES = (0.25, 0.5, 1.0)
"""Seconds, at most, before each further attempt. Ten e-mails of a batch wait 17.5 s at most, of the function's 30: who
runs out of time between claim and sending never sends.
"""


@dataclass(frozen=True)
class SesMailer:
    """`client` is one of `sesv2` that makes a single attempt; `sender` a verified address, `name` who that is."""

    client: Any
    sender: str
    name: str
    pause: Callable[[float], None] = time.sleep

    def send(self, email: Email, kind: Kind) -> str:
        """Sends it, and answers the message's id. Raises Refused or FateUnknown; neither quotes the e-mail."""
        for seconds in PAUSES:
            try:
                return self._ask(email, kind)
            except Refused as refused:
                if refused.code != THROTTLED:
                    raise
            self.pause(random.uniform(0, seconds))  # jitter
        return self._ask(email, kind)

    def _ask(self, email: Email, kind: Kind) -> str:
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
