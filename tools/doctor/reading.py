"""Reads an account, with calls that change nothing. What is not there yet is None; a call that is denied raises."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args

import boto3
import httpx
from botocore.exceptions import ClientError

from stacks.config import Config
from stacks.functions import Secret
from tools.doctor.model import Certificate, Endpoint, Identity, Keys, Mail, Operators, Provider, Sender, Usage
from tools.shops import ShopOnAws

GLOBAL = "us-east-1"
"""Where CloudFront, its certificates and budgets live."""

BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
"""The parameter in which the CDK's bootstrap stack keeps its version, under the default qualifier."""

Clients = Callable[[str, str | None], Any]
"""A client of a service in a region."""


class Account(ShopOnAws):
    """An AWS account in one region, with whatever the environment has deployed there."""

    def __init__(
        self,
        config: Config,
        *,
        region: str | None,
        clients: Clients | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(config.environment, region)
        self.config = config
        self._clients = clients or (lambda service, where: boto3.client(service, region_name=where))
        self._transport = transport
        self._quotas: dict[tuple[str, str | None], Mapping[str, float]] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """A client; `region` where the service lives elsewhere than the shop."""
        return self._clients(service, region or self.region)

    def identity(self) -> Identity:
        """Whose credentials these are."""
        found = self.client("sts").get_caller_identity()
        return Identity(found["Account"], found["Arn"])

    def bootstrap(self) -> int | None:
        """The version of the CDK's bootstrap stack."""
        found = _unless("ParameterNotFound", lambda: self.client("ssm").get_parameter(Name=BOOTSTRAP_VERSION))
        return int(found["Parameter"]["Value"]) if found else None

    def concurrency(self) -> int:
        """How many instances Lambda runs at once."""
        return int(self.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])

    def quota(self, service: str, key: str, region: str | None = None) -> float:
        """A quota by its code or name: the account's own where it differs, else AWS's default. Raises LookupError."""
        known = self._quotas.get((service, region))
        if known is None:
            known = self._quotas[service, region] = self._read_quotas(service, region)
        if key not in known:
            raise LookupError(f"Service Quotas knows no {key} of {service} in this region")
        return known[key]

    def _read_quotas(self, service: str, region: str | None) -> Mapping[str, float]:
        quotas, found = self.client("service-quotas", region), {}
        for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
            for page in quotas.get_paginator(operation).paginate(ServiceCode=service):
                for one in page["Quotas"]:
                    found[one["QuotaCode"]] = found[one["QuotaName"]] = float(one["Value"])
        return found

    def tables(self) -> Usage:
        """DynamoDB's tables in this region."""
        pages = self.client("dynamodb").get_paginator("list_tables").paginate()
        used = sum(len(page["TableNames"]) for page in pages)
        return Usage(used, self.quota("dynamodb", "L-F98FE922"), self._missing(8, "OrdersTable"))

    def secrets(self) -> Usage:
        """Secrets in this region."""
        pages = self.client("secretsmanager").get_paginator("list_secrets").paginate()
        used = sum(len(page["SecretList"]) for page in pages)
        return Usage(used, self.quota("secretsmanager", "L-2F66C23C"), self._missing(3, "PaymentSecretArn"))

    def distributions(self) -> Usage:
        """CloudFront's distributions."""
        pages = self.client("cloudfront", GLOBAL).get_paginator("list_distributions").paginate()
        used = sum(len(page["DistributionList"].get("Items", ())) for page in pages)
        return Usage(used, self.quota("cloudfront", "L-24B04930", GLOBAL), self._missing(1, "DistributionDomain"))

    def _missing(self, needed: int, output: str) -> int:
        return 0 if output in self.outputs else needed

    def mail(self) -> Mail:
        """What SES lets the account send."""
        found = self.client("sesv2").get_account()
        quota = found["SendQuota"]
        return Mail(
            enabled=found["SendingEnabled"],
            production=found["ProductionAccessEnabled"],
            per_second=quota["MaxSendRate"],
            per_day=quota["Max24HourSend"],
            enforcement=found["EnforcementStatus"],
        )

    def sender(self) -> Sender:
        """The identity of the domain that the shop's e-mails come from."""
        domain = self.config.email_domain
        found = _unless("NotFoundException", lambda: self.client("sesv2").get_email_identity(EmailIdentity=domain))
        return Sender(domain, found["VerifiedForSendingStatus"] if found else None, "EmailDns1" in self.outputs)

    def certificate(self) -> Certificate | None:
        """The certificate that the config names, if it names one."""
        if self.config.domain is None:
            return None
        arn = self.config.domain.certificate_arn
        found = self.client("acm", GLOBAL).describe_certificate(CertificateArn=arn)["Certificate"]
        until: datetime | None = found.get("NotAfter")
        names = dict.fromkeys([found["DomainName"], *found.get("SubjectAlternativeNames", ())])
        return Certificate(found["Status"], tuple(names), until)

    def keys(self) -> list[Keys]:
        """How old what is in the shop's secrets is. Without reading it."""
        found = []
        for name in get_args(Secret):
            if arn := self.outputs.get(f"{name.capitalize()}SecretArn"):
                told = self.client("secretsmanager").describe_secret(SecretId=arn)
                found.append(Keys(name, told.get("LastChangedDate"), told.get("RotationEnabled", False)))
        return found

    def stripe(self) -> Provider:
        """Stripe's key, and what it tells of webhook endpoints (https://docs.stripe.com/api/webhook_endpoints/list)."""
        return self._provider("payment", "https://api.stripe.com/v1/webhook_endpoints?limit=100", "stripe", _of_stripe)

    def easypost(self) -> Provider:
        """EasyPost's key, and what it tells of webhooks (https://docs.easypost.com/docs/webhooks)."""
        return self._provider("carrier", "https://api.easypost.com/v2/webhooks", "carrier", _of_easypost)

    def _provider(
        self, name: Secret, address: str, path: str, understood: Callable[[Any], tuple[Endpoint, ...]]
    ) -> Provider:
        arn = self.outputs.get(f"{name.capitalize()}SecretArn")
        if arn is None:
            return Provider(None)
        keys = json.loads(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        url = f"{self.outputs.get('ApiUrl', '')}/webhooks/{path}"
        key = keys.get("api_key", "")
        listed = self._listed(address, key) if key.startswith(("sk_", "rk_", "EZ")) else None
        endpoints = understood(listed) if listed is not None else None
        return Provider(key, keys.get("webhook_secret"), endpoints, url)

    def _listed(self, address: str, key: str) -> Any:
        """The provider's answer; None where the key may not ask. Raises httpx.HTTPError."""
        with httpx.Client(transport=self._transport, timeout=10) as http:
            answer = http.get(address, auth=(key, ""))
        if answer.status_code in (401, 403):
            return None
        return answer.raise_for_status().json()

    def operators(self) -> Operators:
        """Whether somebody has confirmed to get the alarms: those to be looked at, and those that wake people."""
        topics = [self.outputs[name] for name in ("AlarmTopicArn", "PageTopicArn") if name in self.outputs]
        return Operators(all(self._heard(topic) for topic in topics) if topics else None)

    def _heard(self, topic: str) -> bool:
        pages = self.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        listed = [one for page in pages for one in page["Subscriptions"] if one["Protocol"] == "email"]
        return any(one["SubscriptionArn"].startswith("arn:") for one in listed)

    def budgets(self) -> list[str]:
        """The names of the account's budgets."""
        account = self.identity().account
        pages = self.client("budgets", GLOBAL).get_paginator("describe_budgets").paginate(AccountId=account)
        return [budget["BudgetName"] for page in pages for budget in page.get("Budgets", ())]


def _unless(code: str, call: Callable[[], Any]) -> Any:
    """What the call answers; None where AWS says that there is no such thing. Raises ClientError for the rest."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] == code:
            return None
        raise


def _of_stripe(listed: Any) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(one["url"], one["status"] == "enabled", frozenset(one["enabled_events"]), one.get("api_version"))
        for one in listed["data"]
    )


def _of_easypost(listed: Any) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(one["url"], one.get("disabled_at") is None) for one in listed["webhooks"])


def region_of(config: Config) -> str | None:
    """The region that shell and AWS tools are in, which must be the config's; the config's where they name none."""
    return os.environ.get("AWS_REGION") or boto3.Session().region_name or config.region
