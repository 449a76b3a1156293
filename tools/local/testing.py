"""`make test`: style, types, imports, then all tests; those that need a shop get one of their own, new and empty.

What takes a processor for minutes runs beside the tests: mypy, and the campaign of the simulation at the lowest
priority, since tests of the deployed shop leave a processor idle.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tools.local import shop
from tools.local.instance import HOST, ROOT, Instance
from tools.local.steps import complain, leave, say

CHECKS = (("ruff", "check"), ("lint-imports",))
TYPES = f"{ROOT}/.venv/bin/mypy"
CAMPAIGN = ("-m", "tools.simulation", "--schedules", "20000", "--fresh", "--report", "build/test-campaign.json")
WITHOUT_A_SHOP = ("tests/unit", "tests/infrastructure", "tests/integration", "tests/simulation")
WITH_A_SHOP = ("tests/e2e",)


def main() -> int:
    """Runs everything, and goes on after a failure, so that one run tells all. Answers the exit code."""
    with _beside("nice", "-n", "19", sys.executable, *CAMPAIGN) as campaign, _beside(TYPES) as types:
        failed = [" ".join(check) for check in CHECKS if not _run([f"{ROOT}/.venv/bin/{check[0]}", *check[1:]])]
        failed += _pytest(WITHOUT_A_SHOP, "-n", "2", "--dist", "loadscope")
        failed += _ended(types, "mypy")
        failed += _with_a_shop()
        failed += _ended(campaign, "campaign")
    if failed:
        complain(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def _with_a_shop() -> list[str]:
    """What failed of the tests over HTTP."""
    instance = Instance("test")
    _find_ports(instance)
    shop.reset(instance)
    try:
        shop.up(instance)
        return _pytest(WITH_A_SHOP)
    finally:
        shop.down(instance)


@contextmanager
def _beside(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Runs on while other things do, and no longer.

    In a group of its own, which can be ended whole, but in this session: priorities count within a session only.
    """
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, process_group=0)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it came to its end
            os.killpg(process.pid, signal.SIGKILL)


def _ended(process: subprocess.Popen[str], name: str) -> list[str]:
    """Waits for what ran beside, says what it said, and answers its name if it failed."""
    say(f"\n  {name}")
    told, complained = process.communicate()
    say(told)
    if process.returncode:
        complain(complained)
    return [name] if process.returncode else []


def _pytest(paths: tuple[str, ...], *options: str) -> list[str]:
    """The paths, where pytest was not content with them."""
    say(f"\n  pytest {' '.join(paths)}")
    command = [sys.executable, "-m", "pytest", *paths, *options]
    return [] if _run(command) else ["pytest " + " ".join(paths)]


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
    leave(main)
