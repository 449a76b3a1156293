"""The rules: each takes what was read and what the environment's config says, and answers. No I/O.

What only a shop with buyers needs is a problem in prod and a warning in dev (`_grave`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from stacks.config import Config
from tools.doctor import model
from tools.doctor.model import Answer, Certificate, Endpoint, Identity, Keys, Mail, Operators, Provider, Usage, Verdict
from tools.scale import CHECKOUT_REQUESTS, EMAILS, EVENTS, WRITE_UNITS_OF_ORDERS

BOOTSTRAP = 6
"""What the CDK's templates ask for, in their rule CheckBootstrapVersion."""

SECONDS_PER_REQUEST = 0.2
"""How long a request keeps an instance; generous for reads, about right for completing."""
UNRESERVED = 100
"""What Lambda insists on keeping for functions without a reservation
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html)."""
EXPIRES_SOON = timedelta(days=30)
KEY_AGE = timedelta(days=365)
ROTATED = timedelta(days=100)
"""Keys that rotate do so every 90 days; Secrets Manager takes its time, and tries again."""


def _grave(config: Config) -> Verdict:
    return "problem" if config.environment == "prod" else "warning"


def _reserved_for_documents(address: str) -> bool:
    """Whether nobody can get mail there: RFC 2606."""
    host = address.rpartition("@")[2]
    return host.endswith((".example", ".invalid", ".test")) or host.partition(".")[0] == "example"


def _orders_per_second(config: Config) -> float:
    """More than will ever come: as if everybody bought and nobody browsed."""
    return config.api_rate / CHECKOUT_REQUESTS


def credentials(found: Identity, config: Config) -> Answer:
    """The account is the config's, and nobody works as its root."""
    if config.account and found.account != config.account:
        return Answer(
            "problem",
            f"These credentials are of account {found.account}, but config/{config.environment}.toml names"
            f" {config.account}: sign in to that one.",
        )
    if found.arn.endswith(":root"):
        return Answer("warning", "These are the account's root credentials: make a role for deployments and use that.")
    return Answer("ok", f"{found.arn.partition(':')[2].rpartition(':')[2]} in account {found.account}")


def region(found: str | None, config: Config) -> Answer:
    """The shell names a region, and it is the config's."""
    if not found:
        return Answer("problem", "No region is set: export AWS_REGION=…, or set region in the config.")
    if config.region and found != config.region:
        return Answer(
            "problem",
            f"The shell is in {found}, but config/{config.environment}.toml names {config.region}:"
            f" export AWS_REGION={config.region}.",
        )
    return Answer("ok", found)


def bootstrap(version: int | None) -> Answer:
    """The CDK's own stack stands in this region."""
    if version is None:
        return Answer("problem", "The CDK has not been bootstrapped in this account and region: run cdk bootstrap.")
    if version < BOOTSTRAP:
        return Answer(
            "problem", f"The CDK's bootstrap stack has version {version}, older than {BOOTSTRAP}: run cdk bootstrap."
        )
    return Answer("ok", f"version {version}")


def concurrency(limit: int, config: Config) -> Answer:
    """Lambda runs as many instances as the API's rate and the queues can ask for, and reservations leave it enough."""
    reserved = sum(config.reserved_concurrency.values())
    if reserved and limit - reserved < UNRESERVED:
        return Answer(
            "problem",
            f"reserved_concurrency takes {reserved} of {limit} instances and Lambda keeps {UNRESERVED} unreserved, so"
            " the deployment would fail: ask for more (Service Quotas, Lambda, Concurrent executions) or reserve less.",
        )
    wanted = round(config.api_rate * SECONDS_PER_REQUEST) + 2 * config.queue_concurrency
    if limit < wanted:
        return Answer(
            _grave(config),
            f"Lambda runs {limit} instances at once, and a rush at api_rate {config.api_rate} takes about {wanted}:"
            " ask for 1,000 (Service Quotas, Lambda, Concurrent executions).",
        )
    return Answer("ok", f"{limit} instances at once, about {wanted} wanted")


def api_rate(quota: float, config: Config) -> Answer:
    """The account lets through what the API's own throttle does."""
    if quota < config.api_rate:
        return Answer(
            "warning",
            f"The account lets {quota:,.0f} requests a second through, less than api_rate {config.api_rate:,}:"
            " ask for more (Service Quotas, API Gateway, Throttle rate).",
        )
    return Answer("ok", f"{quota:,.0f} requests a second, api_rate is {config.api_rate:,}")


def table_writes(quota: float, config: Config) -> Answer:
    """The busiest table takes the writes of the orders that the API's rate can bring."""
    wanted = round(_orders_per_second(config) * WRITE_UNITS_OF_ORDERS)
    if quota < wanted:
        return Answer(
            "warning",
            f"A table takes {quota:,.0f} write units a second, and {_orders_per_second(config):.0f} orders a second may"
            f" want {wanted:,}: ask for more (Service Quotas, DynamoDB, Table-level write throughput limit).",
        )
    return Answer("ok", f"{quota:,.0f} write units a second and table, at most {wanted:,} wanted")


def executions(quota: float, config: Config) -> Answer:
    """Step Functions starts an execution for each order that the API's rate can bring."""
    wanted = _orders_per_second(config)
    if quota < wanted:
        return Answer(
            "warning",
            f"Step Functions starts {quota:,.0f} executions a second, and api_rate {config.api_rate:,} can bring"
            f" {wanted:.0f} orders: ask for more (Service Quotas, Step Functions, StartExecution refill rate).",
        )
    return Answer("ok", f"{quota:,.0f} executions a second, at most {wanted:.0f} wanted")


def events(quota: float, config: Config) -> Answer:
    """The bus takes the events of the orders that the API's rate can bring."""
    wanted = _orders_per_second(config) * EVENTS
    if quota < wanted:
        return Answer(
            "warning",
            f"The bus takes {quota:,.0f} events a second, and up to {wanted:.0f} are wanted:"
            " ask for more (Service Quotas, EventBridge, PutEvents throttle limit).",
        )
    return Answer("ok", f"{quota:,.0f} events a second, at most {wanted:.0f} wanted")


def room(found: Usage, of: str) -> Answer:
    """What the deployment adds fits into the quota."""
    if found.used + found.missing > found.quota:
        return Answer(
            "problem",
            f"{found.used:,} of {found.quota:,.0f} {of} are taken and {found.missing} more are needed: delete some, or"
            " ask for more in Service Quotas.",
        )
    return Answer("ok", f"{found.used:,} of {found.quota:,.0f} {of} are taken")


def mail(found: Mail, config: Config) -> Answer:
    """SES is out of its sandbox and sends as many e-mails as orders make."""
    if found.enforcement == "SHUTDOWN" or not found.enabled:
        return Answer("problem", "SES has stopped this account's e-mails: the SES console says why.")
    if not found.production:
        return Answer(
            _grave(config),
            "SES is in its sandbox, so buyers get no mail: ask for production access in the SES console.",
        )
    if found.enforcement != "HEALTHY":
        return Answer("warning", "SES watches this account for bounces and complaints: see the SES console.")
    wanted = _orders_per_second(config) * EMAILS
    per_day = "without limit" if found.per_day < 0 else f"{found.per_day:,.0f} a day"
    if found.per_second < wanted:
        return Answer(
            "warning",
            f"SES sends {found.per_second:g} e-mails a second, {per_day}; {wanted:.0f} a second would keep up with"
            f" api_rate {config.api_rate:,}, the rest waits in its queue: ask SES for more before a rush.",
        )
    return Answer("ok", f"{found.per_second:g} e-mails a second, {per_day}")


def sender(found: model.Sender, config: Config) -> Answer:
    """The domain of the shop's e-mails is one, is this environment's, and is verified."""
    if _reserved_for_documents(found.domain):
        return Answer(
            _grave(config),
            f"email_from ends with {found.domain}, which is nobody's domain: put your own into"
            f" config/{config.environment}.toml.",
        )
    if found.verified is None:
        return Answer("ok", f"The deployment asks SES for {found.domain}; afterwards enter its outputs EmailDns1 to 3.")
    if not found.ours:
        return Answer(
            "problem",
            f"SES knows {found.domain} already, but no stack of this environment made it, so the deployment would fail:"
            " delete the identity, or give the environment a domain of its own.",
        )
    if not found.verified:
        return Answer(
            _grave(config),
            f"SES has not verified {found.domain}: enter the outputs EmailDns1 to 3 at whoever serves your domain.",
        )
    return Answer("ok", f"{found.domain} is verified")


def accounts(config: Config) -> Answer:
    """Codes and invitations go out through SES: Cognito itself sends only so many a day."""
    if config.accounts_by_ses:
        return Answer("ok", "Codes and invitations go out through SES")
    return Answer(
        "warning" if config.keep_data else "ok",
        "Cognito sends at most 50 codes and invitations a day: once the e-mail domain is verified, set"
        f" accounts_by_ses = true in config/{config.environment}.toml.",
    )


def domain(found: Certificate | None, config: Config, now: datetime) -> Answer:
    """The certificate is issued, covers the domain and goes on for a while. None where no domain is configured."""
    if config.domain is None or found is None:
        verdict: Verdict = "warning" if config.environment == "prod" else "ok"
        return Answer(verdict, "No [domain] is configured: the shop answers under an address of CloudFront.")
    name = config.domain.name
    if found.status != "ISSUED":
        return Answer(
            "problem",
            f"The certificate of {name} is {found.status}: enter its DNS records, or ask for a new one in us-east-1.",
        )
    if not any(covers(pattern, name) for pattern in found.names):
        return Answer(
            "problem",
            f"The certificate is for {', '.join(found.names)}, not for {name}: ask for one for it in us-east-1.",
        )
    if found.until and found.until - now < EXPIRES_SOON:
        return Answer(
            "warning",
            f"The certificate of {name} ends on {found.until:%Y-%m-%d}: see in the ACM console why it is not renewed.",
        )
    return Answer("ok", f"{name} has an issued certificate")


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate's name covers a domain's: a wildcard stands for exactly one label (RFC 6125)."""
    if pattern.startswith("*."):
        return pattern[2:].lower() == name.partition(".")[2].lower()
    return pattern.lower() == name.lower()


def stripe(found: Provider, config: Config, wanted: Iterable[str], version: str) -> Answer:
    """Stripe's key moves real money in prod and only there, and Stripe tells the shop what happens."""
    put = "put it into the payment secret (docs/payments.md, Going live)"
    if found.key is None:
        return Answer("ok", "The secret is made by the first deployment; run this again afterwards.")
    kind, _, mode = found.key.partition("_")
    mode = mode.partition("_")[0]
    if kind not in ("sk", "rk") or mode not in ("live", "test"):
        return Answer(_grave(config), f"There is no key of Stripe yet: make a restricted one and {put}.")
    if mode == "live" and config.environment != "prod":
        return Answer(
            "problem", f"The key is a live one, and {config.environment} would take real money: {put} in test mode."
        )
    if mode == "test" and config.environment == "prod":
        return Answer("problem", f"The key is a test one, and prod would ship for play money: {put} in live mode.")
    if not (found.webhook_secret or "").startswith("whsec_"):
        return Answer(
            "problem", "The payment secret lacks Stripe's signing secret (whsec_…): every webhook would be refused."
        )
    heard = _heard(found, "Stripe", wanted, version)
    if heard.verdict == "ok" and kind == "sk" and config.environment == "prod":
        return Answer(
            "warning", "The key may do everything in Stripe: replace it by a restricted one (docs/payments.md)."
        )
    return heard


def easypost(found: Provider, config: Config) -> Answer:
    """EasyPost's key buys real labels in prod and only there, and EasyPost tells the shop where parcels are."""
    put = "put it into the carrier secret (docs/carriers.md, Going live)"
    if found.key is None:
        return Answer("ok", "The secret is made by the first deployment; run this again afterwards.")
    if not found.key.startswith(("EZAK", "EZTK")):
        return Answer(_grave(config), f"There is no key of EasyPost yet: make one and {put}.")
    live = found.key.startswith("EZAK")
    if live and config.environment != "prod":
        return Answer(
            "problem", f"The key is a production one, and {config.environment} would buy real labels: {put} for tests."
        )
    if not live and config.environment == "prod":
        return Answer("problem", f"The key is a test one, and no carrier takes its labels: {put} for production.")
    return _heard(found, "EasyPost", (), None)


def ages(found: Iterable[Keys], now: datetime) -> Answer:
    """Keys of providers are changed once a year, and those that rotate by themselves do."""
    old = [one.name for one in found if one.changed and now - one.changed > (ROTATED if one.rotates else KEY_AGE)]
    if old:
        return Answer(
            "warning", f"The keys in these secrets are old: {', '.join(old)}. docs/security.md says how they change."
        )
    return Answer("ok", f"none older than {KEY_AGE.days} days")


def _heard(found: Provider, name: str, wanted: Iterable[str], version: str | None) -> Answer:
    """Whether the provider's news reach the shop."""
    if found.endpoints is None:
        return Answer(
            "warning", f"{name}'s key may not list webhook endpoints: see in its dashboard that {found.url} is one."
        )
    ours = [endpoint for endpoint in found.endpoints if endpoint.url.rstrip("/") == found.url]
    if not ours:
        return Answer("problem", f"{name} has no webhook endpoint {found.url}: add it in its dashboard.")
    live = [endpoint for endpoint in ours if endpoint.enabled]
    if not live:
        return Answer("problem", f"{name} has disabled the webhook endpoint {found.url}: enable it in its dashboard.")
    if missing := min((_missing(endpoint, wanted) for endpoint in live), key=len):
        return Answer("problem", f"{name} does not tell of {', '.join(missing)}: add these events to {found.url}.")
    strange = {endpoint.version for endpoint in live} - {version, None}
    if version and strange:
        return Answer(
            "warning", f"The webhook endpoint speaks version {strange.pop()}: the shop was tried with {version}."
        )
    return Answer("ok", f"The key fits, and {name} tells {found.url}")


def _missing(endpoint: Endpoint, wanted: Iterable[str]) -> list[str]:
    if not endpoint.events or "*" in endpoint.events:
        return []
    return [event for event in wanted if event not in endpoint.events]


def alarms(found: Operators, config: Config) -> Answer:
    """Somebody hears of alarms."""
    if not config.alarm_email:
        return Answer(_grave(config), f"Nobody hears of alarms: set alarm_email in config/{config.environment}.toml.")
    if _reserved_for_documents(config.alarm_email):
        return Answer(_grave(config), f"alarm_email is {config.alarm_email}, where nobody reads: put your own.")
    if found.confirmed is False:
        says = f"{config.alarm_email} has not confirmed its subscriptions: follow the links in AWS's two e-mails."
        return Answer(_grave(config), says)
    if found.confirmed is None:
        return Answer("ok", f"{config.alarm_email}; confirm the two subscriptions after the first deployment.")
    return Answer("ok", f"{config.alarm_email} is told")


def budget(names: Iterable[str]) -> Answer:
    """Somebody hears of a bill that runs away."""
    if found := sorted(names):
        return Answer("ok", ", ".join(found))
    return Answer("warning", "No budget watches the account's bill: make one with an alert in the Billing console.")
