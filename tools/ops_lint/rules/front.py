"""The API, its routes, and CloudFront before them."""

import json
import re
from typing import Any

from tools.ops_lint.rule import ON_AWS, Rule
from tools.ops_lint.template import Resource, listed

STAGE = ("AWS::ApiGatewayV2::Stage",)
ROUTE = ("AWS::ApiGatewayV2::Route",)
DISTRIBUTION = ("AWS::CloudFront::Distribution",)
_YEAR = 365 * 86_400
_GUARDED = ("/admin", "/me")
_OF_THE_CALLER = ("sourceIp", "userAgent", "$context.path", "claims", "authorizer.sub")


def _log_format(stage: Resource) -> str:
    return stage.at("AccessLogSettings.Format") or ""


def _log_is_json(stage: Resource) -> bool:
    """Numbers stand there without quotes, so that filters and queries can compare them."""
    try:
        json.loads(re.sub(r'(?<!")\$context[\w.]+', "0", _log_format(stage)))
    except json.JSONDecodeError:
        return False
    return '"requestId": "$context.requestId"' in _log_format(stage)


def _behaviours(distribution: Resource) -> list[dict[str, Any]]:
    config = distribution.at("DistributionConfig")
    return [config["DefaultCacheBehavior"], *listed(config.get("CacheBehaviors"))]


def _origins_are_safe(distribution: Resource) -> bool:
    return all(
        "OriginAccessControlId" in origin or origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
        for origin in listed(distribution.at("DistributionConfig.Origins"))
    )


def _headers_are_strict(policy: Resource) -> bool:
    headers = policy.at("ResponseHeadersPolicyConfig.SecurityHeadersConfig")
    return headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= _YEAR and "ContentTypeOptions" in headers


def _keeps_tokens_apart(policy: Resource) -> bool:
    key = policy.at("CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin")
    return "Authorization" in key["HeadersConfig"].get("Headers", [])


def _route_is_guarded(route: Resource) -> bool:
    path = route.at("RouteKey").partition(" ")[2]
    return not path.startswith(_GUARDED) or (
        route.at("AuthorizationType") == "JWT" and route.at("AuthorizerId") is not None
    )


RULES = (
    Rule(
        "api-errors-ring",
        "An alarm tells when the API answers with server errors",
        "The buyer sees it before anybody else does.",
        ("AWS::ApiGatewayV2::Api",),
        lambda one: one.rings("5xx"),
    ),
    Rule(
        "api-names-its-headers",
        "Browsers may send and read named headers only",
        "With `*` a page of somebody else's reads what the shop tells its own.",
        ("AWS::ApiGatewayV2::Api",),
        lambda one: "*" not in (one.at("CorsConfiguration.AllowHeaders") or ["*"]),
    ),
    Rule(
        "stage-logs-requests",
        "Every request is a line of JSON with its id",
        "The id leads from a buyer's complaint to the function's log.",
        STAGE,
        _log_is_json,
    ),
    Rule(
        "stage-logs-nobody",
        "The access log holds neither address, nor path, nor person of the caller",
        "An address is personal, and a guest's cart id in a path is the key to the cart.",
        STAGE,
        lambda one: not any(word in _log_format(one) for word in _OF_THE_CALLER),
    ),
    Rule(
        "stage-is-throttled",
        "The stage lets so many requests a second through",
        "Without a limit somebody else's script writes the shop's bill.",
        STAGE,
        lambda one: (one.at("DefaultRouteSettings.ThrottlingRateLimit") or 0) > 0
        and (one.at("DefaultRouteSettings.ThrottlingBurstLimit") or 0) > 0,
    ),
    Rule(
        "stage-has-no-paid-metrics",
        "The stage sends no metrics for each route",
        "Six paid metrics for each of seventy routes cost more than all else; the access log knows the same.",
        STAGE,
        lambda one: not one.at("DefaultRouteSettings.DetailedMetricsEnabled"),
    ),
    Rule(
        "stage-deploys-itself",
        "A changed route is in force with the deployment",
        "Routes that wait for a deployment by hand differ from the document.",
        STAGE,
        lambda one: one.at("AutoDeploy") is True,
    ),
    Rule(
        "route-is-guarded",
        "Routes of staff and of signed-in buyers ask for a token before their function runs",
        "A function that forgets to ask would show everybody everything.",
        ROUTE,
        _route_is_guarded,
    ),
    Rule(
        "route-leads-somewhere",
        "The route has a function, and takes one method",
        "A catch-all answers paths that no document names.",
        ROUTE,
        lambda one: bool(one.at("Target")) and not one.at("RouteKey").startswith(("$default", "ANY ")),
    ),
    Rule(
        "integration-speaks-version-two",
        "Functions get requests in the payload that their handlers read",
        "In the other version headers and cookies have other names, and tokens are not found.",
        ("AWS::ApiGatewayV2::Integration",),
        lambda one: one.at("PayloadFormatVersion") == "2.0" and one.at("IntegrationType") == "AWS_PROXY",
    ),
    Rule(
        "authorizer-names-issuer-and-audience",
        "Tokens are of the shop's own pool, and made for its own client",
        "Another pool's token is as well signed as ours.",
        ("AWS::ApiGatewayV2::Authorizer",),
        lambda one: bool(one.at("JwtConfiguration.Issuer")) and bool(one.at("JwtConfiguration.Audience")),
    ),
    Rule(
        "front-speaks-tls",
        "Buyers reach every path over HTTPS only",
        "Links to orders are keys; they must not travel in the open.",
        DISTRIBUTION,
        lambda one: all(behaviour["ViewerProtocolPolicy"] != "allow-all" for behaviour in _behaviours(one)),
    ),
    Rule(
        "front-sends-security-headers",
        "Every path has a policy of headers",
        "Without it a browser guesses types and shows the shop in other people's frames.",
        DISTRIBUTION,
        lambda one: all(behaviour.get("ResponseHeadersPolicyId") for behaviour in _behaviours(one)),
    ),
    Rule(
        "front-origins-are-safe",
        "CloudFront asks the API over HTTPS, and the bucket with a signature",
        "A bucket that answers anybody can be read past CloudFront.",
        DISTRIBUTION,
        _origins_are_safe,
    ),
    Rule(
        "front-is-cheap",
        "The distribution uses the cheapest places of CloudFront",
        "The dearer ones pay for continents to which the shop does not ship.",
        DISTRIBUTION,
        lambda one: one.at("DistributionConfig.PriceClass") == "PriceClass_100",
    ),
    Rule(
        "front-signs-always",
        "Requests to the bucket are always signed",
        "A request of the caller's own making would reach the bucket.",
        ("AWS::CloudFront::OriginAccessControl",),
        lambda one: one.at("OriginAccessControlConfig.SigningBehavior") == "always",
    ),
    Rule(
        "cache-keeps-tokens-apart",
        "Answers for one token are never given to another",
        "A buyer would see somebody else's orders.",
        ("AWS::CloudFront::CachePolicy",),
        _keeps_tokens_apart,
    ),
    Rule(
        "cache-asks-the-answer",
        "What the answer does not allow to be kept is not kept",
        "A cart from the cache is yesterday's cart.",
        ("AWS::CloudFront::CachePolicy",),
        lambda one: one.at("CachePolicyConfig.DefaultTTL") == 0 and one.at("CachePolicyConfig.MinTTL") == 0,
    ),
    Rule(
        "headers-are-strict",
        "Browsers are told to come back over HTTPS for a year, and to guess no types",
        "The first visit of every day could be led elsewhere.",
        ("AWS::CloudFront::ResponseHeadersPolicy",),
        _headers_are_strict,
        ON_AWS,
    ),
)
