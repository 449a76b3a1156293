"""The routes, read from `docs/openapi.json`, which is generated from the handlers: API and document cannot differ."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@dataclass(frozen=True)
class Operation:
    """A route and the function behind it."""

    method: str
    path: str
    function: str
    auth: Literal["public", "customer", "staff", "signature"]

    @property
    def key(self) -> str:
        """As API Gateway names it: `GET /products/{handle}`."""
        return f"{self.method} {self.path}"

    @property
    def guarded(self) -> bool:
        """Whether API Gateway lets only signed-in people in. (Signatures and guests' tokens the function checks.)"""
        return self.auth in ("customer", "staff")


def operations(file: Path) -> list[Operation]:
    """All operations of the document, in its order. Raises KeyError for one without `x-function` or `x-auth`."""
    paths = json.loads(file.read_text(encoding="utf-8"))["paths"]
    return [
        Operation(method.upper(), path, operation["x-function"], operation["x-auth"])
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
