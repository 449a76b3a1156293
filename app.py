"""The CDK app. `cdk deploy --all -c environment=dev|prod` goes to AWS, see docs/deploy.md; `make up` deploys `local`.

Context: `environment` (default dev); `url`, the shop's address where it differs from the config file's; and on one
laptop only `stripe_api_base` and `carrier_api_base`, where the doubles listen. Needs no network and no docker.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "layers" / "commerce" / "python"))

import aws_cdk as cdk  # noqa: E402 - the path comes first

from stacks.assembly import build  # noqa: E402
from stacks.config import Config, ConfigError, keep_local_off_aws, load  # noqa: E402
from stacks.shop import Endpoints  # noqa: E402

LOCAL_AWS = "http://127.0.0.1:4566"


def main() -> None:
    """Synthesises, or says in one line what is wrong."""
    app = cdk.App()
    context = app.node.try_get_context
    try:
        config = load(context("environment") or "dev", url=context("url"))
        keep_local_off_aws(config, os.environ.get("CDK_DEFAULT_ACCOUNT"))
        packages = ROOT / "build" / "layers" / ("local" if config.local else "aws")
        document = ROOT / "docs" / "openapi.json"
        if not (packages / "base").is_dir():
            missing = packages.relative_to(ROOT)
            raise ConfigError(f"{missing} is missing; build the functions' packages first: make layers")
        if not document.is_file():
            raise ConfigError("docs/openapi.json is missing; generate it from the handlers first: make docs")
        endpoints = _endpoints(config, stripe=context("stripe_api_base"), carrier=context("carrier_api_base"))
    except ConfigError as error:
        sys.exit(str(error))
    build(app, config, endpoints=endpoints, packages=packages, document=document)
    app.synth()


def _endpoints(config: Config, *, stripe: str | None, carrier: str | None) -> Endpoints:
    """Raises ConfigError for a double outside of one laptop: real orders would be paid with play money."""
    if config.local:
        return Endpoints(stripe=stripe, carrier=carrier, aws=os.environ.get("AWS_ENDPOINT_URL", LOCAL_AWS))
    if stripe or carrier:
        raise ConfigError(
            f"stripe_api_base and carrier_api_base are for the local environment, not {config.environment}"
        )
    return Endpoints()


if __name__ == "__main__":
    main()
