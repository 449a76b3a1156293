"""What a cold start imports: modules loaded and CPU milliseconds, each in a fresh interpreter."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.local.instance import ROOT

RUNS = 3

_PROBE = """
import sys, time
start = time.process_time()
{code}
spent = time.process_time() - start
import json
print(json.dumps({{"modules": len(sys.modules), "milliseconds": spent * 1000,
    "stripe": "stripe" in sys.modules, "boto3": "boto3" in sys.modules}}))
"""

BASELINES = {
    "bare Python": "pass",
    "boto3.client('dynamodb')": "import boto3; boto3.client('dynamodb', region_name='us-east-1')",
}


def measure() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, figures): the baselines, then every function."""
    for name, code in BASELINES.items():
        yield name, _probe(code, [])
    for handler in sorted((ROOT / "functions").glob("*/handler.py")):
        yield handler.parent.name, _probe("import handler", [handler.parent])


def _probe(code: str, folders: list[Path]) -> dict[str, Any]:
    """The figures of one import: modules of the last run, the median of the times."""
    readings = [_run(code, folders) for _ in range(RUNS)]
    median = statistics.median(reading["milliseconds"] for reading in readings)
    return {**readings[-1], "milliseconds": round(median, 1)}


def _run(code: str, folders: list[Path]) -> dict[str, Any]:
    paths = [*folders, ROOT / "layers/commerce/python", ROOT / "build/layers/local/python"]
    environment = {
        **_function_environment(),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(code=code)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{code} in {folders} does not import:\n{done.stderr}")
    reading: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reading


def _function_environment() -> dict[str, str]:
    """What a stack would set, with names that lead nowhere."""
    from tools.openapi import ENVIRONMENT

    return dict(ENVIRONMENT)


def count() -> int:
    """How many figures `measure` gives."""
    return len(BASELINES) + len(list((ROOT / "functions").glob("*/handler.py")))
