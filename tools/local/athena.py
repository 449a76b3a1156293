"""Lets Athena on a laptop answer real questions, with DuckDB. Runs inside the local AWS (the launcher calls `install`).

DuckDB stands in a folder of its own, that only this process looks into: functions run in the same Python, and would
find a package beside ministack without a layer.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

_TRINO = (
    "CREATE MACRO from_iso8601_timestamp(moment) AS CAST(moment AS TIMESTAMP)",
    "CREATE MACRO approx_percentile(x, share) AS approx_quantile(x, share)",
    "CREATE MACRO sequence(low, high) AS generate_series(CAST(low AS BIGINT), CAST(high AS BIGINT))",
)
"""Functions of Athena's SQL that DuckDB lacks, as far as docs/analytics.md uses them."""

_SCALARS = {"string": "VARCHAR", "bigint": "BIGINT", "boolean": "BOOLEAN"}


def install(packages: Path, expect: Callable[[bool, str], None]) -> None:
    """Mends Athena; `expect` stops the start where it is no longer what this was written for."""
    sys.path.append(str(packages))
    import duckdb
    from ministack.services import athena

    expect(athena.get_athena_engine() == "duckdb", "its Athena has another engine")
    for name in ("_run_duckdb", "_table_relation", "_data_format", "_sql_list", "_hive_options"):
        expect(callable(getattr(athena, name, None)), f"its Athena has no {name}")
    duckdb.connect = _speaking_trino(duckdb.connect)
    athena._table_relation = _typed(athena)
    athena._run_duckdb = _plain(athena._run_duckdb)


def _speaking_trino(connect: Callable[..., Any]) -> Callable[..., Any]:
    def connected(*args: Any, **named: Any) -> Any:
        connection = connect(*args, **named)
        for macro in _TRINO:
            connection.execute(macro)
        return connection

    return connected


def _typed(athena: Any) -> Callable[[dict[str, Any], list[str]], str]:
    """Columns and types of JSON are those of the Glue table.

    Unmended, they are guessed from the rows that are there: moments become timestamps, and a question about returns
    fails until something was returned.
    """
    other = athena._table_relation

    def relation(table: dict[str, Any], files: list[str]) -> str:
        if athena._data_format(table) != "json":
            return str(other(table, files))
        glue = table["StorageDescriptor"]["Columns"]
        columns = ", ".join(f"'{column['Name']}': '{_duckdb_type(column['Type'])}'" for column in glue)
        days = athena._hive_options(athena._path_partition_keys(table, files))
        return f"read_json({athena._sql_list(files)}, format = 'newline_delimited', columns = {{{columns}}}, {days})"

    return relation


def _duckdb_type(glue: str) -> str:
    """`array<struct<sku:string>>` is `STRUCT(sku VARCHAR)[]`. Raises KeyError for a type that no table has yet."""
    if glue.startswith("array<"):
        return _duckdb_type(glue.removeprefix("array<").removesuffix(">")) + "[]"
    if glue.startswith("struct<"):
        fields = (field.split(":") for field in glue.removeprefix("struct<").removesuffix(">").split(","))
        return f"STRUCT({', '.join(f'{name} {_SCALARS[kind]}' for name, kind in fields)})"
    return _SCALARS[glue]


def _plain(run: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Answers hold text and numbers only. Unmended, one decimal in them, and Athena's state is not kept."""

    async def ran(*args: Any) -> dict[str, Any]:
        answer = await run(*args)
        return {**answer, "rows": [[_kept(value) for value in row] for row in answer["rows"]]}

    return ran


def _kept(value: object) -> object:
    return value if isinstance(value, bool | int | str | None) else str(value)
