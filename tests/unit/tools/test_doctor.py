"""`make doctor`: what an account lacks is told before the first deployment, with what to do. No network."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import httpx
import pytest
from botocore.stub import Stubber
from rich.console import Console

from commerce.payments.gateway import EVENT_TYPES
from stacks.config import Domain, load
from tools.doctor import __main__ as command
from tools.doctor import rules
from tools.doctor.__main__ import show
from tools.doctor.checks import CHECKS, CREDENTIALS, Check, examine
from tools.doctor.model import Answer, Certificate, Endpoint, Identity, Keys, Mail, Operators, Provider, Sender, Usage
from tools.doctor.reading import Account

DEV, PROD = load("dev"), load("prod")
NOW = datetime(2026, 11, 26, tzinfo=UTC)
VERSION = "2026-10-28.endive"
HOOK = "https://shop.tradepost.dev/webhooks/stripe"


def own(config, **changes):
    """The config of a merchant who has put in addresses of their own."""
    shop = config.shop.model_copy(update={"email_from": "shop@tradepost.dev"})
    return config.model_copy(update={"shop": shop, "alarm_email": "ops@tradepost.dev", **changes})


def test_credentials_of_another_account_are_refused_by_its_number():
    answer = rules.credentials(
        Identity("111111111111", "arn:aws:iam::111111111111:role/deploy"), own(PROD, account="222222222222")
    )
    assert answer.verdict == "problem"
    assert "111111111111" in answer.says and "222222222222" in answer.says


def test_the_root_of_an_account_does_not_deploy():
    assert rules.credentials(Identity("1" * 12, "arn:aws:iam::111111111111:root"), PROD).verdict == "warning"
    assert rules.credentials(Identity("1" * 12, "arn:aws:iam::111111111111:user/ada"), PROD).verdict == "ok"


@pytest.mark.parametrize(("found", "configured", "verdict"), [
    (None, None, "problem"),
    ("eu-central-1", None, "ok"),
    ("eu-central-1", "us-east-1", "problem"),
])  # fmt: skip
def test_the_shell_and_the_config_mean_the_same_region(found, configured, verdict):
    assert rules.region(found, own(DEV, region=configured)).verdict == verdict


@pytest.mark.parametrize(("version", "verdict"), [(None, "problem"), (5, "problem"), (6, "ok"), (30, "ok")])
def test_the_bootstrap_stack_is_as_new_as_the_templates_ask(version, verdict):
    assert rules.bootstrap(version).verdict == verdict


def test_the_templates_ask_for_the_bootstrap_version_that_the_doctor_checks():
    from aws_cdk import App, DefaultStackSynthesizer, Stack

    app = App(analytics_reporting=False)
    Stack(app, "one", synthesizer=DefaultStackSynthesizer())
    template = app.synth().get_stack_by_name("one").template
    [rule] = template["Rules"].values()
    refused = rule["Assertions"][0]["Assert"]["Fn::Not"][0]["Fn::Contains"][0]
    assert max(map(int, refused)) + 1 == rules.BOOTSTRAP


def test_a_new_account_with_ten_instances_is_too_small_for_production():
    assert rules.concurrency(10, PROD).verdict == "problem"
    assert rules.concurrency(10, DEV).verdict == "warning"
    assert rules.concurrency(1000, PROD).verdict == "ok"


def test_reservations_leave_lambda_what_it_insists_on():
    answer = rules.concurrency(1000, own(DEV, reserved_concurrency={"complete_checkout": 901}))
    assert answer.verdict == "problem" and "reserved_concurrency" in answer.says
    assert rules.concurrency(1000, own(DEV, reserved_concurrency={"complete_checkout": 900})).verdict == "ok"


@pytest.mark.parametrize("rule", [rules.api_rate, rules.table_writes, rules.executions, rules.events])
def test_a_quota_below_the_apis_rate_is_a_warning_that_names_the_quota(rule):
    low = rule(1, PROD)
    assert low.verdict == "warning" and "Service Quotas" in low.says
    assert rule(40_000, PROD).verdict == "ok"


def test_what_the_deployment_adds_must_fit():
    assert rules.room(Usage(used=2493, quota=2500, missing=8), "tables").verdict == "problem"
    assert rules.room(Usage(used=2492, quota=2500, missing=8), "tables").verdict == "ok"


def mail(**changes) -> Mail:
    return Mail(**{
        "enabled": True,
        "production": True,
        "per_second": 500,
        "per_day": 50_000,
        "enforcement": "HEALTHY",
        **changes,
    })  # fmt: skip


@pytest.mark.parametrize(("found", "in_prod", "in_dev", "word"), [
    (mail(), "ok", "ok", "500"),
    (mail(per_day=-1), "ok", "ok", "without limit"),
    (mail(production=False), "problem", "warning", "production access"),
    (mail(enabled=False), "problem", "problem", "stopped"),
    (mail(enforcement="SHUTDOWN"), "problem", "problem", "stopped"),
    (mail(enforcement="PROBATION"), "warning", "warning", "bounces"),
    (mail(per_second=14), "warning", "warning", "14 e-mails a second"),
])  # fmt: skip
def test_the_sandbox_of_ses_and_its_rates_are_told(found, in_prod, in_dev, word):
    assert rules.mail(found, own(PROD)).verdict == in_prod
    assert rules.mail(found, own(DEV)).verdict == in_dev
    assert word in rules.mail(found, own(PROD)).says


@pytest.mark.parametrize(("found", "verdict", "word"), [
    (Sender("tradepost.example", None, ours=False), "problem", "nobody's"),
    (Sender("tradepost.dev", None, ours=False), "ok", "EmailDns1"),
    (Sender("tradepost.dev", True, ours=False), "problem", "delete the identity"),
    (Sender("tradepost.dev", False, ours=True), "problem", "EmailDns1"),
    (Sender("tradepost.dev", True, ours=True), "ok", "verified"),
])  # fmt: skip
def test_the_domain_of_the_e_mails_is_ones_own_and_verified(found, verdict, word):
    answer = rules.sender(found, own(PROD))
    assert (answer.verdict, word in answer.says) == (verdict, True)


@pytest.mark.parametrize(("config", "by_ses", "verdict"), [
    (PROD, False, "warning"),
    (PROD, True, "ok"),
    (DEV, False, "ok"),
])  # fmt: skip
def test_fifty_codes_a_day_are_too_few_for_a_shop_with_buyers(config, by_ses, verdict):
    assert rules.accounts(own(config, accounts_by_ses=by_ses)).verdict == verdict


@pytest.mark.parametrize(("status", "names", "days", "verdict"), [
    ("ISSUED", ("shop.tradepost.dev",), 90, "ok"),
    ("ISSUED", ("tradepost.dev", "*.tradepost.dev"), 90, "ok"),
    ("ISSUED", ("tradepost.dev",), 90, "problem"),
    ("ISSUED", ("*.eu.tradepost.dev",), 90, "problem"),
    ("PENDING_VALIDATION", ("shop.tradepost.dev",), 90, "problem"),
    ("EXPIRED", ("shop.tradepost.dev",), -1, "problem"),
    ("ISSUED", ("shop.tradepost.dev",), 29, "warning"),
])  # fmt: skip
def test_the_certificate_is_issued_for_the_domain_and_goes_on(status, names, days, verdict):
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    config = own(PROD, domain=Domain(name="shop.tradepost.dev", certificate_arn=arn))
    found = Certificate(status, names, NOW + timedelta(days=days))
    assert rules.domain(found, config, NOW).verdict == verdict


def test_a_wildcard_stands_for_one_label():
    assert not rules.covers("*.tradepost.dev", "tradepost.dev")
    assert not rules.covers("*.tradepost.dev", "a.b.tradepost.dev")


def test_production_without_a_domain_is_a_warning():
    assert rules.domain(None, PROD, NOW).verdict == "warning"
    assert rules.domain(None, DEV, NOW).verdict == "ok"


ALL_NEWS = Endpoint(HOOK, enabled=True, events=frozenset(EVENT_TYPES), version=VERSION)


def at_stripe(key, *endpoints, webhook_secret="whsec_1"):
    return Provider(key, webhook_secret, endpoints, HOOK)


@pytest.mark.parametrize(("found", "config", "verdict", "word"), [
    (at_stripe("rk_live_1", ALL_NEWS), PROD, "ok", "fits"),
    (at_stripe("sk_live_1", ALL_NEWS), PROD, "warning", "restricted"),
    (at_stripe("sk_test_1", ALL_NEWS), DEV, "ok", "fits"),
    (at_stripe("rk_live_1", ALL_NEWS), DEV, "problem", "real money"),
    (at_stripe("rk_test_1", ALL_NEWS), PROD, "problem", "play money"),
    (at_stripe("unset"), PROD, "problem", "no key"),
    (at_stripe("pk_live_1", ALL_NEWS), PROD, "problem", "no key"),
    (at_stripe("rk_live_1", ALL_NEWS, webhook_secret="generated"), PROD, "problem", "whsec_"),
    (at_stripe("rk_live_1"), PROD, "problem", "no webhook endpoint"),
    (at_stripe("rk_live_1", Endpoint(HOOK + "s", True)), PROD, "problem", "no webhook endpoint"),
    (at_stripe("rk_live_1", Endpoint(HOOK, False)), PROD, "problem", "disabled"),
    (at_stripe("rk_live_1", Endpoint(HOOK, True, frozenset({"*"}))), PROD, "ok", "fits"),
    (at_stripe("rk_live_1", Endpoint(HOOK, True, frozenset(EVENT_TYPES[1:]))), PROD, "problem", EVENT_TYPES[0]),
    (at_stripe("rk_live_1", Endpoint(HOOK, True, frozenset({"*"}), "2020-08-27")), PROD, "warning", "2020-08-27"),
    (Provider("rk_live_1", "whsec_1", None, HOOK), PROD, "warning", "may not list"),
    (Provider(None), PROD, "ok", "first deployment"),
])  # fmt: skip
def test_stripes_key_fits_the_environment_and_its_news_arrive(found, config, verdict, word):
    answer = rules.stripe(found, own(config), EVENT_TYPES, VERSION)
    assert (answer.verdict, word in answer.says) == (verdict, True), answer
    assert found.key is None or found.key == "unset" or found.key not in answer.says


@pytest.mark.parametrize(("key", "config", "verdict"), [
    ("EZAK1", PROD, "ok"), ("EZTK1", PROD, "problem"), ("EZTK1", DEV, "ok"), ("EZAK1", DEV, "problem"),
    ("unset", PROD, "problem"), ("unset", DEV, "warning"),
])  # fmt: skip
def test_easyposts_key_fits_the_environment(key, config, verdict):
    hook = "https://shop.tradepost.dev/webhooks/carrier"
    assert rules.easypost(Provider(key, "s", (Endpoint(hook, True),), hook), own(config)).verdict == verdict


@pytest.mark.parametrize(("days", "rotates", "verdict"), [
    (364, False, "ok"), (366, False, "warning"), (95, True, "ok"), (101, True, "warning"), (None, True, "ok"),
])  # fmt: skip
def test_keys_do_not_grow_old(days, rotates, verdict):
    changed = None if days is None else NOW - timedelta(days=days)
    assert rules.ages([Keys("payment", changed, rotates)], NOW).verdict == verdict


@pytest.mark.parametrize(("config", "confirmed", "verdict"), [
    (own(PROD), None, "ok"), (own(PROD), True, "ok"), (own(PROD), False, "problem"),
    (PROD, None, "problem"), (own(PROD, alarm_email=None), None, "problem"),
    (own(DEV, alarm_email=None), None, "warning"),
])  # fmt: skip
def test_somebody_hears_of_alarms(config, confirmed, verdict):
    assert rules.alarms(Operators(confirmed), config).verdict == verdict


def test_an_account_without_a_budget_is_warned():
    assert rules.budget([]).verdict == "warning"
    assert rules.budget(["monthly"]) == Answer("ok", "monthly")


class Aws:
    """Clients with the answers that a test plans; botocore checks that AWS could give them."""

    def __init__(self):
        self.clients = {}
        self.stubs = {}

    def __call__(self, service, region):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, region_name=region, aws_access_key_id="a", aws_secret_access_key="s"
            )
            self.stubs[service] = Stubber(self.clients[service])
            self.stubs[service].activate()
        return self.clients[service]

    def answers(self, service, operation, answer):
        self(service, "us-east-1")
        self.stubs[service].add_response(operation, answer)

    def refuses(self, service, operation, code, message):
        self(service, "us-east-1")
        self.stubs[service].add_client_error(operation, code, message)

    def tells(self, **outputs):
        told = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        stack = {
            "StackName": "tradepost-prod-data",
            "CreationTime": NOW,
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": told,
        }
        self.answers("cloudformation", "describe_stacks", {"Stacks": [stack]})


@pytest.fixture
def aws():
    return Aws()


def account(aws, config=PROD, transport=None):
    return Account(own(config), region="us-east-1", clients=aws, transport=transport)


def check(name) -> Check:
    return next(one for one in CHECKS if one.name == name)


def test_a_denied_call_is_a_warning_that_names_the_permission(aws):
    message = "User: arn:aws:iam::1:user/ada is not authorized to perform: lambda:GetAccountSettings because …"
    aws.refuses("lambda", "get_account_settings", "AccessDeniedException", message)
    answer = check("Lambda instances").answer(account(aws))
    assert answer.verdict == "warning" and "lambda:GetAccountSettings" in answer.says


def test_credentials_that_have_expired_end_the_examination(aws):
    aws.refuses("sts", "get_caller_identity", "ExpiredToken", "The security token has expired")
    answers = dict(examine(account(aws)))
    assert list(answers) == ["region", "credentials"]
    assert answers[CREDENTIALS.name].verdict == "problem"


def test_an_account_that_the_cdk_does_not_know_is_told_to_bootstrap(aws):
    aws.refuses("ssm", "get_parameter", "ParameterNotFound", "")
    assert "cdk bootstrap" in check("CDK bootstrap").answer(account(aws)).says


def quota(code, name, value):
    return {"ServiceCode": "states", "QuotaCode": code, "QuotaName": name, "Value": value}


def test_a_raised_quota_counts_before_awss_default(aws):
    name = "StartExecution throttle token refill rate per second"
    aws.answers("service-quotas", "list_aws_default_service_quotas", {"Quotas": [quota("L-1", name, 1.0)]})
    aws.answers("service-quotas", "list_service_quotas", {"Quotas": [quota("L-1", name, 5000.0)]})
    assert check("executions").answer(account(aws)) == Answer("ok", "5,000 executions a second, at most 143 wanted")


def test_before_the_first_deployment_the_tables_count_that_it_makes(aws):
    tables = quota("L-F98FE922", "Maximum number of tables", 10.0)
    aws.answers("dynamodb", "list_tables", {"TableNames": ["one", "two", "three"]})
    aws.answers("service-quotas", "list_aws_default_service_quotas", {"Quotas": [tables]})
    aws.answers("service-quotas", "list_service_quotas", {"Quotas": []})
    aws.answers("cloudformation", "describe_stacks", {"Stacks": []})
    assert account(aws).tables() == Usage(used=3, quota=10.0, missing=8)


def test_ses_is_read(aws):
    aws.answers("sesv2", "get_account", {
        "SendingEnabled": True,
        "ProductionAccessEnabled": False,
        "SendQuota": {"MaxSendRate": 1.0, "Max24HourSend": 200.0, "SentLast24Hours": 0.0},
        "EnforcementStatus": "HEALTHY",
    })  # fmt: skip
    assert check("e-mail").answer(account(aws)).verdict == "problem"


def stripe_lists(aws, status, body):
    aws.tells(PaymentSecretArn="arn:aws:secretsmanager:us-east-1:1:secret:p", ApiUrl="https://shop.tradepost.dev")
    keys = {"api_key": "rk_live_1", "webhook_secret": "whsec_1"}
    aws.answers("secretsmanager", "get_secret_value", {"SecretString": json.dumps(keys)})

    def stripe(request):
        assert request.method == "GET"
        assert request.headers["authorization"].startswith("Basic ")
        return httpx.Response(status, json=body)

    return account(aws, transport=httpx.MockTransport(stripe))


def test_the_age_of_keys_is_read_without_reading_them(aws):
    changed = datetime(2020, 1, 1, tzinfo=UTC)
    aws.tells(SigningSecretArn="arn:aws:secretsmanager:us-east-1:1:secret:s")
    aws.answers("secretsmanager", "describe_secret", {"LastChangedDate": changed, "RotationEnabled": True})
    answer = check("age of keys").answer(account(aws))
    assert (answer.verdict, "signing" in answer.says) == ("warning", True)


def test_stripes_webhook_endpoints_are_read(aws):
    endpoint = {"url": HOOK, "status": "enabled", "enabled_events": ["*"], "api_version": None}
    answer = check("Stripe").answer(stripe_lists(aws, 200, {"data": [endpoint]}))
    assert answer == Answer("ok", f"The key fits, and Stripe tells {HOOK}")


def test_a_restricted_key_that_may_not_list_endpoints_is_a_warning(aws):
    answer = check("Stripe").answer(stripe_lists(aws, 403, {"error": {}}))
    assert answer.verdict == "warning" and HOOK in answer.says


def test_a_stripe_that_is_down_is_a_warning(aws):
    assert check("Stripe").answer(stripe_lists(aws, 500, {})).verdict == "warning"


def test_without_outputs_there_is_no_key_to_look_at(aws):
    aws.answers("cloudformation", "describe_stacks", {"Stacks": []})
    assert check("EasyPost").answer(account(aws)).verdict == "ok"


def test_a_subscription_that_is_not_confirmed_is_seen_even_where_the_other_one_is(aws):
    arn = "arn:aws:sns:us-east-1:1:alarms"
    aws.tells(AlarmTopicArn=arn, PageTopicArn=arn)
    for state in (f"{arn}:1", "PendingConfirmation"):
        subscription = {"SubscriptionArn": state, "Owner": "1", "Protocol": "email", "TopicArn": arn}
        chat = {**subscription, "SubscriptionArn": f"{arn}:chat", "Protocol": "https"}
        aws.answers("sns", "list_subscriptions_by_topic", {"Subscriptions": [subscription, chat]})
    assert "has not confirmed" in check("alarms").answer(account(aws)).says


def test_the_table_shows_each_answer(capsys):
    answers = [
        ("domain", Answer("ok", "No [domain] is configured")),
        ("e-mail", Answer("problem", "SES is in its sandbox")),
    ]
    show(answers, Console(width=100))
    shown = capsys.readouterr().out
    assert "problem" in shown and "SES is in its sandbox" in shown
    assert "No [domain] is configured" in shown


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_only_a_problem_stands_in_the_way(monkeypatch, capsys, verdict, code):
    answers = [("region", Answer("ok", "us-east-1")), ("e-mail", Answer(verdict, "SES …"))]
    monkeypatch.setattr(command, "signed_in", lambda: True)
    monkeypatch.setattr(command, "examine", lambda account: iter(answers))
    assert command.main(["prod", "--json"]) == code
    assert json.loads(capsys.readouterr().out)[1] == {"check": "e-mail", "verdict": verdict, "says": "SES …"}


def test_a_shell_without_credentials_examines_nothing(monkeypatch):
    monkeypatch.setattr(command, "signed_in", lambda: False)
    monkeypatch.setattr(command, "examine", lambda account: pytest.fail("there is nothing to examine with"))
    assert command.main(["dev"]) == 1
