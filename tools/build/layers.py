"""Builds the functions' third-party packages, with pip and without docker, as layers of what is loaded together.

`local` is for this machine's Python, on which the local AWS runs functions whatever the template says; `aws` is for
Lambda's Python 3.14 on arm64. What was built is stamped with the hash of its lock file, so building it again takes no
time.
"""

import argparse
import hashlib
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args

from stacks.functions import Layer
from tools.local.lock import alone
from tools.local.steps import Stop, leave, step

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "layers" / "runtime" / "requirements.txt"
LAYERS = ROOT / "build" / "layers"

Platform = Literal["local", "aws"]
LAMBDA_PYTHON = "3.14"
LAMBDA_WHEELS = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in (17, 24, 26, 28, 34)))
"""Amazon Linux 2023 has glibc 2.34, so wheels for any older one run there."""

PACKAGES: dict[Layer, tuple[str, ...]] = {
    "identity": ("cryptography", "_cffi_backend", "jwt"),
    "payment": ("stripe",),
    "carrier": ("easypost", "requests", "charset_normalizer", "certifi", "idna"),
    "letters": ("jinja2", "markupsafe"),
}
"""What only some functions load. Everything else is the layer `base`."""

_NOT_NEEDED = (
    "bin",
    "examples",
    "*/tests",
    "*.dist-info",
    # Lambda's runtime brings boto3 and what it stands on.
    "jmespath",
    "urllib3",
    # cryptography is compiled: it needs their backend alone.
    "cffi",
    "pycparser",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_jt]*",
    "pydantic/v1",
    # Types of parameters, for type checkers; and what the other of Stripe's two APIs tells.
    "stripe/params",
    "stripe/events",
)
"""What no function reads."""


def build(platform: Platform) -> Path:
    """The folder with the layers (`<layer>/python/…`), built if missing or if the lock file changed. Raises Stop."""
    with alone(LAYERS / f"{platform}.lock", f"building the {platform} layer"):
        folder, stamp = LAYERS / platform, LAYERS / f"{platform}.made-from"
        made_from = _made_from(platform)
        if folder.is_dir() and stamp.is_file() and stamp.read_text() == made_from:
            return folder
        with step(f"The functions' packages for {'AWS' if platform == 'aws' else 'this machine'}"):
            stamp.unlink(missing_ok=True)
            draft = LAYERS / f"{platform}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            _install(platform, draft / "base" / "python")
            _trim(draft / "base" / "python")
            _sort(draft)
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
    """Leaves out what no function reads, bytecode and type stubs, and of compiled code what no function runs."""
    unread = [path for pattern in (*_NOT_NEEDED, "**/__pycache__") for path in python.glob(pattern)]
    for folder in unread:
        shutil.rmtree(folder, ignore_errors=True)
    for stub in python.rglob("*.pyi"):
        stub.unlink()
    for library in python.rglob("*.so"):
        _strip(library)


def _strip(library: Path) -> None:
    """Cuts a shared library off behind the last part that is ever loaded: what follows names symbols for debuggers.

    The table of sections goes, too; loaders read that of segments. Source: the ELF header and program headers in
    elf(5). What is no 64-bit ELF file stays as it is.
    """
    content = bytearray(library.read_bytes())
    if not content.startswith(b"\x7fELF\x02\x01"):
        return
    [table] = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    segments = (struct.unpack_from("<8xQ16xQ", content, table + number * size) for number in range(count))
    del content[max(offset + length for offset, length in segments) :]
    struct.pack_into("<Q", content, 40, 0)
    struct.pack_into("<HH", content, 60, 0, 0)
    library.write_bytes(content)


def _sort(folder: Path) -> None:
    """Moves each package to its layer."""
    for layer, packages in PACKAGES.items():
        (folder / layer / "python").mkdir(parents=True)
        for package in packages:
            for path in (folder / "base" / "python").glob(f"{package}*"):
                path.rename(folder / layer / "python" / path.name)


def main() -> None:
    """`python -m tools.build.layers [local] [aws]`."""
    parser = argparse.ArgumentParser(description="Build the functions' layers.")
    parser.add_argument("platforms", nargs="+", choices=get_args(Platform))
    for platform in parser.parse_args().platforms:
        build(platform)


if __name__ == "__main__":
    leave(main)
