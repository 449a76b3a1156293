"""The environments: `config/<environment>.toml`, completed by `config/shop.toml`, checked before anything is built."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from commerce.model import Model
from commerce.settings import Settings

Environment = Literal["local", "dev", "prod"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)

CONFIG = Path(__file__).resolve().parent.parent / "config"

LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
"""What CloudWatch Logs accepts."""


LARGEST_SETTINGS = 2_200
"""Bytes of the shop's rules as JSON. Lambda takes 4 KB of environment, and the rest of it needs its share."""


Origin = Annotated[str, Field(pattern=r"^(\*|https?://[a-z0-9.-]+(:\d+)?)$")]
"""As a browser sends it: scheme, host, and a port that is not the scheme's own."""


class ConfigError(Exception):
    """A config file is missing or wrong; the text names file and field."""


class Domain(Model):
    """The shop's own domain name in front of CloudFront, with a certificate of ACM in us-east-1."""

    name: str = Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")
    certificate_arn: str = Field(pattern=r"^arn:aws:acm:us-east-1:\d{12}:certificate/.+$")


class Chat(Model):
    """A Slack channel that hears of every alarm. The workspace is let in once, by hand: docs/operating.md."""

    workspace: str = Field(pattern=r"^T[0-9A-Z]{8,}$")
    channel: str = Field(pattern=r"^C[0-9A-Z]{8,}$")


class Shop(Settings):
    """The shop's rules as functions get them, and that they fit together."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Shop":
        if not self.currencies:
            raise ValueError("currencies: the shop sells in at least one currency")
        if not self.locations:
            raise ValueError("locations: stock lies in at least one location")
        if len(set(self.location_ids)) < len(self.locations):
            raise ValueError("locations: every id stands once")
        for rate in self.shipping_rates:
            if missing := set(self.currencies) - set(rate.price):
                raise ValueError(f"shipping_rates {rate.id}: no price in {', '.join(sorted(missing))}")
            if foreign := set(rate.countries) - set(self.countries):
                raise ValueError(f"shipping_rates {rate.id}: the shop does not ship to {', '.join(sorted(foreign))}")
            if rate.earliest_days > rate.latest_days:
                raise ValueError(f"shipping_rates {rate.id}: earliest_days is after latest_days")
        served = {country for rate in self.shipping_rates for country in rate.countries or self.countries}
        if unserved := set(self.countries) - served:
            raise ValueError(f"countries: no shipping rate serves {', '.join(sorted(unserved))}")
        if (size := len(self.model_dump_json(exclude_defaults=True).encode())) > LARGEST_SETTINGS:
            raise ValueError(f"the rules are {size} bytes; functions can be told {LARGEST_SETTINGS}")
        return self


class Config(Model):
    """One environment."""

    environment: Environment
    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    """None takes the account of the credentials."""
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}-[a-z]+-\d$")
    keep_data: bool
    """Whether tables, buckets, secrets and the user pool outlive their stack and are protected from deletion."""
    point_in_time_recovery: bool
    log_retention_days: LogRetentionDays
    encryption: Literal["aws", "customer"] = "aws"
    """Whose keys encrypt logs, secrets, analytics, alarms and the functions' environments: AWS's, or one of the
    shop's own for a dollar a month, which can be looked after, and taken away."""
    alarm_email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    chat: Chat | None = None
    paging_parameter: str | None = Field(default=None, pattern=r"^/[\w./-]+$")
    """The SSM parameter that holds the address (https) at which a paging service takes alarms from SNS."""
    accounts_by_ses: bool = False
    """Whether codes and invitations go out through SES, which must have verified the domain of `email_from` first.
    Otherwise Cognito sends them itself, at most 50 a day."""
    domain: Domain | None = None
    allowed_origins: tuple[Origin, ...] = Field(min_length=1)
    """Whose pages may read the API's answers in a browser (CORS). `*`, everybody's, is refused where data is kept."""
    web_acl_arn: str | None = Field(default=None, pattern=r"^arn:aws:wafv2:us-east-1:\d{12}:global/webacl/.+$")
    """A web ACL of AWS WAF that CloudFront asks before it lets a request in: from six dollars a month."""
    caller_limit: int | None = Field(default=None, ge=10, le=2_000_000_000)
    """Requests in five minutes from one address, after which a firewall of the shop's turns it away: from six dollars
    a month. Its stack is made in us-east-1 and tells its ARN, for `web_acl_arn`."""
    api_rate: int = Field(ge=1)
    """Requests a second that the API lets through; `api_burst` at once."""
    api_burst: int = Field(ge=1)
    queue_concurrency: int = Field(ge=2, le=1000)
    """How many instances of a function work on one queue. Lambda's least is 2."""
    reserved_concurrency: dict[str, int] = Field(default_factory=dict)
    """By function: how many instances it may have at most, taken from the account's own."""
    release: Literal["directly", "at_once", "canary"] = "directly"
    """How a new version of what buyers and orders wait for comes in: in the place of the old one; or beside it by
    CodeDeploy, with all calls at once, or with a tenth of them for five minutes, and out again if an alarm rings."""
    warehouse_seconds: int = Field(default=86_400, ge=60, le=31_536_000)
    """After how long the workflow looks again at an order that the warehouse has not handed over."""
    delivery_deadline_seconds: int = Field(ge=60, le=31_536_000)
    """How long a shipped order may wait for its delivery before operators hear of it."""
    erasure_looks_again_seconds: int = Field(default=86_400, ge=1, le=864_000)
    """After how long an erasure looks again whether the person's orders have come to their end."""
    shop: Shop
    """An empty `url` stands for the address that CloudFront gives."""

    @field_validator("allowed_origins")
    @classmethod
    def _named_where_data_is_kept(cls, origins: tuple[str, ...], config: ValidationInfo) -> tuple[str, ...]:
        if config.data.get("keep_data") and any(not one.startswith("https://") for one in origins):
            raise ValueError("name the storefront's own, with https://; * would let everybody's pages in")
        return origins

    @property
    def local(self) -> bool:
        """Whether it runs on ministack."""
        return self.environment == "local"

    @property
    def email_domain(self) -> str:
        """Of the address that the shop's e-mails come from."""
        return self.shop.email_from.rpartition("@")[2]

    @property
    def tls(self) -> bool:
        """Whether queues, topics and buckets refuse plain HTTP, which is all that the local AWS speaks."""
        return not self.local


def load(environment: str, *, folder: Path = CONFIG, url: str | None = None) -> Config:
    """The environment's config. `url` replaces the shop's address. Raises ConfigError."""
    if environment not in ENVIRONMENTS:
        raise ConfigError(f"there is no environment {environment!r}; choose one of {', '.join(ENVIRONMENTS)}")
    path = folder / f"{environment}.toml"
    own, common = _read(path), _read(folder / "shop.toml")
    rules = own.get("shop", {})
    if not isinstance(rules, dict):
        raise ConfigError(f"{path}: shop: write it as a table, [shop]")
    address = {"url": url} if url else {}
    domain = own.get("domain")
    default = f"https://{domain['name']}" if isinstance(domain, dict) and "name" in domain else ""
    try:
        config = Config.model_validate({**own, "shop": {"url": default, **common, **rules, **address}})
    except ValidationError as error:
        raise ConfigError(_explain(error, path, folder / "shop.toml", rules)) from None
    if config.environment != environment:
        raise ConfigError(f"{path}: environment: says {config.environment!r}, but the file is {environment}'s")
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None


def _explain(error: ValidationError, own: Path, common: Path, rules: dict[str, Any]) -> str:
    """One line for each wrong field, with the file it stands in."""
    lines = []
    for fault in error.errors(include_url=False):
        where = [str(part) for part in fault["loc"]]
        in_common = where[0] == "shop" and len(where) > 1 and where[1] not in rules and fault["type"] != "missing"
        path, field = (common, where[1:]) if in_common else (own, where)
        lines.append(f"{path}: {'.'.join(field)}: {fault['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


LOCAL_ACCOUNT = "000000000000"
"""The account that the local AWS is."""


def keep_local_off_aws(config: Config, account: str | None) -> None:
    """The local environment has neither CloudFront nor TLS, and throws its data away: raises ConfigError for any other
    account than the local AWS's. None is a synthesis without credentials.
    """
    if config.local and account not in (None, LOCAL_ACCOUNT):
        raise ConfigError(
            f"the environment local is for `make up`; deploy to account {account} with -c environment=dev or prod"
        )
