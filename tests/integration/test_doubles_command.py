"""The doubles as processes: started, killed, started again."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders.doubles import client, control

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(name: str, *options: str) -> Iterator[Any]:
    """The double as `make up` starts it, on a free port; gives its address and its process."""
    command = [sys.executable, "-m", f"tools.doubles.{name}", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline().strip()
            assert line.startswith(f"{name} double on http://127.0.0.1:")
            yield SimpleNamespace(url=line.split()[-1], process=process)
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["stripe", "carrier"])
def test_it_ends_when_it_is_told_to(name: str) -> None:
    with running(name) as double:
        assert control(double, "summary")["requests"] == {}
        double.process.terminate()
        assert double.process.wait(timeout=30) == 0


@pytest.mark.parametrize("name", ["stripe", "carrier"])
def test_a_taken_port_is_told_in_one_line(name: str) -> None:
    with running(name) as double:
        port = double.url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", f"tools.doubles.{name}", "--port", port]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    [line] = second.stderr.splitlines()
    assert "--port" in line


def test_money_survives_a_kill(tmp_path: Path) -> None:
    state = str(tmp_path / "stripe.sqlite")
    with running("stripe", "--state", state) as double:
        api = client(double)
        intent = api.v1.payment_intents.create({"amount": 2000, "currency": "usd", "capture_method": "manual"})
        api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        double.process.kill()
        double.process.wait(timeout=30)
    with running("stripe", "--state", state) as double:
        assert client(double).v1.payment_intents.capture(intent.id).amount_received == 2000
