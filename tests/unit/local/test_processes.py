import json
import os
import socket
import subprocess
import sys

import pytest

from tools.local.instance import HOST, Instance
from tools.local.process import Process
from tools.local.steps import Stop

WAITS = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("up", flush=True)
signal.pause()
"""


@pytest.fixture
def process(tmp_path, monkeypatch):
    """A process of a shop whose folder and port are its own."""
    monkeypatch.setattr("tools.local.instance.ROOT", tmp_path)
    with socket.socket() as any_port:
        any_port.bind((HOST, 0))
        monkeypatch.setenv("TRADEPOST_PORT", str(any_port.getsockname()[1]))
    made = Process(Instance(), "front", "the shop's address")
    made.instance.keep_ports()
    yield made
    made.kill()


def start(process, program=WAITS, sources=()):
    log = process.instance.log("front")

    def ready():
        return log.exists() and "up" in log.read_text()

    process.start([sys.executable, "-c", program], os.environ, ready, sources)


def test_a_process_is_found_again_by_a_later_command(process):
    start(process)

    assert Process(process.instance, "front", "").pid == process.pid


def test_starting_it_twice_starts_it_once(process):
    start(process)
    first = process.pid
    start(process)

    assert process.pid == first


def test_it_is_asked_to_end_and_waited_for(process):
    start(process)

    assert process.stop()
    assert process.pid is None
    assert not process.stop()


def test_an_id_that_belongs_to_another_process_by_now_counts_as_none(process):
    (process.instance.folder / "front.pid").write_text(json.dumps({"pid": os.getpid(), "started": "long ago"}))

    assert process.pid is None


def test_a_process_that_had_ended_before_anybody_looked_counts_as_none(process):
    with subprocess.Popen(["true"]) as ended:
        pass
    (process.instance.folder / "front.pid").write_text(json.dumps({"pid": ended.pid, "started": None}))

    assert process.pid is None


def test_a_pid_file_that_was_cut_short_counts_as_none(process):
    (process.instance.folder / "front.pid").write_text('{"pid": 1')

    assert process.pid is None


def test_a_taken_port_is_named_with_its_holder_and_the_variable_that_changes_it(process):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, process.port))
        other.listen()
        with pytest.raises(Stop) as stop:
            start(process)

    line = str(stop.value)
    assert f"Port {process.port} for the shop's address is taken" in line
    assert "TRADEPOST_PORT=" in line and "make up" in line
    assert "\n" not in line


def test_a_process_that_ends_at_once_is_told_with_its_last_words(process):
    with pytest.raises(Stop, match="there is no such moon"):
        start(process, "import sys; sys.exit('there is no such moon')")


def test_a_process_whose_sources_changed_is_started_anew(process, tmp_path):
    source = tmp_path / "source.py"
    source.write_text("one")
    start(process, sources=[source])
    first = process.pid

    source.write_text("two")
    start(process, sources=[source])

    assert process.pid not in (None, first)
