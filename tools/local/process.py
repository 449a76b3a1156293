"""Processes that outlive the command that started them: found again by pid and start time, stopped gently."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.local.instance import HOST, ROOT, Instance
from tools.local.steps import Stop

PATIENCE = 60
"""Seconds that a process may take to begin, or to write its state down and end."""


@dataclass(frozen=True)
class Process:
    """A named process of an instance, on the port of the same name."""

    instance: Instance
    name: str
    title: str

    @property
    def _file(self) -> Path:
        return self.instance.folder / f"{self.name}.pid"

    @property
    def _known(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return known

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.instance.ports[self.name]

    @property
    def pid(self) -> int | None:
        """Its id while it runs. What a crash left behind, or another process under a reused id, counts as none."""
        known = self._known
        started = _started(known["pid"]) if known else None
        if started is None or started != known["started"]:
            return None
        pid: int = known["pid"]
        return pid

    def claim_port(self) -> None:
        """Raises Stop where somebody else listens on the port."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except PermissionError:
                raise Stop(
                    f"Port {self.port} for {self.title} may not be opened by you; "
                    f"choose another: {self.instance.variable(self.name)}={self.port + 10_000} {self._again}"
                ) from None
            except OSError:
                raise Stop(
                    f"Port {self.port} for {self.title} is taken{_holder(self.port)}. End that, "
                    f"or choose another port: {self.instance.variable(self.name)}={self.port + 1000} {self._again}"
                ) from None

    @property
    def _again(self) -> str:
        return self.instance.command("up")

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        ready: Callable[[], bool],
        sources: Sequence[Path] = (),
    ) -> None:
        """Starts it and waits until it is `ready`. One that runs from other sources, or otherwise, is stopped first.

        Raises Stop where it ends or is never ready.
        """
        made_from = _digest(command, environment, sources)
        if self.pid is not None and self._known.get("made_from") != made_from:
            self.stop()
        if self.pid is None:
            self.claim_port()
            log = self.instance.log(self.name)
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as output:
                child = subprocess.Popen(
                    list(command),
                    cwd=ROOT,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            known = {"pid": child.pid, "started": _started(child.pid), "made_from": made_from}
            self._file.write_text(json.dumps(known))
        self._await(ready)

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self.pid is None:
                raise Stop(f"{self.title} ended at once: {_last_line(self.instance.log(self.name))}")
            if time.monotonic() > deadline:
                raise Stop(f"{self.title} does not answer after {PATIENCE} s; see {self.instance.log(self.name)}")
            time.sleep(0.05)

    def stop(self) -> bool:
        """Asks it to end and waits, so that it can write down its state. False if it did not run."""
        pid = self.pid
        if pid is None:
            self._file.unlink(missing_ok=True)
            return False
        _send(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while self.pid is not None:
            if time.monotonic() > deadline:
                raise Stop(f"{self.title} (process {pid}) does not end; see {self.instance.log(self.name)}")
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            time.sleep(0.05)
        self._file.unlink(missing_ok=True)
        return True

    def save(self) -> None:
        """Asks it to write its state down now. Only for a process that knows the signal."""
        if self.pid is not None:
            _send(self.pid, signal.SIGUSR1)

    def kill(self) -> None:
        """Ends it with all that it started, whatever it is doing: its state is not wanted any more."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self._file.unlink(missing_ok=True)


def _digest(command: Sequence[str], environment: Mapping[str, str], sources: Sequence[Path]) -> str:
    """Stands for everything that a running process was made from."""
    total = hashlib.sha256(repr((command, sorted(environment.items()))).encode())
    for source in sources:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            total.update(path.read_bytes())
    return total.hexdigest()


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _started(pid: int) -> str | None:
    """When the process was started, in whatever the system counts; None if it does not run (any more)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None


def _holder(port: int) -> str:
    """Who listens on the port, as far as this user may know: ` by name (process 123)`."""
    try:
        listening = {
            fields[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if (fields := line.split())[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
        }
    except OSError:
        return ""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            sockets = {os.readlink(entry) for entry in (folder / "fd").iterdir() if entry.is_symlink()}
            if any(f"socket:[{inode}]" in sockets for inode in listening):
                words = (folder / "cmdline").read_text().split("\0")
                return f" by {Path(words[0]).name} {' '.join(words[1:3])} (process {folder.name})"
    return ""


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"it said nothing ({log})"
