"""The shop's front: the HTTP API without its routes, the pictures, and CloudFront before both.

Its own stack, because every function must know the shop's address and the routes must know the functions.
"""

import json

from aws_cdk import ArnFormat, Duration, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.alarm import RunbookAlarm
from stacks.constructs.bucket import AccessLogBucket, KeptBucket
from stacks.constructs.retention import retention
from stacks.constructs.slo import Objectives
from stacks.shop import physical_name

_TEXTS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "function": "$context.integrationLatency",
    "error": "$context.error.message",
    "lambda": "$context.integrationStatus",
    "authorizer": "$context.authorizer.error",
    "bytes": "$context.responseLength",
}
"""No path and no address of the caller: a guest's cart id is the key to the cart, and an IP address is personal."""
_NUMBERS = {"status": "$context.status", "latency": "$context.responseLatency"}
"""Without quotes in the log, since filters compare numbers only. These two every answer has; the others may be `-`."""

_ERRORS = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
"""CloudFront keeps these for ten seconds unless it is told otherwise, whatever their Cache-Control says: a product that
just appeared would still be missing, and one refused request would be refused to everybody."""

_ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class EdgeStack(ShopStack):
    """API, media bucket, and, but for one laptop, CloudFront."""

    def __init__(self, scope: Construct, config: Config, *, access_logs: AccessLogBucket, key: kms.IKey | None) -> None:
        super().__init__(scope, "edge", config=config, does="API, pictures, CloudFront")
        self.api = apigateway.HttpApi(
            self,
            "Api",
            api_name=physical_name(config, "api"),
            description="The storefront (Universal Commerce Protocol) and the merchant's API",
            create_default_stage=False,
            cors_preflight=apigateway.CorsPreflightOptions(
                allow_origins=[*config.allowed_origins],
                allow_methods=[apigateway.CorsHttpMethod.ANY],
                allow_headers=[
                    "authorization",
                    "content-type",
                    "idempotency-key",
                    "if-match",
                    "if-none-match",
                    "ucp-agent",
                    "x-correlation-id",
                ],
                expose_headers=["etag", "location", "retry-after", "x-request-id", "x-correlation-id"],
                max_age=Duration.hours(1),
            ),
        )
        self._stage(key)
        # Its pictures are for everybody, so that a key of its own would keep nobody out.
        self.media = KeptBucket(self, "Media", config=config, access_logs=access_logs)
        self.url = config.shop.url if config.local else self._distribution()
        self.server_errors = self._watch()
        self.tell("ApiId", self.api.api_id)
        self.tell("ApiUrl", self.url)
        self.tell("MediaBucket", self.media.bucket_name)

    def _stage(self, key: kms.IKey | None) -> None:
        log_group = logs.LogGroup(
            self,
            "AccessLogs",
            log_group_name=f"/aws/vendedlogs/apis/{physical_name(self.config, 'api')}",
            retention=retention(self.config.log_retention_days),
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=self.config.api_rate, burst_limit=self.config.api_burst),
        )
        resource = stage.node.default_child
        assert isinstance(resource, apigateway.CfnStage)
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            # Without the `:*` of the log group's own attribute, which API Gateway drops and then reports as drift.
            destination_arn=self.format_arn(
                service="logs",
                resource="log-group",
                resource_name=log_group.log_group_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            format=_access_log(),
        )
        Objectives(self, "Objectives", access_log=log_group, name=physical_name(self.config, "objectives-burning"))

    def _distribution(self) -> str:
        """CloudFront: the API by default, the pictures under /media. Answers the shop's address."""
        domain = self.config.domain
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=physical_name(self.config, "shop"),
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    f"{self.api.api_id}.execute-api.{self.region}.{self.url_suffix}",
                    origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    read_timeout=Duration.seconds(30),
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                cache_policy=self._as_the_answer_says(),
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                response_headers_policy=self._security_headers(),
            ),
            additional_behaviors={
                "/media/*": cloudfront.BehaviorOptions(
                    origin=origins.S3BucketOrigin.with_origin_access_control(
                        self.media, origin_access_control=self._reads_pictures()
                    ),
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                    cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                    response_headers_policy=self._picture_headers(),
                )
            },
            domain_names=[domain.name] if domain else None,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn)
            if domain
            else None,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_3_2025 if domain else None,
            web_acl_id=self.config.web_acl_arn,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            error_responses=[cloudfront.ErrorResponse(http_status=one, ttl=Duration.seconds(0)) for one in _ERRORS],
        )
        self.tell("DistributionDomain", distribution.distribution_domain_name)
        # Also where nobody imports it, so that a shop's own domain can come later: CloudFormation lets no stack take
        # back a value that others still stand on, and those change after it.
        self.export_value(distribution.distribution_domain_name)
        return self.config.shop.url or f"https://{distribution.distribution_domain_name}"

    def _named(self, name: str) -> str:
        """CloudFront has one set of names for all of an account's regions."""
        return f"{physical_name(self.config, name)}-{self.region}"

    def _reads_pictures(self) -> cloudfront.S3OriginAccessControl:
        return cloudfront.S3OriginAccessControl(
            self, "ReadsPictures", origin_access_control_name=self._named("pictures")
        )

    def _as_the_answer_says(self) -> cloudfront.CachePolicy:
        """Kept exactly as long as the answer's Cache-Control allows, and never for somebody with another token."""
        return cloudfront.CachePolicy(
            self,
            "AsTheAnswerSays",
            cache_policy_name=self._named("answers"),
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.seconds(0),
            max_ttl=Duration.days(1),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
            header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Authorization", "Origin"),
            cookie_behavior=cloudfront.CacheCookieBehavior.none(),
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _security_headers(self) -> cloudfront.ResponseHeadersPolicy:
        return cloudfront.ResponseHeadersPolicy(
            self,
            "SecurityHeaders",
            response_headers_policy_name=self._named("answers"),
            # The documentation page brings a policy of its own, which stands.
            security_headers_behavior=_guards(_ANSWER_POLICY, override=False),
        )

    def _picture_headers(self) -> cloudfront.ResponseHeadersPolicy:
        """Pictures are for everybody's pages, but a drawing (SVG) that is opened as a page of its own runs nothing."""
        return cloudfront.ResponseHeadersPolicy(
            self,
            "PictureHeaders",
            response_headers_policy_name=self._named("pictures"),
            security_headers_behavior=_guards(_PICTURE_POLICY, override=True),
            cors_behavior=cloudfront.ResponseHeadersCorsBehavior(
                access_control_allow_credentials=False,
                access_control_allow_headers=["*"],
                access_control_allow_methods=["GET", "HEAD"],
                access_control_allow_origins=["*"],
                origin_override=True,
            ),
        )

    def _watch(self) -> RunbookAlarm:
        alarm = RunbookAlarm(
            self,
            "ServerErrors",
            says="The API answered requests with server errors",
            runbook="api-errors",
            metric=self.api.metric_server_error(statistic=cloudwatch.Stats.SUM),
            threshold=5,
        )
        self.export_value(alarm.alarm_arn)  # as the address: releases that ask no alarm may come later
        self.export_value(alarm.alarm_name)
        return alarm


def _guards(content_security_policy: str, *, override: bool) -> cloudfront.ResponseSecurityHeadersBehavior:
    """What every answer tells browsers. `override` replaces a content security policy that the answer brings."""
    return cloudfront.ResponseSecurityHeadersBehavior(
        strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
            access_control_max_age=Duration.days(365), include_subdomains=True, override=True
        ),
        content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
        frame_options=cloudfront.ResponseHeadersFrameOptions(
            frame_option=cloudfront.HeadersFrameOption.DENY, override=True
        ),
        referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
            referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
        ),
        content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
            content_security_policy=content_security_policy, override=override
        ),
    )


def _access_log() -> str:
    texts = json.dumps(_TEXTS).removesuffix("}")
    return texts + "".join(f', "{name}": {value}' for name, value in _NUMBERS.items()) + "}"
