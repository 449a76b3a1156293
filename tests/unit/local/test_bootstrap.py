import ast
import subprocess
import sys
from pathlib import Path

BOOTSTRAP = Path(__file__).resolve().parents[3] / "tools" / "bootstrap.py"


def test_a_python_that_is_too_old_gets_one_line_that_says_what_to_do():
    as_if = (
        "import runpy, sys; sys.version_info = (3, 9, 1, 'final', 0); sys.argv = ['bootstrap.py'];"
        f"runpy.run_path({str(BOOTSTRAP)!r}, run_name='__main__')"
    )

    ran = subprocess.run(
        [sys.executable, "-c", as_if], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert ran.stderr.startswith("Python 3.9 is too old")
    assert "make up PYTHON=" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_an_old_python_can_read_it_up_to_there():
    ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 7))
