import json
import re
from pathlib import Path

import pytest

from tools.lock import FOREIGN, LOCKS

ROOT = Path(__file__).resolve().parents[3]
LAYER = ROOT / "layers" / "runtime" / "requirements.txt"


def versions(lock):
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", [*LOCKS, ROOT / "package-lock.json"], ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_file_names_no_registry_and_no_folder_of_a_machine(lock):
    assert FOREIGN.search(lock.read_text()) is None


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_locked_package_has_one_version_and_hashes(lock):
    packages = re.split(r"\n(?=[a-zA-Z])", re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE).strip())

    assert packages
    for package in packages:
        assert re.match(r"[\w.-]+==\S+( ; .+)? \\\n\s+--hash=sha256:[0-9a-f]{64}", package), package.splitlines()[0]


def test_functions_run_with_the_versions_that_are_tested():
    layer, tested = versions(LOCKS[0]), versions(LOCKS[-1])

    assert layer == {name: tested[name] for name in layer}


def test_the_local_aws_stands_alone():
    shared = versions(LAYER).keys() & versions(ROOT / "requirements" / "ministack.txt").keys()

    assert shared <= {"jmespath", "urllib3"}, "functions would find these without their layer"


def test_npm_packages_are_locked_by_content():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert all("integrity" in package for name, package in packages.items() if name)
