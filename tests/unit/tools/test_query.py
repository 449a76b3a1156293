"""Answers of `make query` that somebody opens in a spreadsheet."""

import csv
import io

import pytest

from tools.athena import Answer
from tools.query import harmless, show


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_looks_like_a_formula_is_text(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", [None, "", "MUG", "-5", "+3", "-1.5", "1e9", "-2.5E-3", "2026-11-26", "a=b"])
def test_numbers_and_other_text_stay_as_they_are(cell):
    assert harmless(cell) == cell


def test_a_file_for_a_spreadsheet_calculates_nothing(capsys):
    show(Answer(columns=("reason", "=x"), rows=(("=1+1", "-5"), ("two\nlines", None))))

    rows = list(csv.reader(io.StringIO(capsys.readouterr().out), "excel-tab"))
    assert rows == [["reason", "'=x"], ["'=1+1", "-5"], ["two\nlines", ""]]
