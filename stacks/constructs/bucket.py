"""Buckets: private, encrypted, TLS only."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.config import Config
from stacks.constructs.retention import removal


class KeptBucket(s3.Bucket):
    """Where the environment keeps its data, the bucket outlives its stack and keeps overwritten objects for a month."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        access_logs: "AccessLogBucket | None" = None,
        key: kms.IKey | None = None,
        lifecycle_rules: Sequence[s3.LifecycleRule] = (),
    ) -> None:
        tidy = s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(1),
            noncurrent_version_expiration=Duration.days(30) if config.keep_data else None,
        )
        super().__init__(
            scope,
            id_,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=config.tls,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=config.keep_data,
            lifecycle_rules=[tidy, *lifecycle_rules],
            removal_policy=removal(config),
        )
        if access_logs:
            bucket = self.node.default_child
            assert isinstance(bucket, s3.CfnBucket)
            bucket.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
                destination_bucket_name=access_logs.bucket_name, log_file_prefix=f"{id_.lower()}/"
            )


class AccessLogBucket(KeptBucket):
    """Who read and wrote which object of the other buckets, for three months. S3 cannot write into one with a key."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_, config=config, lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))])
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
