"""Servers of a test's own on this machine, each on a port that nobody else has."""

import socket
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.demo.watch import NotSeen, until
from tools.local.instance import HOST

Process = subprocess.Popen[bytes]
ATTEMPTS = 5


def served(
    start: Callable[[int], Process], answers: Callable[[int], bool], *, log: Path, port: int = 0
) -> tuple[Process, int]:
    """What `start` starts on this port, or on a free one, once it `answers`; and its port.

    Between the moment when a port is found free and the server's start somebody else may take it. Then the server ends
    at once, and another port is tried.
    """
    for _ in range(1 if port else ATTEMPTS):
        tried = port or _free_port()
        process = start(tried)
        if _stands(process, partial(answers, tried)):
            return process, tried
    raise AssertionError(f"it ended with {process.returncode} before it answered: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port


def _stands(process: Process, answers: Callable[[], bool]) -> bool:
    """Whether the server answers; it does not where it ends before."""
    try:
        until("the server's answer", lambda: process.poll() is not None or answers(), pause=0.02)
    except NotSeen:
        process.kill()
        raise
    return process.poll() is None
