"""Tables as rows of text, each with the line of the file on which it begins. No number is ever read as a float."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

csv.field_size_limit(10_000_000)


class TableError(Exception):
    """The file cannot be read as the table that it should be."""


@dataclass(frozen=True)
class Row:
    """One row. `cells` by column name."""

    line: int
    cells: dict[str, str]


def read(path: Path, table_format: str) -> list[Row]:
    """All rows. Raises TableError."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise TableError(f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path} is not in UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    return list(_csv(content) if table_format == "csv" else _yaml(content, path))


def _csv(content: str) -> Iterator[Row]:
    """Comma, semicolon or tab, whichever the heading has most of. A cell may hold line breaks."""
    heading = content.partition("\n")[0]
    reader = csv.reader(StringIO(content, newline=""), delimiter=max(",;\t", key=heading.count))
    names = [name.strip() for name in next(reader, [])]
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield Row(line, dict(zip(names, cells, strict=False)))
        line = reader.line_num + 1


def _yaml(content: str, path: Path) -> Iterator[Row]:
    """A list of mappings. Scalars stay as they are written, lists are joined with commas."""
    try:
        root = yaml.compose(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise TableError(f"{path} is not YAML: {error}") from None
    if not isinstance(root, yaml.SequenceNode):
        raise TableError(f"{path} holds no list of products")
    for node in root.value:
        if isinstance(node, yaml.MappingNode):
            yield Row(node.start_mark.line + 1, {key.value: _scalar(value) for key, value in node.value})


def _scalar(node: Any) -> str:
    if isinstance(node, yaml.ScalarNode):
        return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return ", ".join(_scalar(one) for one in node.value)
    return ""
