"""Secrets Manager asks for a rotation in four steps, some of them twice, and links to orders go on opening."""

import json
from uuid import uuid4

import pytest
from moto import mock_aws

from builders.catalog import function
from commerce.adapters import aws
from commerce.identity.model import KeyRing
from commerce.identity.service import access_token, verify_access_token


@pytest.fixture
def vault(monkeypatch):
    """A vault with the secret as the first deployment makes it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        aws.client.cache_clear()
        aws.session.cache_clear()
        client = aws.client("secretsmanager")
        client.create_secret(Name="signing", SecretString=json.dumps({"key": "the first key"}))
        yield client
    aws.client.cache_clear()
    aws.session.cache_clear()


@pytest.fixture
def step(vault):
    """Asks the function for a step of a rotation."""
    handler = function("rotate_signing_keys").handler

    def ask(name, rotation):
        handler({"SecretId": "signing", "ClientRequestToken": rotation, "Step": name}, None)

    return ask


@pytest.fixture
def rotate(step):
    """A whole rotation, in which every step comes as often as is said."""

    def steps(times=1):
        rotation = str(uuid4())
        for name in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            for _ in range(times):
                step(name, rotation)

    return steps


def ring(vault, stage="AWSCURRENT"):
    return KeyRing.model_validate_json(vault.get_secret_value(SecretId="signing", VersionStage=stage)["SecretString"])


def test_links_of_the_first_deployment_open_after_rotations_and_new_ones_are_signed_anew(vault, rotate):
    link = access_token(ring(vault), "order_1")

    rotate()
    assert ring(vault).key == "the first key"
    rotate()

    assert ring(vault).previous == ("the first key",)
    assert access_token(ring(vault), "order_1") != link
    assert verify_access_token(ring(vault), "order_1", link)


def test_a_rotation_whose_steps_come_twice_is_one_rotation(vault, rotate):
    rotate()
    prepared = ring(vault).next

    rotate(times=2)

    assert (ring(vault).key, ring(vault).previous) == (prepared, ("the first key",))


def test_until_a_rotation_is_finished_the_old_ring_stands(vault, step):
    before, rotation = ring(vault), str(uuid4())

    step("createSecret", rotation)
    prepared = ring(vault, "AWSPENDING")
    step("createSecret", rotation)

    assert ring(vault) == before
    assert ring(vault, "AWSPENDING") == prepared != before


def test_keys_are_long_and_none_comes_twice(vault, rotate):
    for _ in range(5):
        rotate()

    made = [key for key in ring(vault).believed if key != "the first key"]
    assert len(set(made)) == len(made) == 5
    assert min(map(len, made)) >= 43
