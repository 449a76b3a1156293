"""One way to break each operational rule: what is done to a sound resource, or to its neighbours, so that it falls."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from tools.ops_lint.template import Resource

Break = Callable[[Resource], Resource]


def having(path: str, value: Any) -> Break:
    """The same resource with this value at `A.B.C` of its properties; a number in the path is a place in a list."""

    def change(resource: Resource) -> Resource:
        body = deepcopy(dict(resource.body))
        *way, last = path.split(".")
        inner: Any = body.setdefault("Properties", {})
        for part in way:
            inner = inner[int(part)] if part.isdigit() else inner.setdefault(part, {})
        inner[int(last) if last.isdigit() else last] = value
        return placed(resource, body)

    return change


def lacking(path: str) -> Break:
    """The same resource without what is at `A.B.C` of its properties."""

    def change(resource: Resource) -> Resource:
        body = deepcopy(dict(resource.body))
        *way, last = path.split(".")
        inner: Any = body["Properties"]
        for part in way:
            inner = inner[int(part)] if part.isdigit() else inner[part]
        del inner[last]
        return placed(resource, body)

    return change


def forgotten(resource: Resource) -> Resource:
    """Deleted with its stack."""
    return placed(resource, {**resource.body, "DeletionPolicy": "Delete"})


def moved_by_hand(resource: Resource) -> Resource:
    """Nothing moves it when it is updated."""
    return placed(resource, {name: value for name, value in resource.body.items() if name != "UpdatePolicy"})


def mute(metric: str) -> Break:
    """No alarm watches the metric any more."""
    return alone(lambda one: one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"].get("MetricName") == metric)


def without(type_: str) -> Break:
    """All other resources of this type are gone."""
    return alone(lambda one: one["Type"] == type_)


def alone(gone: Callable[[dict[str, Any]], bool]) -> Break:
    """The same resource, in templates without the others that are `gone`."""

    def change(resource: Resource) -> Resource:
        stacks = {
            stack: {
                **template,
                "Resources": {
                    name: body
                    for name, body in template["Resources"].items()
                    if (stack, name) == (resource.stack, resource.name) or not gone(body)
                },
            }
            for stack, template in resource.stacks.items()
        }
        return replace(resource, stacks=stacks)

    return change


def rewritten(path: str, old: str, new: str) -> Break:
    """The same resource with another word in the text at `path`, which may be a `Fn::Join`."""

    def change(resource: Resource) -> Resource:
        return having(path, _replaced(resource.at(path), old, new))(resource)

    return change


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replaced(one, old, new) for one in value]
    if isinstance(value, dict):
        return {key: _replaced(one, old, new) for key, one in value.items()}
    return value


def shared_role(resource: Resource) -> Resource:
    """Another function of its template has the same role."""
    other = next(one for one in resource.beside("AWS::Lambda::Function") if one.name != resource.name)
    return having("Role", other.at("Role"))(resource)


def placed(resource: Resource, body: dict[str, Any]) -> Resource:
    """The resource with another body, also in its template."""
    template = resource.stacks[resource.stack]
    own = {**template, "Resources": {**template["Resources"], resource.name: body}}
    return replace(resource, body=body, stacks={**resource.stacks, resource.stack: own})


@dataclass(frozen=True)
class Sound:
    """A sound resource of a type that not every template has."""

    type: str
    properties: dict[str, Any]

    def resource(self) -> Resource:
        """It, alone in a template of production."""
        body = {"Type": self.type, "Properties": self.properties}
        body |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        return Resource("prod", "made-up", "MadeUp", body, {"made-up": {"Resources": {"MadeUp": body}}})


SOUND = (
    Sound("AWS::KMS::Key", {"EnableKeyRotation": True}),
    Sound("AWS::Chatbot::SlackChannelConfiguration", {"GuardrailPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
    Sound("AWS::Logs::QueryDefinition", {"Name": "tradepost-prod/errors", "LogGroupNames": ["/aws/lambda/one"]}),
)

_OPEN = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
_EVERYTHING = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}

BREAKS: dict[str, Break] = {
    # functions
    "function-errors-ring": mute("Errors"),
    "function-throttles-ring": mute("Throttles"),
    "function-own-role": shared_role,
    "function-own-log-group": lacking("LoggingConfig"),
    "function-answers-in-time": having("Timeout", 60),
    "function-ends-within-minutes": lacking("Timeout"),
    "function-memory-is-chosen": having("MemorySize", 3008),
    "function-is-traced": lacking("TracingConfig"),
    "function-runs-on-arm": having("Architectures", ["x86_64"]),
    "function-runtime-is-current": having("Runtime", "python3.9"),
    "function-says-what-it-does": lacking("Description"),
    "function-name-is-typed": lacking("FunctionName"),
    "function-logs-name-their-service": lacking("Environment.Variables.POWERTOOLS_SERVICE_NAME"),
    "function-does-not-log-all": having("Environment.Variables.POWERTOOLS_LOGGER_LOG_EVENT", "true"),
    "function-is-told-no-secret": having("Environment.Variables.STRIPE_API_KEY", "sk_test"),
    "function-shares-its-packages": having("Layers", []),
    "layer-fits-its-functions": having("CompatibleArchitectures", ["arm64", "x86_64"]),
    "invocations-are-bounded": lacking("MaximumEventAgeInSeconds"),
    "versions-serve-by-an-alias": without("AWS::Lambda::Alias"),
    "aliases-shift-by-codedeploy": moved_by_hand,
    "releases-are-taken-back": having("AlarmConfiguration.Enabled", False),
    "releases-are-of-functions": having("ComputePlatform", "Server"),
    "callers-are-named": lacking("SourceArn"),
    "logs-are-forgotten": lacking("RetentionInDays"),
    "logs-last-for-a-dispute": having("RetentionInDays", 30),
    "logs-have-a-known-name": lacking("LogGroupName"),
    "mapping-retries-alone": lacking("FunctionResponseTypes"),
    "mapping-leaves-instances-to-buyers": lacking("ScalingConfig"),
    "stream-parks-what-keeps-failing": lacking("DestinationConfig"),
    "stream-gives-up": having("MaximumRetryAttempts", -1),
    "stream-begins-at-its-oldest": having("StartingPosition", "LATEST"),
    "stream-is-filtered": lacking("FilterCriteria"),
    "stream-lag-rings": mute("IteratorAge"),
    # messages
    "queue-gives-up-to-a-queue": alone(lambda one: one["Type"] != "AWS::SQS::QueuePolicy"),
    "queue-tries-some-times": having("RedrivePolicy.maxReceiveCount", 1),
    "dead-letters-ring": mute("ApproximateNumberOfMessagesVisible"),
    "queue-age-rings": mute("ApproximateAgeOfOldestMessage"),
    "dead-letters-wait-two-weeks": having("MessageRetentionPeriod", 345_600),
    "queue-outlasts-a-weekend": having("MessageRetentionPeriod", 86_400),
    "queue-hides-long-enough": having("VisibilityTimeout", 30),
    "queue-is-encrypted": having("SqsManagedSseEnabled", False),
    "queue-speaks-tls": without("AWS::SQS::QueuePolicy"),
    "queue-has-no-typed-name": having("QueueName", "parked"),
    "queue-knows-its-senders": having("PolicyDocument.Statement", [_OPEN]),
    "event-rule-parks": lacking("Targets.0.DeadLetterConfig"),
    "event-rule-loss-rings": mute("InvocationsFailedToBeSentToDlq"),
    "event-rule-is-explained": lacking("Description"),
    "event-rule-hears-the-shop": having("EventPattern.source", ["somebody.else"]),
    "event-rule-is-on-the-shops-bus": lacking("EventBusName"),
    "event-rule-is-on": having("State", "DISABLED"),
    "bus-is-archived": without("AWS::Events::Archive"),
    "archive-forgets": lacking("RetentionDays"),
    # workflow
    "workflow-failures-ring": mute("ExecutionsFailed"),
    "workflow-timeouts-ring": mute("ExecutionsTimedOut"),
    "workflow-tasks-end": rewritten("DefinitionString", "TimeoutSeconds", "Comment"),
    "workflow-tasks-try-again": rewritten("DefinitionString", '"Retry"', '"Comment"'),
    "workflow-is-logged-without-data": having("LoggingConfiguration.IncludeExecutionData", True),
    "workflow-is-traced": having("TracingConfiguration.Enabled", False),
    "workflow-lasts": having("StateMachineType", "EXPRESS"),
    # data
    "data-outlives-its-stack": forgotten,
    "table-cannot-be-deleted": having("Replicas.0.DeletionProtectionEnabled", False),
    "table-can-be-turned-back": lacking("Replicas.0.PointInTimeRecoverySpecification"),
    "table-is-paid-by-use": having("BillingMode", "PROVISIONED"),
    "table-throttles-ring": mute("WriteThrottleEvents"),
    "table-forgets-by-one-name": having("TimeToLiveSpecification.AttributeName", "ttl"),
    "table-has-no-typed-name": having("TableName", "orders"),
    "table-keys-are-text": having("AttributeDefinitions.0.AttributeType", "N"),
    "table-stream-has-both-images": having("StreamSpecification.StreamViewType", "KEYS_ONLY"),
    "bucket-is-closed": having("PublicAccessBlockConfiguration.BlockPublicPolicy", False),
    "bucket-is-encrypted": lacking("BucketEncryption"),
    "bucket-speaks-tls": without("AWS::S3::BucketPolicy"),
    "bucket-owns-its-objects": having("OwnershipControls.Rules.0.ObjectOwnership", "ObjectWriter"),
    "bucket-drops-halves": lacking("LifecycleConfiguration"),
    "bucket-keeps-versions": having("VersioningConfiguration.Status", "Suspended"),
    "bucket-opens-to-nobody": having("PolicyDocument.Statement", [_OPEN]),
    "secret-is-generated": having("SecretString", "{}"),
    "secret-is-explained": lacking("Description"),
    "secret-rotates-each-quarter": having("RotationRules.AutomaticallyAfterDays", 3650),
    "key-rotates": having("EnableKeyRotation", False),
    "analytics-are-encrypted": lacking("DeliveryStreamEncryptionConfigurationInput"),
    "analytics-say-why-not": lacking("ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions"),
    "analytics-lateness-rings": mute("DeliveryToS3.DataFreshness"),
    "analytics-days-are-computed": having("TableInput.Parameters", {"classification": "json"}),
    "questions-have-a-price": lacking("WorkGroupConfiguration.BytesScannedCutoffPerQuery"),
    # front
    "api-errors-ring": mute("5xx"),
    "api-names-its-headers": having("CorsConfiguration.AllowHeaders", ["*"]),
    "stage-logs-requests": having("AccessLogSettings.Format", "$context.requestId"),
    "stage-logs-nobody": rewritten("AccessLogSettings.Format", "$context.routeKey", "$context.path"),
    "stage-is-throttled": lacking("DefaultRouteSettings.ThrottlingRateLimit"),
    "stage-has-no-paid-metrics": having("DefaultRouteSettings.DetailedMetricsEnabled", True),
    "stage-deploys-itself": having("AutoDeploy", False),
    "route-is-guarded": having("AuthorizationType", "NONE"),
    "route-leads-somewhere": having("RouteKey", "$default"),
    "integration-speaks-version-two": having("PayloadFormatVersion", "1.0"),
    "authorizer-names-issuer-and-audience": lacking("JwtConfiguration.Audience"),
    "front-speaks-tls": having("DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", "allow-all"),
    "front-sends-security-headers": lacking("DistributionConfig.DefaultCacheBehavior.ResponseHeadersPolicyId"),
    "front-origins-are-safe": having(
        "DistributionConfig.Origins.0.CustomOriginConfig.OriginProtocolPolicy", "match-viewer"
    ),
    "front-is-cheap": having("DistributionConfig.PriceClass", "PriceClass_All"),
    "front-signs-always": having("OriginAccessControlConfig.SigningBehavior", "never"),
    "cache-keeps-tokens-apart": having(
        "CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers", ["Origin"]
    ),
    "cache-asks-the-answer": having("CachePolicyConfig.DefaultTTL", 3600),
    "headers-are-strict": lacking("ResponseHeadersPolicyConfig.SecurityHeadersConfig.ContentTypeOptions"),
    # access
    "role-is-one-services": having("AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": "*"}),
    "role-has-no-policy-of-aws": having("ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
    "policy-names-its-actions": having("PolicyDocument.Statement.0.Action", "dynamodb:*"),
    "policy-names-its-resources": having("PolicyDocument.Statement", [_EVERYTHING]),
    "policy-only-allows": having("PolicyDocument.Statement.0.Effect", "Deny"),
    "people-have-long-passwords": having("Policies.PasswordPolicy.MinimumLength", 8),
    "people-may-have-a-second-factor": having("MfaConfiguration", "OFF"),
    "people-prove-their-address": having("AutoVerifiedAttributes", []),
    "pool-cannot-be-deleted": having("DeletionProtection", "INACTIVE"),
    "client-does-not-tell-who-exists": having("PreventUserExistenceErrors", "LEGACY"),
    "client-tokens-are-short": having("AccessTokenValidity", 1440),
    "group-says-what-it-may": lacking("Description"),
    "sender-is-a-domain": having("EmailIdentity", "shop@tradepost.example"),
    # watching
    "alarm-names-its-runbook": having("AlarmDescription", "Something is wrong. Runbook: docs/runbooks/nowhere.md"),
    "alarm-tells-once": having("AlarmActions", []),
    "alarm-knows-silence": lacking("TreatMissingData"),
    "alarm-watches-one-metric": having("Metrics", [{"Expression": "errors / calls"}]),
    "alarm-periods-fit": having("EvaluationPeriods", 10_000),
    "alarm-is-not-dear": having("Period", 10),
    "topic-speaks-tls": without("AWS::SNS::TopicPolicy"),
    "topic-is-named-for-people": lacking("DisplayName"),
    "topic-hears-this-account": having("PolicyDocument.Statement", [_OPEN]),
    "topic-reaches-people-safely": having("Protocol", "http"),
    "chat-only-reads": lacking("GuardrailPolicies"),
    "dashboard-can-be-drawn": having("DashboardBody", '{"widgets": []}'),
    "dashboard-has-a-typed-name": lacking("DashboardName"),
    "filter-counts-nothing-at-rest": having("MetricTransformations.0.DefaultValue", 0),
    "query-is-found": having("Name", "errors"),
}
