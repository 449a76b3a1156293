"""Buckets: private, encrypted, TLS only."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.config import Config


class KeptBucket(s3.Bucket):
    """Where the environment keeps its data, the bucket outlives its stack and keeps overwritten objects for a month."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, lifecycle_rules: Sequence[s3.LifecycleRule] = ()
    ) -> None:
        tidy = s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(1),
            noncurrent_version_expiration=Duration.days(30) if config.keep_data else None,
        )
        super().__init__(
            scope,
            id_,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=config.tls,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=config.keep_data,
            lifecycle_rules=[tidy, *lifecycle_rules],
            removal_policy=RemovalPolicy.RETAIN if config.keep_data else RemovalPolicy.DESTROY,
        )
