"""Files that are made from the code and committed: written, or held to what the code says."""

from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def keep(files: Mapping[Path, str], *, check: bool, source: str, forgotten: Iterable[Path] = ()) -> int:
    """Writes what has drifted from its `source` and removes what is `forgotten`; to `check`, says so and changes
    nothing. Answers the exit code.
    """
    drifted = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    surplus = list(forgotten)
    if check:
        for path in (*drifted, *surplus):
            print(f"{path.relative_to(ROOT)} is not what {source} says; run: make docs")
        return 1 if drifted or surplus else 0
    for path in drifted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    for path in surplus:
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    return 0
