"""The local AWS that a shop on this machine runs on, for a test alone."""

import io
import json
import os
import signal
import subprocess
import textwrap
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from builders.servers import Process, served
from tools.build import layers
from tools.local.instance import HOST, Instance
from tools.local.shop import ATHENA, LAUNCHER, MINISTACK

ROLE = "arn:aws:iam::000000000000:role/anyone"


@dataclass
class LocalAws:
    """The local AWS with a state folder of its own. It runs inside `with`, and can be stopped and started there."""

    folder: Path
    enforces: bool = False
    """Whether it asks what the caller may do."""
    port: int = 0
    process: Process | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """On a free port the first time, and ever after on the same one."""
        self.process, self.port = served(self._started, self._answers, log=self.folder / "log", port=self.port)

    def stop(self) -> None:
        """As `make down` does it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def meter(self) -> Path:
        return self.folder / "meter.json"

    @property
    def packages(self) -> Path:
        """What it borrows from the layers."""
        return layers.build("local") / "identity" / "python"

    def client(self, service: str, **keys: str) -> Any:
        """A client of the service; with these keys, where they are given."""
        return boto3.Session(**(Instance().session | keys)).client(
            service, endpoint_url=self.url, config=Config(inject_host_prefix=False)
        )

    def function(self, name: str, source: str, **settings: Any) -> None:
        """Makes a function whose handler is `handler` in this source, unless the settings name another."""
        made = {"Runtime": "python3.14", "Handler": "handler.handler", "Role": ROLE, **settings}
        code = {"ZipFile": zipped({"handler.py": textwrap.dedent(source)})}
        self.client("lambda").create_function(FunctionName=name, Code=code, **made)

    def invoke(self, name: str) -> Any:
        """What the function answers."""
        return json.load(self.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"])

    def _started(self, port: int) -> Process:
        environment = {"PATH": os.defpath, "TMPDIR": str(self.folder), "HOME": str(self.folder), "BIND_HOST": HOST}
        environment |= {"GATEWAY_PORT": str(port), "PERSIST_STATE": "1", "STATE_DIR": str(self.folder / "state")}
        environment |= {"AUTH": "true"} if self.enforces else {}
        environment |= {"SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "LOG_LEVEL": "WARNING"}
        command = [str(MINISTACK), "-P", str(LAUNCHER), "--meter", str(self.meter)]
        command += ["--packages", str(self.packages), "--athena", str(ATHENA)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def _answers(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/ready", timeout=5):
                return True
        except (OSError, urllib.error.HTTPError):
            return False


def zipped(files: dict[str, str]) -> bytes:
    """An archive with these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()
