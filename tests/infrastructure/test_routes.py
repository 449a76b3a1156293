"""The API is what docs/openapi.json says, and CloudFront stands before it."""

import json
import shutil

from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from builders.templates import called
from commerce.adapters.http import GUARDS
from stacks.config import CONFIG, load
from stacks.constructs.bucket import AccessLogBucket
from stacks.edge import EdgeStack
from stacks.openapi import operations
from stacks.shop import ROOT

OPERATIONS = operations(ROOT / "docs" / "openapi.json")


def test_the_routes_are_those_of_the_document(templates):
    routes = {route["RouteKey"]: route for route in templates.properties("AWS::ApiGatewayV2::Route")}
    assert sorted(routes) == sorted(operation.key for operation in OPERATIONS)
    integrations = templates.stack("api")["Resources"]
    for operation in OPERATIONS:
        integration = integrations[routes[operation.key]["Target"]["Fn::Join"][1][1]["Ref"]]
        function = integrations[called(templates.stack("api"), integration["Properties"]["IntegrationUri"])]
        expected = f"tradepost-{templates.environment}-{operation.function.replace('_', '-')}"
        assert function["Properties"]["FunctionName"] == expected


def test_staff_and_customers_show_a_token_at_the_door(templates):
    routes = {route["RouteKey"]: route for route in templates.properties("AWS::ApiGatewayV2::Route")}
    for operation in OPERATIONS:
        expected = "JWT" if operation.auth in ("staff", "customer") else "NONE"
        assert routes[operation.key]["AuthorizationType"] == expected, operation.key
        assert ("AuthorizerId" in routes[operation.key]) is (expected == "JWT")


def test_everything_under_admin_is_for_staff():
    assert [
        operation.key for operation in OPERATIONS if operation.path.startswith("/admin") and operation.auth != "staff"
    ] == []


def test_the_api_is_throttled_and_logged_without_personal_data(templates):
    [stage] = templates.properties("AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    log = stage["AccessLogSettings"]["Format"]
    assert all(f'"{name}": ' in log for name in ("requestId", "route", "status"))
    assert not [word for word in ("sourceIp", "path", "claims") if word in log]


def test_on_aws_cloudfront_serves_the_api_and_the_pictures(dev, prod):
    for templates in (dev, prod):
        [distribution] = templates.properties("AWS::CloudFront::Distribution")
        config = distribution["DistributionConfig"]
        assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "https-only"
        assert [behaviour["PathPattern"] for behaviour in config["CacheBehaviors"]] == ["/media/*"]
        assert len(templates.properties("AWS::CloudFront::OriginAccessControl")) == 1


def told_to_browsers(templates, behaviour):
    """The headers policy of a behaviour of CloudFront."""
    policies = dict(templates.resources("AWS::CloudFront::ResponseHeadersPolicy"))
    named = f"tradepost-{templates.environment}-edge/{behaviour['ResponseHeadersPolicyId']['Ref']}"
    return policies[named]["Properties"]["ResponseHeadersPolicyConfig"]


def test_on_aws_every_answer_and_picture_tells_browsers_to_be_careful(dev, prod):
    for templates in (dev, prod):
        [distribution] = templates.properties("AWS::CloudFront::Distribution")
        config = distribution["DistributionConfig"]
        for behaviour in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
            told = told_to_browsers(templates, behaviour)["SecurityHeadersConfig"]
            hsts = told["StrictTransportSecurity"]
            assert (hsts["AccessControlMaxAgeSec"], hsts["IncludeSubdomains"]) == (365 * 86_400, True)
            assert told["ContentTypeOptions"]["Override"]
            assert told["FrameOptions"]["FrameOption"] == "DENY"
            assert told["ReferrerPolicy"]["ReferrerPolicy"] == GUARDS["referrer-policy"]
            assert told["ContentSecurityPolicy"]["ContentSecurityPolicy"].startswith("default-src 'none'")


def test_cloudfront_guards_answers_as_functions_do_and_leaves_pages_their_own_policy(prod):
    [distribution] = prod.properties("AWS::CloudFront::Distribution")
    told = told_to_browsers(prod, distribution["DistributionConfig"]["DefaultCacheBehavior"])
    policy = told["SecurityHeadersConfig"]["ContentSecurityPolicy"]
    assert policy == {"ContentSecurityPolicy": GUARDS["content-security-policy"], "Override": False}


def test_a_drawing_that_is_opened_as_a_page_runs_nothing(prod):
    [distribution] = prod.properties("AWS::CloudFront::Distribution")
    [pictures] = distribution["DistributionConfig"]["CacheBehaviors"]
    policy = told_to_browsers(prod, pictures)["SecurityHeadersConfig"]["ContentSecurityPolicy"]
    assert policy["Override"] and policy["ContentSecurityPolicy"].endswith("sandbox")


def test_only_the_storefronts_own_pages_may_read_answers(prod, dev):
    [api] = prod.properties("AWS::ApiGatewayV2::Api")
    assert api["CorsConfiguration"]["AllowOrigins"] == ["https://www.tradepost.example"]
    assert "AllowCredentials" not in api["CorsConfiguration"]
    [api] = dev.properties("AWS::ApiGatewayV2::Api")
    assert api["CorsConfiguration"]["AllowOrigins"] == ["*"]


def _with_a_domain(tmp_path) -> Template:
    """The front of a production that has a domain of its own."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    domain = '[domain]\nname = "shop.tradepost.example"\n'
    certificate = 'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"\n'
    prod = folder / "prod.toml"
    prod.write_text(prod.read_text().replace("[shop]", f"{domain}{certificate}[shop]"))
    app = App()
    config = load("prod", folder=folder)
    logs = AccessLogBucket(Stack(app, "logs"), "AccessLogs", config=config)
    return Template.from_stack(EdgeStack(app, config, access_logs=logs, key=None))


def test_a_shop_with_a_domain_speaks_tls_1_3_and_nothing_older(tmp_path):
    template = _with_a_domain(tmp_path).to_json()["Resources"]
    [distribution] = [one for one in template.values() if one["Type"] == "AWS::CloudFront::Distribution"]
    viewer = distribution["Properties"]["DistributionConfig"]["ViewerCertificate"]
    assert viewer["MinimumProtocolVersion"] == "TLSv1.3_2025"


def test_cloudfront_keeps_an_answer_only_as_long_as_it_allows_and_for_its_bearer(prod):
    [policy] = prod.properties("AWS::CloudFront::CachePolicy")
    config = policy["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)
    assert "Authorization" in config["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"]


def test_cloudfront_keeps_no_error_for_the_next_visitor(prod):
    [distribution] = prod.properties("AWS::CloudFront::Distribution")
    kept = {
        one["ErrorCode"]: one["ErrorCachingMinTTL"]
        for one in distribution["DistributionConfig"]["CustomErrorResponses"]
    }
    assert {404, 500, 503, 504} <= set(kept)
    assert set(kept.values()) == {0}


def test_two_environments_fit_into_one_account(dev, prod):
    """CloudFront has one set of names for an account, and alarms have one for an account and region."""
    names = [
        {name for kind, at in NAMED.items() for one in templates.properties(kind) for name in [_named(one, at)] if name}
        for templates in (dev, prod)
    ]
    assert all(names)
    assert not names[0] & names[1]


NAMED = {
    "AWS::CloudFront::CachePolicy": ("CachePolicyConfig", "Name"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig", "Name"),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig", "Name"),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::StepFunctions::StateMachine": ("StateMachineName",),
    "AWS::Events::EventBus": ("Name",),
}


def _named(properties, at) -> str:
    for key in at:
        properties = properties.get(key, {})
    return json.dumps(properties) if properties else ""


def test_a_domain_may_come_after_the_first_deployment(prod, tmp_path):
    """CloudFormation lets no stack take back a value while others, which change after it, still import it."""
    before = prod.stack("edge")["Outputs"]
    after = _with_a_domain(tmp_path).to_json()["Outputs"]
    told = {
        name for name in before if name.startswith("ExportsOutput") and ("Distribution" in name or "Errors" in name)
    }
    assert len(told) == 3
    assert told <= set(after)


def test_one_laptop_needs_no_cloudfront(local):
    assert not list(local.resources("AWS::CloudFront::Distribution"))
