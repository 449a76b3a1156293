"""What holds data: tables, buckets, secrets, keys, analytics."""

from typing import Any

from tools.ops_lint.rule import KEPT, ON_AWS, Rule
from tools.ops_lint.template import Resource, flat, listed, statements, written

TABLE = ("AWS::DynamoDB::GlobalTable",)
BUCKET = ("AWS::S3::Bucket",)
SECRET = ("AWS::SecretsManager::Secret",)
STREAM = ("AWS::KinesisFirehose::DeliveryStream",)
KEPT_TYPES = (*TABLE, *BUCKET, *SECRET, "AWS::Cognito::UserPool", "AWS::SES::EmailIdentity", "AWS::KMS::Key")


def _retained(resource: Resource) -> bool:
    deleted, replaced = resource.body.get("DeletionPolicy"), resource.body.get("UpdateReplacePolicy")
    return deleted in ("Retain", "RetainExceptOnCreate") and replaced == "Retain"


def _replicas(table: Resource) -> list[dict[str, Any]]:
    return listed(table.at("Replicas"))


def _keys_are_text(table: Resource) -> bool:
    return all(attribute["AttributeType"] == "S" for attribute in listed(table.at("AttributeDefinitions")))


def _refuses_plain_http(bucket: Resource) -> bool:
    return any(
        bucket.named_in(policy.at("Bucket")) and '"aws:SecureTransport": "false"' in written(statements(policy))
        for policy in bucket.beside("AWS::S3::BucketPolicy")
    )


def _is_closed(bucket: Resource) -> bool:
    switches = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return all(bucket.at(f"PublicAccessBlockConfiguration.{switch}") is True for switch in switches)


def _rules_of(bucket: Resource, key: str) -> bool:
    rules = listed(bucket.at("LifecycleConfiguration.Rules"))
    return any(key in rule and rule["Status"] == "Enabled" for rule in rules)


def _opens_to_nobody(policy: Resource) -> bool:
    return all(one["Effect"] == "Deny" or one["Principal"] not in ("*", {"AWS": "*"}) for one in statements(policy))


def _days_are_computed(table: Resource) -> bool:
    return bool(table.at("TableInput.Parameters").get("projection.enabled") == "true")


RULES = (
    Rule(
        "data-outlives-its-stack",
        "Deleting or replacing the resource leaves its data where it is",
        "One wrong deployment would delete orders, pictures or keys.",
        KEPT_TYPES,
        _retained,
        KEPT,
    ),
    Rule(
        "table-cannot-be-deleted",
        "The table is protected from deletion",
        "A click in the console would delete the orders.",
        TABLE,
        lambda one: all(replica.get("DeletionProtectionEnabled") is True for replica in _replicas(one)),
        KEPT,
    ),
    Rule(
        "table-can-be-turned-back",
        "The table can be restored to any second of the last weeks",
        "A wrong release writes wrong items faster than anybody notices.",
        TABLE,
        lambda one: all(
            replica.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is True
            for replica in _replicas(one)
        ),
        KEPT,
    ),
    Rule(
        "table-is-paid-by-use",
        "The table is on demand",
        "Provisioned capacity costs while nobody buys, and is too small when everybody does.",
        TABLE,
        lambda one: one.at("BillingMode") == "PAY_PER_REQUEST",
    ),
    Rule(
        "table-throttles-ring",
        "An alarm tells when writes of the table are refused",
        "Refused writes are repeated, so that buyers feel it long before anything fails.",
        TABLE,
        lambda one: one.rings("WriteThrottleEvents"),
    ),
    Rule(
        "table-forgets-by-one-name",
        "What a table forgets has its time in `expires_at`",
        "An item with a time in another attribute stays for ever.",
        TABLE,
        lambda one: one.at("TimeToLiveSpecification") is None
        or one.at("TimeToLiveSpecification.AttributeName") == "expires_at",
    ),
    Rule(
        "table-has-no-typed-name",
        "The table's name is left to CloudFormation",
        "A table with a typed name can never be replaced by another beside it.",
        TABLE,
        lambda one: one.at("TableName") is None,
    ),
    Rule(
        "table-keys-are-text",
        "All keys of the table are strings",
        "Readers and tools build keys as text.",
        TABLE,
        _keys_are_text,
    ),
    Rule(
        "table-stream-has-both-images",
        "A stream shows an item before and after",
        "A consumer that needs to see a change can never get the earlier state afterwards.",
        TABLE,
        lambda one: one.at("StreamSpecification") is None
        or one.at("StreamSpecification.StreamViewType") == "NEW_AND_OLD_IMAGES",
    ),
    Rule(
        "bucket-is-closed",
        "The bucket is closed to the public, whatever a policy says",
        "One wrong policy would show all orders to the world.",
        BUCKET,
        _is_closed,
    ),
    Rule(
        "bucket-is-encrypted",
        "The bucket names how its objects are encrypted",
        "What is not named is whatever the account's default is.",
        BUCKET,
        lambda one: bool(one.at("BucketEncryption.ServerSideEncryptionConfiguration")),
    ),
    Rule(
        "bucket-speaks-tls",
        "The bucket refuses plain HTTP",
        "What travels in the open can be read on its way.",
        BUCKET,
        _refuses_plain_http,
        ON_AWS,
    ),
    Rule(
        "bucket-owns-its-objects",
        "Objects belong to the bucket's owner, without access lists",
        "Access lists open single objects past every policy.",
        BUCKET,
        lambda one: "BucketOwnerEnforced" in written(one.at("OwnershipControls")),
    ),
    Rule(
        "bucket-drops-halves",
        "Uploads that were never finished are deleted",
        "Nobody sees them, and they are paid for.",
        BUCKET,
        lambda one: _rules_of(one, "AbortIncompleteMultipartUpload"),
    ),
    Rule(
        "bucket-keeps-versions",
        "An overwritten object can be had back, for a time",
        "An import with wrong pictures overwrites all good ones; without an end old versions pile up.",
        BUCKET,
        lambda one: one.at("VersioningConfiguration.Status") == "Enabled"
        and _rules_of(one, "NoncurrentVersionExpiration"),
        KEPT,
    ),
    Rule(
        "bucket-opens-to-nobody",
        "The bucket's policy lets services in, and nobody at large",
        "A principal of `*` is the world.",
        ("AWS::S3::BucketPolicy",),
        _opens_to_nobody,
        ON_AWS,
    ),
    Rule(
        "secret-is-generated",
        "The secret's first value is made by AWS, and long",
        "A value in a template is read by whoever reads templates.",
        SECRET,
        lambda one: (one.at("GenerateSecretString.PasswordLength") or 0) >= 32 and one.at("SecretString") is None,
    ),
    Rule(
        "secret-is-explained",
        "The secret says what it is for",
        "Its name is generated, and somebody must put Stripe's key into the right one.",
        SECRET,
        lambda one: bool(one.at("Description")),
    ),
    Rule(
        "secret-rotates-each-quarter",
        "A secret that rotates by itself does so within 90 days",
        "Nobody notices a schedule that comes once in ten years.",
        ("AWS::SecretsManager::RotationSchedule",),
        lambda one: 0 < (one.at("RotationRules.AutomaticallyAfterDays") or 0) <= 90,
    ),
    Rule(
        "key-rotates",
        "The key is made anew every year",
        "What leaked once would open everything for ever.",
        ("AWS::KMS::Key",),
        lambda one: one.at("EnableKeyRotation") is True,
    ),
    Rule(
        "analytics-are-encrypted",
        "The delivery stream encrypts what it holds",
        "Events name orders and amounts.",
        STREAM,
        lambda one: bool(one.at("DeliveryStreamEncryptionConfigurationInput.KeyType")),
    ),
    Rule(
        "analytics-say-why-not",
        "The delivery stream logs what it could not deliver, and puts it aside",
        "Rows that do not fit would be gone without a word.",
        STREAM,
        lambda one: one.at("ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions.Enabled") is True
        and flat(one.at("ExtendedS3DestinationConfiguration.ErrorOutputPrefix")).startswith("failed/"),
    ),
    Rule(
        "analytics-lateness-rings",
        "An alarm tells when events do not reach the bucket",
        "Nobody asks yesterday's figures today; they would be found missing at the end of the year.",
        STREAM,
        lambda one: one.rings("DeliveryToS3.DataFreshness"),
    ),
    Rule(
        "analytics-days-are-computed",
        "The table's days are computed from the date",
        "A day that somebody must register is missing until then.",
        ("AWS::Glue::Table",),
        _days_are_computed,
    ),
    Rule(
        "questions-have-a-price",
        "A question that reads too much is stopped, and nobody can set that aside",
        "A question without a day in it reads all years, and is paid by the byte.",
        ("AWS::Athena::WorkGroup",),
        lambda one: one.at("WorkGroupConfiguration.EnforceWorkGroupConfiguration") is True
        and bool(one.at("WorkGroupConfiguration.BytesScannedCutoffPerQuery")),
    ),
)
