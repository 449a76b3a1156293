"""A wrong config file is refused with file and field, before anything is built."""

import shutil
from pathlib import Path

import pytest

from stacks.config import CONFIG, ENVIRONMENTS, ConfigError, keep_local_off_aws, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def _change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_loads(environment):
    config = load(environment)
    assert config.environment == environment
    assert {"USD", "EUR"} <= set(config.shop.currencies)
    assert {"US", "CA", "GB", "DE", "FR", "AT", "NL"} <= set(config.shop.countries)


def test_an_unknown_environment_is_told_the_known_ones():
    with pytest.raises(ConfigError, match=r"'staging'.*local, dev, prod"):
        load("staging")


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("dev.toml", "api_rate = 50", "api_rate = 0", r"dev\.toml: api_rate: .*greater than or equal to 1"),
        ("dev.toml", "api_rate = 50", 'api_rate = "fast"', r"dev\.toml: api_rate: .*integer"),
        ("dev.toml", "keep_data = false\n", "", r"dev\.toml: keep_data: .*required"),
        ("dev.toml", "api_rate = 50", "api_rate = 50\nspeed = 1", r"dev\.toml: speed: .*not permitted"),
        ("dev.toml", "log_retention_days = 14", "log_retention_days = 13", r"dev\.toml: log_retention_days: "),
        ("dev.toml", "hold_seconds = 900", 'hold_seconds = "long"', r"dev\.toml: shop\.hold_seconds: .*integer"),
        ("dev.toml", 'environment = "dev"', 'environment = "prod"', r"dev\.toml: environment: "),
        ("dev.toml", "keep_data = false", "keep_data = ", r"dev\.toml: Invalid value"),
        ("dev.toml", "environment", 'alarm_email = "me"\nenvironment', r"dev\.toml: alarm_email: "),
        ("dev.toml", "environment", 'paging_parameter = "https://x"\nenvironment', r"dev\.toml: paging_parameter: "),
        ("dev.toml", '["*"]', '["https://shop.example/"]', r"dev\.toml: allowed_origins\.0: "),
        ("dev.toml", '["*"]', "[]", r"dev\.toml: allowed_origins: "),
        ("dev.toml", "[shop]", '[chat]\nworkspace = "us"\n[shop]', r"dev\.toml: chat\.workspace: "),
        (
            "shop.toml",
            "basis_points = 725",
            "basis_points = 7.25",
            r"shop\.toml: tax_rates\.0\.basis_points: .*integer",
        ),
        ("shop.toml", "USD = 590, ", "", r"shipping_rates standard: no price in USD"),
        ("shop.toml", '"NL", "BE", "ES", "IT"]\nprice', '"NL", "JP"]\nprice', r"express: the shop does not ship to JP"),
    ],
)
def test_a_wrong_value_is_refused_with_file_and_field(folder, file, old, new, says):
    _change(folder, file, old, new)
    with pytest.raises(ConfigError, match=says):
        load("dev", folder=folder)


@pytest.mark.parametrize("origin", ["*", "http://www.tradepost.example"])
def test_a_shop_that_keeps_its_data_names_the_origins_of_its_storefront(folder, origin):
    _change(folder, "prod.toml", "https://www.tradepost.example", origin)
    with pytest.raises(ConfigError, match=r"prod\.toml: allowed_origins: name the storefront's own"):
        load("prod", folder=folder)


def test_rules_that_functions_cannot_be_told_are_refused(folder):
    path = folder / "shop.toml"
    rate = '\n[[tax_rates]]\ncountry = "US"\nregion = "AK"\nbasis_points = 1\ntitle = "Sales tax"\n'
    path.write_text(path.read_text("utf-8") + rate * 40, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bytes; functions can be told"):
        load("dev", folder=folder)


def test_a_missing_file_is_named(folder):
    (folder / "prod.toml").unlink()
    with pytest.raises(ConfigError, match=r"prod\.toml: there is no such file"):
        load("prod", folder=folder)


def test_the_address_can_be_given(folder):
    assert load("local", folder=folder, url="http://127.0.0.1:9999").shop.url == "http://127.0.0.1:9999"


def test_a_domain_is_the_shops_address(folder):
    domain = (
        '[domain]\nname = "shop.example.com"\ncertificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"\n'
    )
    _change(folder, "dev.toml", "[shop]", domain + "\n[shop]")
    assert load("dev", folder=folder).shop.url == "https://shop.example.com"


def test_an_environment_may_replace_one_of_the_shops_rules(folder):
    _change(folder, "dev.toml", "hold_seconds = 900", "hold_seconds = 60")
    assert load("dev", folder=folder).shop.hold_seconds == 60
    assert load("prod", folder=folder).shop.hold_seconds == 900


def test_the_local_environment_stays_off_aws() -> None:
    for account in (None, "000000000000"):
        keep_local_off_aws(load("local"), account)
    keep_local_off_aws(load("dev"), "123456789012")
    with pytest.raises(ConfigError, match="dev or prod"):
        keep_local_off_aws(load("local"), "123456789012")


def test_the_storefronts_address_is_one(folder):
    _change(folder, "shop.toml", "# storefront_url = ", "storefront_url = ")
    assert load("dev", folder=folder).shop.pages == "https://www.tradepost.example"

    _change(folder, "shop.toml", "www.tradepost.example", "www.tradepost.example/")
    with pytest.raises(ConfigError, match=r"shop\.toml: storefront_url"):
        load("dev", folder=folder)
