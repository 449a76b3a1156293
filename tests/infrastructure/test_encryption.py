"""The shop's own key: what it encrypts, and who may use it."""

import json

import pytest

from builders.templates import actions, everything_in
from stacks.config import ConfigError, load
from stacks.functions import FUNCTIONS


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Lambda::Function", "KmsKeyArn"),
    ],
)
def test_production_encrypts_with_the_shops_key(prod, kind, key):
    found = prod.properties(kind)
    assert found
    assert all("ExportsOutputFnGetAttKey" in json.dumps(one[key]) for one in found)


def test_events_for_analysts_are_encrypted_with_it_and_firehose_may_use_it(prod):
    encrypted = [name for name, one in prod.resources("AWS::S3::Bucket") if "aws:kms" in json.dumps(one)]
    assert [name for name in encrypted if "Analytics" in name] == encrypted != []
    using = {policy for policy, statement in prod.statements() if "kms:GenerateDataKey" in actions(statement)}
    assert any("AnalyticsRole" in policy for policy in using)


def test_every_function_may_decrypt_with_it_and_no_more(prod):
    for name in FUNCTIONS:
        granted = {one for statement in prod.rights(name) for one in actions(statement) if one.startswith("kms:")}
        writes = {"kms:GenerateDataKey"} if name == "rotate_signing_keys" else set()
        assert granted == {"kms:Decrypt"} | writes, name


def test_its_policy_names_every_action_and_outlives_its_stack(prod):
    [(_, key)] = prod.resources("AWS::KMS::Key")
    assert key["DeletionPolicy"] == "RetainExceptOnCreate" and key["Properties"]["EnableKeyRotation"] is True
    statements = key["Properties"]["KeyPolicy"]["Statement"]
    assert not [one for statement in statements for one in actions(statement) if "*" in one]
    services = {json.dumps(one["Principal"]["Service"]): one for one in statements if "Service" in one["Principal"]}
    [alarms, logs] = sorted(services)
    assert "cloudwatch." in alarms and "logs." in logs
    assert all("Condition" in one for one in services.values())


def test_a_developers_environment_pays_for_no_key(dev, local):
    for templates in (dev, local):
        assert not list(templates.resources("AWS::KMS::Key"))
        assert not [one for one in everything_in(templates.stacks) if one == "aws:kms"]


def test_no_key_but_these_two_can_be_chosen(tmp_path):
    (tmp_path / "prod.toml").write_text('environment = "prod"\nencryption = "none"\n')
    (tmp_path / "shop.toml").write_text("")
    with pytest.raises(ConfigError, match=r"encryption: .*'aws' or 'customer'"):
        load("prod", folder=tmp_path)


def test_who_reads_and_writes_objects_is_noted_in_a_bucket_that_only_s3_writes_to(templates):
    buckets = dict(templates.resources("AWS::S3::Bucket"))
    silent = {name for name, one in buckets.items() if "LoggingConfiguration" not in one["Properties"]}
    [logs] = silent
    assert "AccessLogs" in logs and len(buckets) == 3
    [policy] = [one for one in templates.properties("AWS::S3::BucketPolicy") if "logging.s3" in json.dumps(one)]
    [allowed] = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Action"] == "s3:PutObject" and "aws:SourceAccount" in json.dumps(allowed["Condition"])
