"""A table of adjustments: read whole, told what is wrong by row and column, and never echoed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.stockroom.sheet import Sheet, read_sheet

LOCATIONS = ("main", "annex")


def sheet(text: str | bytes, most: int = 10) -> Sheet:
    return read_sheet(text if isinstance(text, bytes) else text.encode(), locations=LOCATIONS, most=most)


def faults(text: str | bytes, most: int = 10) -> list[str]:
    return [fault.path for fault in sheet(text, most).faults]


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    read = sheet("sku,location,quantity,reason\nMUG,annex,+5,delivery\n\nHAT,,-2,broken\n")

    assert [(row.row, row.sku, row.location, row.quantity, row.reason) for row in read.rows] == [
        (2, "MUG", "annex", 5, "delivery"),
        (4, "HAT", "main", -2, "broken"),
    ]
    assert read.faults == ()


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffsku;quantity;reason\nMUG;5;delivery\n",
        "Reason\tSKU \tQuantity\tnote\ndelivery\tMUG\t5\t=1+1\n",
        '"sku","quantity","reason"\r\n"MUG","5","delivery"\r\n',
    ],
    ids=["from a spreadsheet in German", "tabs, other order, another column", "quoted"],
)
def test_tables_come_in_many_dialects(text: str) -> None:
    [row] = sheet(text).rows

    assert (row.sku, row.location, row.quantity, row.reason) == ("MUG", "main", 5, "delivery")


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = "sku,location,quantity,reason\n,moon,1.5,\nMUG,main,5,ok\nMUG,main,0,ok\n"

    assert faults(text) == ["row 2, sku", "row 2, location", "row 2, quantity", "row 2, reason", "row 4, quantity"]


@pytest.mark.parametrize(
    ("cell", "good"),
    [
        *((cell, True) for cell in ("5", "-5", "+5")),
        *((cell, False) for cell in ("0", "", "1.0", "1e3", "5 pcs", "=5", "9999999999", "\u0665")),
    ],
)
def test_a_quantity_is_a_whole_number_of_units(cell: str, good: bool) -> None:
    assert faults(f"sku,quantity,reason\nMUG,{cell},ok\n") == ([] if good else ["row 2, quantity"])


def test_a_sku_is_no_longer_than_the_catalogues() -> None:
    assert faults(f"sku,quantity,reason\n{'M' * 65},1,ok\n") == ["row 2, sku"]


@pytest.mark.parametrize("reason", ["=cmd()", "+1", "-1", "@SUM(A1)", "", "x" * 201, '"two\nlines"'])
def test_a_reason_is_text_that_no_spreadsheet_calculates(reason: str) -> None:
    assert faults(f"sku,quantity,reason\nMUG,1,{reason}\n") == ["row 2, reason"]


def test_a_sku_stands_once_per_location() -> None:
    text = "sku,location,quantity,reason\nMUG,main,1,a\nMUG,annex,1,b\nMUG,,1,c\n"

    assert faults(text) == ["row 4, sku"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "row 1"),
        ("sku,quantity,reason\n", "row 1"),
        ("sku,reason\nMUG,ok\n", "row 1, quantity"),
        ("sku,sku,quantity,reason\nMUG,MUG,1,ok\n", "row 1, sku"),
        (b"sku,quantity,reason\nM\xfcG,1,ok\n", "row 1"),
        ("sku,quantity,reason\nMUG,1,ok,more\n", "row 2"),
        ('sku,quantity,reason\nMUG,1,"ok" more\n', "row 2"),
        ('sku,quantity,reason\nMUG,1,"never closed\n', "row 2"),
    ],
    ids=["nothing", "a heading alone", "no column", "a column twice", "not UTF-8", "too wide", "no CSV", "no end"],
)
def test_what_is_no_table_is_told_where_it_ends_to_be_one(text: str | bytes, path: str) -> None:
    assert faults(text) == [path]


def test_a_table_that_is_too_long_is_told_to_be_split() -> None:
    text = "sku,quantity,reason\n" + "".join(f"SKU{number},1,ok\n" for number in range(11))

    assert faults(text) == ["row 12"]


def test_faults_repeat_no_cell() -> None:
    secret = "=HYPERLINK(evil)"

    read = sheet(f"sku,location,quantity,reason\nMUG,{secret},{secret},{secret}\n")

    assert len(read.faults) == 3
    assert "evil" not in read.model_dump_json()


def test_the_same_table_has_the_same_id_and_another_one_another() -> None:
    text = "sku,quantity,reason\nMUG,1,ok\n"

    assert sheet(text).id == sheet(text).id != sheet(text.replace("1", "2")).id


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    read = sheet(b"sku,quantity,reason\n" + content)

    assert read.rows or read.faults
