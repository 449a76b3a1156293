"""Accounts in Cognito: found by their address, gone once they are deleted."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.session import get_session
from moto import mock_aws

from commerce.privacy.gateway import LONGEST_NAME, CognitoAccounts

EMAIL = "ada@example.com"


@pytest.fixture
def pool() -> Iterator[tuple[Any, str]]:
    with mock_aws():
        client = boto3.client(
            "cognito-idp", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        pool_id = client.create_user_pool(PoolName="people", UsernameAttributes=["email"])["UserPool"]["Id"]
        yield client, pool_id


def test_an_account_is_found_and_deleted_and_deleting_it_again_is_fine(pool: tuple[Any, str]) -> None:
    client, pool_id = pool
    attributes = [{"Name": "email", "Value": EMAIL}]
    client.admin_create_user(UserPoolId=pool_id, Username=EMAIL, UserAttributes=attributes)
    accounts = CognitoAccounts(client, pool_id)

    found = accounts.find(EMAIL)
    assert found is not None and found.attributes["email"] == EMAIL and found.subject == found.attributes["sub"]

    accounts.delete(EMAIL)
    accounts.delete(EMAIL)
    assert accounts.find(EMAIL) is None


def test_who_has_no_account_has_none(pool: tuple[Any, str]) -> None:
    assert CognitoAccounts(*pool).find(EMAIL) is None


def test_an_address_longer_than_a_users_name_has_no_account_and_cognito_is_not_asked() -> None:
    accounts = CognitoAccounts(client=None, pool="people")
    email = "a" * LONGEST_NAME + "@example.com"

    assert accounts.find(email) is None
    accounts.delete(email)


def test_cognito_takes_names_of_that_length() -> None:
    asked = get_session().get_service_model("cognito-idp").operation_model("AdminGetUser").input_shape

    assert asked.members["Username"].metadata["max"] == LONGEST_NAME
