"""`make test`: style, types, imports, then all tests; those that need a shop get one of their own, new and empty.

What takes a processor for minutes runs beside the tests: mypy, and the campaign of the simulation at the lowest
priority, since tests of the deployed shop leave a processor idle.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from tools.local import shop
from tools.local.instance import HOST, ROOT, Instance
from tools.local.steps import Stop, complain, leave, say

CHECKS = (("ruff", "check"), ("lint-imports",))
TYPES = f"{ROOT}/.venv/bin/mypy"
CAMPAIGN = ("-m", "tools.simulation", "--schedules", "20000", "--fresh", "--report", "build/test-campaign.json")
LAST_LINES = 40
"""Of what ran beside: as much as somebody reads."""
WITHOUT_A_SHOP = ("tests/unit", "tests/infrastructure", "tests/integration", "tests/simulation")
WITH_A_SHOP = ("tests/e2e",)


def main() -> int:
    """Runs everything, and goes on after a failure, so that one run tells all. Answers the exit code."""
    with (
        _beside("campaign", "nice", "-n", "19", sys.executable, *CAMPAIGN) as campaign_failed,
        _beside("mypy", TYPES) as types_failed,
    ):
        failed = [" ".join(check) for check in CHECKS if not _run([f"{ROOT}/.venv/bin/{check[0]}", *check[1:]])]
        failed += _pytest(WITHOUT_A_SHOP, "-n", "2", "--dist", "loadscope")
        failed += types_failed()
        failed += _with_a_shop()
        failed += campaign_failed()
    if failed:
        complain(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def _with_a_shop() -> list[str]:
    """What failed of the tests over HTTP."""
    try:
        _find_ports(Instance("test"))
        instance = Instance("test")  # another one: which ports there are is looked up once
        shop.reset(instance)
        try:
            shop.up(instance)
            return _pytest(WITH_A_SHOP)
        finally:
            shop.down(instance)
    except Stop as why:
        complain(str(why))
        return ["the shop of the tests"]


@contextmanager
def _beside(name: str, *command: str) -> Iterator[Callable[[], list[str]]]:
    """Runs on while other things do, and no longer. Yields what waits for its end, and answers the name if it failed.

    In a group of its own, which can be ended whole, but in this session: priorities count within a session only.
    """
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, cwd=ROOT, stdout=told, stderr=subprocess.STDOUT, process_group=0)
        try:
            yield lambda: _ended(name, process, told)
        finally:
            with suppress(ProcessLookupError):  # it came to its end
                os.killpg(process.pid, signal.SIGKILL)


def _ended(name: str, process: subprocess.Popen[bytes], told: TextIO) -> list[str]:
    say(f"\n  {name}")
    failed = process.wait() != 0
    told.seek(0)
    say("".join(told.readlines()[-LAST_LINES:]))
    return [name] if failed else []


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
