"""What a cold start imports: modules loaded and CPU milliseconds, each in a fresh interpreter.

The interpreter sees what a function sees on Lambda and nothing of this checkout's virtual environment: its layers with
third-party packages, the commerce layer, the handler, and the packages that Lambda's own runtime brings. Bytecode
is cached: the first run of each is not measured.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.functions import FUNCTIONS
from tools.build import layers
from tools.handlers import ENVIRONMENT
from tools.local.instance import ROOT

RUNS = 3

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's Python runtime brings by itself."""

BASELINES = {
    "bare Python": "pass",
    "boto3.client('dynamodb')": "import boto3; boto3.client('dynamodb', region_name='us-east-1')",
}

_PROBE = """
import sys, time
start = time.process_time()
{code}
spent = time.process_time() - start
modules = set(sys.modules)
import json
print(json.dumps({{"modules": len(modules), "milliseconds": spent * 1000,
    "packages": sorted(modules & {{"stripe", "easypost", "boto3", "requests", "httpx"}})}}))
"""

_HANDLER = "import handler"
_WITH_STRIPE = f"{_HANDLER}; from commerce.payments.gateway import StripeGateway; StripeGateway('sk', 'whsec').retrieve"
_WITH_TOKEN = f"{_HANDLER}; import jwt; jwt.get_algorithm_by_name('RS256')"
_WITH_CARRIER = f"{_HANDLER}; import easypost.easypost_client, easypost.errors"


@dataclass(frozen=True)
class Start:
    """A cold start to measure. At most so many modules; None where nobody promised anything."""

    name: str
    function: str
    code: str = _HANDLER
    most: int | None = None


READS, MONEY, PARCELS = 495, 545, 695
"""The budgets: a little above what the functions of a kind load, so that none grows unseen."""

STARTS = (
    *(Start(name, name, most=READS) for name in ("catalog", "carts", "orders")),
    *(Start(name, name, most=READS) for name in ("admin_catalog", "admin_inventory", "admin_orders")),
    Start("admin_purchasing", "admin_purchasing", most=READS),
    Start("admin_discounts", "admin_discounts", most=READS),
    *(Start(name, name, most=READS) for name in ("carrier_webhook", "project_catalog", "watch_stock")),
    Start("send_email", "send_email", most=500),
    Start("settle_order", "settle_order", most=440),
    *(Start(name, name, most=READS) for name in ("admin_privacy", "export_person", "erase_person")),
    Start("docs", "docs", most=300),
    Start("relay_outbox", "relay_outbox", most=350),
    Start("export_analytics", "export_analytics", most=420),
    Start("rotate_signing_keys", "rotate_signing_keys", most=450),
    *(Start(name, name, most=MONEY) for name in ("complete_checkout", "payment_webhook", "admin_refunds")),
    *(Start(name, name, most=MONEY) for name in ("ship_order", "compensate_order")),
    Start("reconcile", "reconcile", most=MONEY),
    Start("complete_checkout + Stripe", "complete_checkout", _WITH_STRIPE, 580),
    Start("carts + a token", "carts", _WITH_TOKEN, 560),
    Start("ship_order + easypost", "ship_order", _WITH_CARRIER, PARCELS),
    Start("carrier_webhook + easypost", "carrier_webhook", _WITH_CARRIER, PARCELS),
    Start("reconcile + easypost", "reconcile", _WITH_CARRIER, PARCELS + 30),
)
"""Every function; the last ones with packages that load with the first signed-in buyer, payment or parcel, and not at
the start.
"""


def measure(runtime: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, figures): the baselines, then every start."""
    for name, code in BASELINES.items():
        yield name, _figures(code, None, runtime)
    for start in STARTS:
        yield start.name, {**_figures(start.code, start.function, runtime), "most": start.most}


def count() -> int:
    """How many figures `measure` gives."""
    return len(BASELINES) + len(STARTS)


def provide_runtime(folder: Path) -> Path:
    """`folder` with links to the packages of Lambda's runtime, as they are installed here; and the built layer."""
    layers.build("local")
    folder.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise RuntimeError(f"{name} is not installed here; run: make setup")
        package = Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)
        link = folder / package.name
        link.unlink(missing_ok=True)
        link.symlink_to(package)
    return folder


def run(code: str, function: str | None, runtime: Path) -> dict[str, Any]:
    """One reading of `code`, in the place of a function's handler where one is named."""
    layers_of = FUNCTIONS[function].layers if function else ()
    paths = [
        *([ROOT / "functions" / function] if function else []),
        ROOT / "layers/commerce/python",
        *(ROOT / "build/layers/local" / layer / "python" for layer in layers_of),
        runtime,
    ]
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", _PROBE.format(code=code)],
        env={**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{function}: {code} does not run:\n{done.stderr}")
    reading: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reading


def _figures(code: str, function: str | None, runtime: Path) -> dict[str, Any]:
    """The modules of the last run, the median of the times; the first run only fills the bytecode cache."""
    run(code, function, runtime)
    readings = [run(code, function, runtime) for _ in range(RUNS)]
    median = statistics.median(reading["milliseconds"] for reading in readings)
    return {**readings[-1], "milliseconds": round(median, 1)}
