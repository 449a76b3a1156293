"""Customers' accounts in Cognito. A user pool that signs people in by e-mail takes the address for the user's name."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from commerce.privacy.model import Account

LONGEST_NAME = 128
"""Characters of a user's name. Cognito takes no longer one, not even to say that there is no such user."""


@dataclass(frozen=True)
class CognitoAccounts:
    """`client` is Cognito's user pools; `pool` the pool's id."""

    client: Any
    pool: str

    def find(self, email: str) -> Account | None:
        """The account with this address."""
        if len(email) > LONGEST_NAME:
            return None
        try:
            user = self.client.admin_get_user(UserPoolId=self.pool, Username=email)
        except ClientError as error:
            if error.response["Error"]["Code"] == "UserNotFoundException":
                return None
            raise
        attributes = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
        return Account(subject=attributes["sub"], attributes=attributes)

    def delete(self, email: str) -> None:
        """Deletes it. One that is gone is fine."""
        if len(email) > LONGEST_NAME:
            return
        try:
            self.client.admin_delete_user(UserPoolId=self.pool, Username=email)
        except ClientError as error:
            if error.response["Error"]["Code"] != "UserNotFoundException":
                raise
