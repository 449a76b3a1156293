"""Builds the runtime layer, the functions' third-party packages, with pip and without docker.

`local` is for this machine's Python, on which the local AWS runs functions whatever the template says; `aws` is for
Lambda's Python 3.14 on arm64. A layer is stamped with the hash of its lock file, so building it again takes no time.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args

from tools.local.lock import alone
from tools.local.steps import Stop, complain, step, leave

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "layers" / "runtime" / "requirements.txt"
LAYERS = ROOT / "build" / "layers"

Platform = Literal["local", "aws"]
LAMBDA_PYTHON = "3.14"
LAMBDA_WHEELS = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in (17, 24, 26, 28, 34)))
"""Amazon Linux 2023 has glibc 2.34, so wheels for any older one run there."""

_NOT_NEEDED_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""Of a package's `.dist-info`: they differ from machine to machine, and with them the layer's hash."""


def build(platform: Platform) -> Path:
    """The folder with the layer's content (`python/…`), built if missing or if its lock file changed. Raises Stop."""
    with alone(LAYERS / f"{platform}.lock", f"building the {platform} layer"):
        folder, stamp = LAYERS / platform, LAYERS / f"{platform}.made-from"
        made_from = _made_from(platform)
        if folder.is_dir() and stamp.is_file() and stamp.read_text() == made_from:
            return folder
        with step(f"The functions' packages for {'AWS' if platform == 'aws' else 'this machine'}"):
            stamp.unlink(missing_ok=True)
            draft = LAYERS / f"{platform}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            _install(platform, draft / "python")
            _trim(draft / "python")
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
            stamp.write_text(made_from)
        return folder


def _made_from(platform: Platform) -> str:
    python = f"{sys.version} {sys.platform}" if platform == "local" else f"{LAMBDA_PYTHON} arm64"
    content = REQUIREMENTS.read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(content + python.encode()).hexdigest()


def _install(platform: Platform, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--require-hashes", "--only-binary=:all:", "--no-compile", "--target", str(target)]
    if platform == "aws":
        command += ["--implementation", "cp", "--python-version", LAMBDA_PYTHON]
        command += [f"--platform={wheels}_aarch64" for wheels in LAMBDA_WHEELS]
    done = subprocess.run(
        [*command, "-r", str(REQUIREMENTS)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise Stop(f"pip could not build the {platform} layer: {lines[-1]}")


def _trim(python: Path) -> None:
    """Leaves out what no function reads: command line scripts, examples, tests, bytecode, type stubs, pip's notes."""
    shutil.rmtree(python / "bin", ignore_errors=True)
    shutil.rmtree(python / "examples", ignore_errors=True)
    for folder in [*python.rglob("__pycache__"), *python.glob("*/tests")]:
        shutil.rmtree(folder, ignore_errors=True)
    for stub in python.rglob("*.pyi"):
        stub.unlink()
    for note in _NOT_NEEDED_FILES:
        for path in python.glob(f"*.dist-info/{note}"):
            path.unlink()


def main() -> None:
    """`python -m tools.build.layers [local] [aws]`."""
    parser = argparse.ArgumentParser(description="Build the runtime layer.")
    parser.add_argument("platforms", nargs="+", choices=get_args(Platform))
    for platform in parser.parse_args().platforms:
        build(platform)


if __name__ == "__main__":
    leave(main)
