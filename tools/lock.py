"""`make lock`: resolves what requirements/*.in, the runtime layer and package.json ask for, and locks it with hashes.

Locked versions stay as long as they fit (`--upgrade` takes the newest). No index, no host, no folder of this machine
gets into a lock file.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from tools.local.steps import Stop, leave, step

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (
    ROOT / "layers" / "runtime" / "requirements.txt",
    ROOT / "requirements" / "ministack.txt",
    ROOT / "requirements" / "athena.txt",
    ROOT / "requirements" / "audit.txt",
    ROOT / "requirements" / "dev.txt",
)
"""In this order: the developer's environment takes the functions' packages at the versions of the first."""

FOREIGN = re.compile(r"://|--(extra-)?index-url|--find-links|--trusted-host|^\s*-e |\"resolved\"| @ ", re.MULTILINE)
"""What would tie a lock file to one machine or one registry."""


def main() -> None:
    """Locks everything."""
    parser = argparse.ArgumentParser(prog="make lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    for lock in LOCKS:
        with step(str(lock.relative_to(ROOT))):
            _lock(lock, upgrade)
    with step("package-lock.json"):
        npm = (ROOT / ".venv" / "bin" / "node").resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
        _run(["node", str(npm), "install", "--package-lock-only"], ROOT, {"NODE_USE_SYSTEM_CA": "1"})
    for lock in (*LOCKS, ROOT / "package-lock.json"):
        if found := FOREIGN.search(lock.read_text()):
            raise Stop(f"{lock.relative_to(ROOT)} names a place that other machines lack: {found[0]!r}")


def _lock(lock: Path, upgrade: list[str]) -> None:
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe"]
    command += ["--strip-extras", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", *upgrade]
    command += ["--output-file", lock.name, lock.with_suffix(".in").name]
    _run(command, lock.parent, {"CUSTOM_COMPILE_COMMAND": "make lock"})


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise Stop(f"{Path(command[0]).name} failed: {lines[-1]}")


if __name__ == "__main__":
    leave(main)
