"""The engines that the double is compared with."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from botocore.config import Config
from botocore.session import get_session

from stacks.tables import TableSpec
from tools.local.calls import LOCAL
from tools.local.instance import HOST, REGION
from tools.local.shop import MINISTACK


def create_table_request(spec: TableSpec, name: str) -> dict[str, Any]:
    """What `create_table` is asked for such a table."""
    keys = ["pk", "sk", *(key for index in spec.indexes for key in (index.partition, index.sort))]
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _key_schema(index.partition, index.sort),
            "Projection": {
                "ProjectionType": index.projection,
                **({"NonKeyAttributes": list(index.includes)} if index.includes else {}),
            },
        }
        for index in spec.indexes
    ]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in dict.fromkeys(keys)],
        "KeySchema": _key_schema("pk", "sk"),
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    }


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def client(url: str) -> Any:
    """A client of the engine at `url`: no retries, and parameters go out as they are, for the engine to refuse."""
    return get_session().create_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "max_attempts": 1}, parameter_validation=False),
    )


@contextmanager
def ministack() -> Iterator[str]:
    """The URL of a local AWS of its own, with its data in memory."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "PATH": os.defpath,
            "HOME": scratch,
            "TMPDIR": scratch,
            "LANG": "C.UTF-8",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "ERROR",
        }
        log = Path(scratch) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(MINISTACK), "-m", "ministack"], env=environment, cwd=scratch, stdout=output, stderr=output
            )
        try:
            _wait_until_ready(f"http://{HOST}:{port}", process, log)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the local AWS ended with {process.returncode}: {log.read_text()[-500:]}")
        with contextlib.suppress(httpx.TransportError):
            if LOCAL.get(f"{url}/_ministack/ready", timeout=1).is_success:
                return
        time.sleep(0.05)
