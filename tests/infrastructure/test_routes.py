"""The API is what docs/openapi.json says, and CloudFront stands before it."""


from stacks.openapi import operations
from stacks.shop import ROOT

OPERATIONS = operations(ROOT / "docs" / "openapi.json")


def test_the_routes_are_those_of_the_document(templates):
    routes = {route["RouteKey"]: route for route in templates.properties("AWS::ApiGatewayV2::Route")}
    assert sorted(routes) == sorted(operation.key for operation in OPERATIONS)
    integrations = templates.stack("api")["Resources"]
    for operation in OPERATIONS:
        integration = integrations[routes[operation.key]["Target"]["Fn::Join"][1][1]["Ref"]]
        function = integrations[integration["Properties"]["IntegrationUri"]["Fn::GetAtt"][0]]
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
        [headers] = templates.properties("AWS::CloudFront::ResponseHeadersPolicy")
        assert "StrictTransportSecurity" in headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]


def test_cloudfront_keeps_an_answer_only_as_long_as_it_allows_and_for_its_bearer(prod):
    [policy] = prod.properties("AWS::CloudFront::CachePolicy")
    config = policy["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"]) == (0, 0)
    assert "Authorization" in config["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"]


def test_one_laptop_needs_no_cloudfront(local):
    assert not list(local.resources("AWS::CloudFront::Distribution"))
