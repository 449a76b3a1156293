"""Reading tables: lines are told right, and nothing is read as a float."""

from pathlib import Path

import pytest

from tools.importer import mapping, tables


def csv(folder: Path, content: bytes) -> list[tables.Row]:
    (folder / "t.csv").write_bytes(content)
    return tables.read(folder / "t.csv", "csv")


def test_a_row_is_found_on_the_line_where_it_begins(tmp_path: Path) -> None:
    rows = csv(tmp_path, b'a,b\n1,"two\nlines"\n\n3,4\n')
    assert [(row.line, row.cells["a"]) for row in rows] == [(2, "1"), (5, "3")]


def test_a_byte_order_mark_and_semicolons_are_read(tmp_path: Path) -> None:
    assert csv(tmp_path, b"\xef\xbb\xbfHandle;Price\nmug;1,5\n")[0].cells == {"Handle": "mug", "Price": "1,5"}


def test_a_short_row_lacks_its_last_cells(tmp_path: Path) -> None:
    assert csv(tmp_path, b"a,b,c\n1\n")[0].cells == {"a": "1"}


def test_another_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(tables.TableError, match="UTF-8"):
        csv(tmp_path, "Handle\ncafé\n".encode("cp1252"))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(tables.TableError, match="no file"):
        tables.read(tmp_path / "none.csv", "csv")


def test_yaml_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("- price: 19.90\n  big: 1e3\n  none:\n  many: [a, b]\n- price: 007\n")
    first, second = tables.read(tmp_path / "t.yaml", "yaml")
    assert first.cells == {"price": "19.90", "big": "1e3", "none": "", "many": "a, b"}
    assert (second.line, second.cells["price"]) == (5, "007")


@pytest.mark.parametrize("content", ["a: 1", "[", ""])
def test_yaml_that_is_no_list_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.yaml").write_text(content)
    with pytest.raises(tables.TableError):
        tables.read(tmp_path / "t.yaml", "yaml")


@pytest.mark.parametrize("content", ["format = 'csv'", "not toml", ""])
def test_a_wrong_mapping_is_told_with_its_place(tmp_path: Path, content: str) -> None:
    (tmp_path / "m.toml").write_text(content)
    with pytest.raises(mapping.MappingError, match=r"m\.toml"):
        mapping.load(tmp_path / "m.toml")


@pytest.mark.parametrize("path", sorted(mapping.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_mapping_that_comes_along_is_valid(path: Path) -> None:
    assert mapping.load(path).group
