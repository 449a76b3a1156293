"""Every function behind the API, without AWS: whoever asks it for anything is told so by a 503."""

from collections.abc import Iterator
from typing import Any

import pytest

from builders.wiring import forget
from commerce.adapters import aws
from tools.handlers import ENVIRONMENT, Operation, operations


class Unreachable:
    """A client of AWS that may be made, and not be used."""

    def __init__(self, service: str, **_options: Any) -> None:
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        raise AssertionError(f"{self._service}.{operation} was asked for")


@pytest.fixture(scope="module")
def doors() -> Iterator[list[Operation]]:
    """Every operation of the API, whose function can be called until it needs AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setattr(aws, "client", Unreachable)
        forget()
        yield operations()
    forget()
