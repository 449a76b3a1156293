"""`make test`: style, types, imports, then all tests; those that need a shop get one of their own, new and empty."""

import os
import socket
import subprocess
import sys

from tools.local import shop
from tools.local.instance import HOST, ROOT, Instance
from tools.local.steps import Stop, complain, say

CHECKS = (("ruff", "check"), ("lint-imports",))
TYPES = "mypy"
"""Takes one processor for a minute or two where it has not run before: it runs beside the tests."""
WITHOUT_A_SHOP = ("tests/unit", "tests/infrastructure", "tests/integration", "tests/simulation")
WITH_A_SHOP = ("tests/e2e",)


def main() -> int:
    """Runs everything, and goes on after a failure, so that one run tells all. Answers the exit code."""
    failed = [" ".join(check) for check in CHECKS if not _run([f"{ROOT}/.venv/bin/{check[0]}", *check[1:]])]
    command = [f"{ROOT}/.venv/bin/{TYPES}"]
    types = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    failed += _pytest(WITHOUT_A_SHOP, "-n", "2", "--dist", "loadscope")
    say(f"\n  {TYPES}\n{types.communicate()[0]}")
    failed += [TYPES] if types.returncode else []
    instance = Instance("test")
    _find_ports(instance)
    shop.reset(instance)
    try:
        shop.up(instance)
        failed += _pytest(WITH_A_SHOP)
    finally:
        shop.down(instance)
    if failed:
        complain(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def _pytest(folders: tuple[str, ...], *options: str) -> list[str]:
    """The folders, where pytest was not content with them."""
    there = [folder for folder in folders if any((ROOT / folder).rglob("test_*.py"))]
    say(f"\n  pytest {' '.join(there)}")
    command = [sys.executable, "-m", "pytest", *there, *options]
    return [] if _run(command) else ["pytest " + " ".join(there)]


def _run(command: list[str]) -> bool:
    environment = os.environ | {"TRADEPOST_INSTANCE": "test"}
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _find_ports(instance: Instance) -> None:
    """Another checkout may be testing on this machine: where a port is taken, any free one will do."""
    running = shop.processes(instance)
    for name, process in running.items():
        if process.pid is None and not _free(process.port):
            with socket.socket() as any_port:
                any_port.bind((HOST, 0))
                os.environ[instance.variable(name)] = str(any_port.getsockname()[1])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as failure:
        complain(str(failure))
        sys.exit(1)
    except KeyboardInterrupt:
        complain("\nInterrupted.")
        sys.exit(130)
