"""The doubles run for whoever has Python and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("double", ["stripe", "carrier"])
def test_a_double_needs_no_package(double: str) -> None:
    command = [sys.executable, "-S", "-E", "-m", f"tools.doubles.{double}", "--help"]

    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
