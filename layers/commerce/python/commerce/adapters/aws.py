"""AWS clients. botocore alone imports in two thirds of boto3's time, and does all that a function needs."""

import functools
import os
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    tcp_keepalive=True,
    connect_timeout=2,
    read_timeout=10,
    inject_host_prefix=False,
)


@functools.cache
def session() -> Session:
    """The process's one session: botocore reads its table of endpoints, 25 ms of a CPU, once for each session."""
    return get_session()


@functools.cache
def client(service: str, *, attempts: int = 4) -> Any:
    """The process's one client of `service`. Functions ask at module level, so that warm calls reuse its connections.

    A service whose effects must not be repeated by botocore itself gets one attempt.
    """
    config = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    return session().create_client(service, region_name=os.environ.get("AWS_REGION", "us-east-1"), config=config)
