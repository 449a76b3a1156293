"""What holds data outlives its stack in production, and is like its specification everywhere."""

import pytest

from stacks.tables import ALL, TableSpec
from tools.guard import STATEFUL, losses

HOLDS_DATA = ("AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::Cognito::UserPool")
PROTECTED = ("AWS::DynamoDB::GlobalTable", "AWS::Cognito::UserPool")
"""From deletion, so that a first deployment that fails leaves them behind, too."""


@pytest.mark.parametrize("kind", HOLDS_DATA)
def test_production_retains_what_holds_data(prod, kind):
    found = list(prod.resources(kind))
    assert found
    for name, resource in found:
        assert resource["UpdateReplacePolicy"] == "Retain", name
        assert resource["DeletionPolicy"] == ("Retain" if kind in PROTECTED else "RetainExceptOnCreate"), name


def test_production_holds_nothing_stateful_of_another_kind(prod):
    stateful = {
        "Table",
        "GlobalTable",
        "DBInstance",
        "DBCluster",
        "Bucket",
        "Secret",
        "UserPool",
        "FileSystem",
        "Domain",
    }
    kinds = {resource["Type"] for _, resource in prod.resources()}
    described = {"AWS::Glue::Table"}  # only says what the files in the bucket mean
    assert {kind for kind in kinds if kind.rpartition(":")[2] in stateful} <= {*HOLDS_DATA, *described}


def test_a_deployment_that_drops_anything_that_holds_data_is_refused(prod):
    assert set(HOLDS_DATA) <= set(STATEFUL)
    kept = {name for name, resource in prod.resources() if resource["Type"] in STATEFUL}
    empty = {"Resources": {}}
    lost = {f"{stack}/{loss.name}" for stack, old in prod.stacks.items() for loss in losses(stack, old, empty)}
    assert lost == kept
    assert not [loss for stack, old in prod.stacks.items() for loss in losses(stack, old, old)]


def test_production_protects_tables_and_people_from_deletion(prod):
    replicas = [replica for table in prod.properties("AWS::DynamoDB::GlobalTable") for replica in table["Replicas"]]
    assert len(replicas) == len(ALL)
    assert all(replica["DeletionProtectionEnabled"] for replica in replicas)
    assert all(replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] for replica in replicas)
    assert [pool["DeletionProtection"] for pool in prod.properties("AWS::Cognito::UserPool")] == ["ACTIVE"]


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_a_data_key_that_was_destroyed_comes_back_for_a_week_at_most(prod, spec: TableSpec):
    [table] = [
        one["Properties"] for name, one in prod.resources("AWS::DynamoDB::GlobalTable") if f"/{spec.output}" in name
    ]
    [replica] = table["Replicas"]
    days = replica["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"]
    assert days == (7 if spec.name == "privacy" else 35)


@pytest.mark.parametrize("kind", HOLDS_DATA)
def test_a_developers_environment_leaves_nothing_behind(dev, kind):
    assert {resource.get("DeletionPolicy") for _, resource in dev.resources(kind)} == {"Delete"}


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_a_table_is_as_specified(templates, spec: TableSpec):
    tables = dict(templates.resources("AWS::DynamoDB::GlobalTable"))
    [table] = [one["Properties"] for name, one in tables.items() if f"/{spec.output}" in name]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    indexes = {index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]] for index in _indexes(table)}
    assert indexes == {index.name: [index.partition, index.sort] for index in spec.indexes}
    assert ("StreamSpecification" in table) is spec.stream
    assert ("TimeToLiveSpecification" in table) is spec.time_to_live


def _indexes(table):
    return table.get("GlobalSecondaryIndexes", [])


def test_data_is_named_by_cloudformation_so_that_a_second_stack_can_stand_beside_a_retained_one(prod):
    for kind, name in (("AWS::DynamoDB::GlobalTable", "TableName"), ("AWS::S3::Bucket", "BucketName")):
        assert not any(name in properties for properties in prod.properties(kind))


def test_buckets_are_private(templates):
    for bucket in templates.properties("AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket
