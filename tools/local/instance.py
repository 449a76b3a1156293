"""An instance is one local shop: its ports, its folder, its addresses.

The shop of `make up` is the instance `main`. `make test` runs another, `test`, beside it; any further name works too:
`TRADEPOST_INSTANCE=mine make up`. Nothing here imports more than the standard library before it is asked to.
"""

import functools
import json
import os
import socket
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.local.steps import Stop

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
REGION = "us-east-1"

_FIRST_PORTS = {"front": 4510, "stripe": 4511, "carrier": 4512, "aws": 4566}
_VARIABLES = {"front": "PORT", "stripe": "STRIPE_PORT", "carrier": "CARRIER_PORT", "aws": "AWS_PORT"}


@dataclass(frozen=True)
class Instance:
    """One local shop. Equal names are the same shop. Raises Stop for a name or a port that cannot be one."""

    name: str = "main"

    @classmethod
    def current(cls) -> "Instance":
        """The one that `TRADEPOST_INSTANCE` names, else `main`."""
        return cls(os.environ.get("TRADEPOST_INSTANCE") or "main")

    def __post_init__(self) -> None:
        if not self.name.isalnum() or not self.name.islower():
            raise Stop(f"TRADEPOST_INSTANCE={self.name}: use small letters and digits only")

    # where things are

    @property
    def folder(self) -> Path:
        """Everything that this shop keeps; deleting it is a reset."""
        return ROOT / ".local" / self.name

    @property
    def state(self) -> Path:
        """What the local AWS and the doubles remember between a stop and a start."""
        return self.folder / "state"

    @property
    def outputs_file(self) -> Path:
        """What `cdk deploy` wrote: outputs by stack."""
        return self.folder / "outputs.json"

    @property
    def meter_file(self) -> Path:
        """The counted calls, as `tools/local/meter.py` writes them."""
        return self.folder / "meter.json"

    def log(self, process: str) -> Path:
        """The log file of a process."""
        return self.folder / "log" / f"{process}.log"

    # how it is reached

    def variable(self, process: str) -> str:
        """The environment variable that moves a process to another port."""
        middle = "" if self.name == "main" else f"{self.name.upper()}_"
        return f"TRADEPOST_{middle}{_VARIABLES[process]}"

    @functools.cached_property
    def ports(self) -> dict[str, int]:
        """Ports by process: the variable's, else those it was last started with, else the name's own."""
        kept = self._kept_ports()
        ports = {}
        for process, first in _FIRST_PORTS.items():
            chosen = os.environ.get(self.variable(process))
            if chosen is not None and not (chosen.isdigit() and 0 < int(chosen) < 65_536):
                raise Stop(f"{self.variable(process)}={chosen}: that is no port number")
            ports[process] = int(chosen) if chosen else kept.get(process, first + self._offset())
        return ports

    def keep_ports(self) -> None:
        """Remembers the ports, so that later commands find the shop without the variables."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "ports.json").write_text(json.dumps(self.ports))

    def _kept_ports(self) -> dict[str, int]:
        try:
            kept: dict[str, int] = json.loads((self.folder / "ports.json").read_text())
            return kept
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def _offset(self) -> int:
        match self.name:
            case "main":
                return 0
            case "test":
                return 100
            case other:
                return 200 + 100 * (zlib.crc32(other.encode()) % 50)

    @property
    def url(self) -> str:
        """The shop as shoppers see it; what CloudFront's address is on AWS."""
        return f"http://{HOST}:{self.ports['front']}"

    @property
    def aws_url(self) -> str:
        """The local AWS."""
        return f"http://{HOST}:{self.ports['aws']}"

    @property
    def stripe_url(self) -> str:
        """The Stripe double."""
        return f"http://{HOST}:{self.ports['stripe']}"

    @property
    def carrier_url(self) -> str:
        """The carrier double."""
        return f"http://{HOST}:{self.ports['carrier']}"

    # what was deployed

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks. Empty before the first deployment."""
        try:
            stacks: dict[str, dict[str, str]] = json.loads(self.outputs_file.read_text())
        except FileNotFoundError:
            return {}
        return {name: value for outputs in stacks.values() for name, value in outputs.items()}

    def output(self, name: str) -> str:
        """One output. Raises LookupError, saying what to do, before the first deployment."""
        try:
            return self.outputs[name]
        except KeyError:
            raise LookupError(
                f"the shop {self.name!r} has no output {name}; deploy it first: {self.command('up')}"
            ) from None

    def command(self, target: str) -> str:
        """How a developer types a make target for this shop."""
        prefix = "" if self.name == "main" else f"TRADEPOST_INSTANCE={self.name} "
        return f"{prefix}make {target}"

    def running(self) -> "Instance":
        """Itself, if its local AWS listens. Raises LookupError, saying what to do, if not."""
        try:
            socket.create_connection((HOST, self.ports["aws"]), timeout=5).close()
        except OSError:
            raise LookupError(f"the shop {self.name!r} does not run; start it: {self.command('up')}") from None
        return self

    # how AWS clients reach it

    @property
    def session(self) -> dict[str, str]:
        """Arguments of `boto3.Session`. The keys are the local AWS's own well-known ones: they open nothing else."""
        return {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the local AWS."""
        import boto3
        from botocore.config import Config

        return boto3.Session(**self.session).client(
            service, endpoint_url=self.aws_url, config=Config(inject_host_prefix=False), **options
        )

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment in which an AWS tool (the CDK, the AWS CLI, the importer) reaches this shop and no other."""
        kept = {
            name: value
            for name, value in (os.environ if base is None else base).items()
            if not name.startswith(("AWS_", "CDK_"))
        }
        return kept | {
            "TRADEPOST_INSTANCE": self.name,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_S3": self.aws_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
