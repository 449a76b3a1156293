"""The deployed shop as commands find it, on a test's tables."""

from typing import Any

from stacks.tables import ALL


class DeployedShop:
    """A shop that has tables, and nothing else."""

    def __init__(self, client: Any, tables: dict[str, str]) -> None:
        self._client = client
        self._outputs = {spec.output: tables[spec.variable] for spec in ALL}

    def client(self, service: str) -> Any:
        """The tables' client, whatever is asked for."""
        return self._client

    def output(self, name: str) -> str:
        """The name of the table that this output of the stacks names."""
        return self._outputs[name]
