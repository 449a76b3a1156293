"""What `commerce.adapters.aws.client` answers in a simulation: clients whose calls go through the present world.

The shop builds its repositories once per process and keeps its clients for ever; worlds come and go behind them.
"""

from collections.abc import Callable
from typing import Any, Protocol


class Services(Protocol):
    """The AWS services of a world, each a function from operation and parameters to the answer."""

    def aws(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        """The answer. Raises what botocore raises."""


class Client:
    """Stands where a botocore client stands."""

    def __init__(self, service: str, world: Callable[[], Services]) -> None:
        self._service, self._world = service, world

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("_"):
            raise AttributeError(operation)
        service, world = self._service, self._world

        def call(**parameters: Any) -> Any:
            return world().aws(service, operation, parameters)

        setattr(self, operation, call)
        return call
