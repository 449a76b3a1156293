"""A firewall before CloudFront, where the config asks for one: `caller_limit = 1000`.

CloudFront's firewalls live in us-east-1, wherever the shop is, and stacks of two regions cannot refer to each other. So
this one tells its ARN, and whoever deploys puts it into the config as `web_acl_arn`, as with the domain's certificate.
"""

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from stacks.base import ShopStack
from stacks.config import Config
from stacks.shop import physical_name

WINDOW_SECONDS = 300


class FirewallStack(ShopStack):
    """A web ACL that lets everybody in, but for addresses that ask more often than any person does."""

    def __init__(self, scope: Construct, config: Config, *, limit: int) -> None:
        super().__init__(scope, "firewall", config=config, does="limits by caller", region="us-east-1")
        acl = waf.CfnWebACL(
            self,
            "WebAcl",
            name=physical_name(config, "firewall"),
            description=f"Addresses with more than {limit} requests in {WINDOW_SECONDS} seconds wait",
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_counted(config, "firewall"),
            rules=[
                waf.CfnWebACL.RuleProperty(
                    name="caller-limit",
                    priority=0,
                    statement=waf.CfnWebACL.StatementProperty(rate_based_statement=_by_address(limit)),
                    action=waf.CfnWebACL.RuleActionProperty(block=_too_many()),
                    visibility_config=_counted(config, "caller-limit"),
                )
            ],
        )
        self.tell("WebAclArn", acl.attr_arn)


def _by_address(limit: int) -> waf.CfnWebACL.RateBasedStatementProperty:
    """Webhooks come from few addresses and many shops' worth of news: they are signed, and not counted."""
    webhooks = waf.CfnWebACL.ByteMatchStatementProperty(
        field_to_match=waf.CfnWebACL.FieldToMatchProperty(uri_path={}),
        positional_constraint="STARTS_WITH",
        search_string="/webhooks/",
        text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
    )
    return waf.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP",
        limit=limit,
        evaluation_window_sec=WINDOW_SECONDS,
        scope_down_statement=waf.CfnWebACL.StatementProperty(
            not_statement=waf.CfnWebACL.NotStatementProperty(
                statement=waf.CfnWebACL.StatementProperty(byte_match_statement=webhooks)
            )
        ),
    )


def _too_many() -> waf.CfnWebACL.BlockActionProperty:
    """429, as the API's own throttle answers, and not the firewall's 403."""
    return waf.CfnWebACL.BlockActionProperty(
        custom_response=waf.CfnWebACL.CustomResponseProperty(
            response_code=429,
            response_headers=[waf.CfnWebACL.CustomHTTPHeaderProperty(name="retry-after", value=str(WINDOW_SECONDS))],
        )
    )


def _counted(config: Config, name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    """Counted in CloudWatch; no samples of requests, whose paths hold guests' cart ids."""
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=physical_name(config, name), sampled_requests_enabled=False
    )
