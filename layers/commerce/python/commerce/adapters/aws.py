"""AWS clients. botocore alone imports in two thirds of boto3's time, and does all that a function needs."""

import functools
import json
import os
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session, get_session

# Parameters come from typed code, and AWS checks them itself; a name of its own spares botocore to compose a long one,
# twice a call. With `_as_it_came` these save half of what a call costs (docs/speed.md). Whoever gives a function an id
# (AWS_SDK_UA_APP_ID, botocore's own name for it) finds it in the name, where botocore would put it.
_CONFIG = Config(
    tcp_keepalive=True,
    connect_timeout=2,
    read_timeout=10,
    inject_host_prefix=False,
    parameter_validation=False,
    user_agent=f"tradepost app/{os.environ.get('AWS_SDK_UA_APP_ID', 'shop')}",
)


class _EveryName(tuple[str, ...]):
    """Holds whatever name it is asked for."""

    def __contains__(self, name: object) -> bool:
        return True


class _Models(Loader):  # type: ignore[misc]  # its module has no types
    """botocore's models of services. One that is not there is missed when it is read; by itself, botocore would first
    look through the folders of all 400 services for their names, twice for each client.
    """

    def list_available_services(self, type_name: str) -> tuple[str, ...]:
        """Nobody looks."""
        return _EveryName()


@functools.cache
def session() -> Session:
    """The process's one session: botocore reads its table of endpoints, 25 ms of a CPU, once for each session."""
    made = get_session()
    made.register_component("data_loader", _Models())
    made.register("before-parse.dynamodb", _as_it_came)
    return made


def _as_it_came(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """DynamoDB's answers come in the very shape in which botocore hands them out, as long as they hold no binary."""
    if response_dict["status_code"] == 200:
        customized_response_dict |= json.loads(response_dict["body"])
        response_dict["body"] = b"{}"


@functools.cache
def client(service: str, *, attempts: int = 4) -> Any:
    """The process's one client of `service`. Functions ask at module level, so that warm calls reuse its connections.

    A service whose effects must not be repeated by botocore itself gets one attempt.
    """
    config = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    return session().create_client(service, region_name=os.environ.get("AWS_REGION", "us-east-1"), config=config)
