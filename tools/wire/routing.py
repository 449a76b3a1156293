"""Leads the functions' way to AWS over the line, and back, by their environment: nothing is deployed for it.

`AWS_ENDPOINT_URL` is where botocore calls AWS, `AWS_SDK_UA_APP_ID` the name by which a request says whose it is.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from tools.local.instance import Instance

_ENDPOINT, _NAME = "AWS_ENDPOINT_URL", "AWS_SDK_UA_APP_ID"


def functions(instance: Instance) -> dict[str, dict[str, Any]]:
    """The deployed functions' configurations by the names of `stacks/functions.py`."""
    pages = instance.client("lambda").get_paginator("list_functions").paginate()
    return {
        variables["POWERTOOLS_SERVICE_NAME"]: function
        for page in pages
        for function in page["Functions"]
        if "POWERTOOLS_SERVICE_NAME" in (variables := function.get("Environment", {}).get("Variables", {}))
    }


def app_id(name: str) -> str:
    """The function's name as its requests carry it. Its end is marked: rules look for a part of the user agent."""
    return f"{name}."


@contextlib.contextmanager
def routed(instance: Instance, url: str) -> Iterator[None]:
    """Every function of the shop calls AWS at `url`, until the block ends."""
    _route(instance, url)
    try:
        yield
    finally:
        _route(instance, None)


def _route(instance: Instance, url: str | None) -> None:
    configuring = instance.client("lambda")
    for name, function in functions(instance).items():
        variables = {
            key: value for key, value in function["Environment"]["Variables"].items() if key not in (_ENDPOINT, _NAME)
        }
        if url is not None:
            variables |= {_ENDPOINT: url, _NAME: app_id(name)}
        configuring.update_function_configuration(
            FunctionName=function["FunctionName"], Environment={"Variables": variables}
        )
