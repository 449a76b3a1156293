"""A copy of the shop's sources with one change, beside the real ones: hard links, so that it costs nothing."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.local.instance import ROOT
from tools.mutants.catalogue import Mutant

FOLDERS = ("layers/commerce", "functions", "stacks", "statemachines", "config", "emails", "tools")
JUDGED = (*FOLDERS[:-1], "tools/simulation", "tools/doubles")
"""What a verdict depends on: the shop, and what plays it."""


def digest() -> str:
    """Of all sources that a verdict depends on."""
    sums = hashlib.sha256()
    for path in sorted(path for name in JUDGED for path in (ROOT / name).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            sums.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return sums.hexdigest()[:16]


@contextmanager
def overlay(mutant: Mutant, folder: Path) -> Iterator[Path]:
    """The folder, filled with the mutated sources and emptied afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, copy_function=os.link)
    try:
        _plant(mutant, folder / mutant.file)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _plant(mutant: Mutant, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.before) != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} does not hold the text exactly once")
    path.unlink()  # the link, not the source behind it
    path.write_text(text.replace(mutant.before, mutant.after), encoding="utf-8")
