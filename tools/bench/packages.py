"""What a function is packed as for AWS: its layers, the domain and its handler, zipped."""

import io
import shutil
import zipfile
from pathlib import Path

from stacks.functions import FUNCTIONS, FunctionSpec
from tools.build import layers
from tools.local.instance import ROOT

SMALL, LARGE = 3_000_000, 8_000_000
"""Bytes at most: of a function that neither moves money nor knows a buyer, and of the checkout's."""
DOMAIN = ROOT / "layers/commerce/python"


def most(spec: FunctionSpec) -> int:
    """The budget of a function."""
    return SMALL if spec.layers == ("base",) else LARGE


def measure(platform: layers.Platform = "aws") -> dict[str, dict[str, int]]:
    """Bytes by function and part: `handler`, `commerce`, and each layer of packages; `total` is their sum."""
    built = layers.build(platform)
    shared = {"commerce": zipped(DOMAIN)}
    figures = {}
    for name, spec in FUNCTIONS.items():
        for layer in spec.layers:
            if layer not in shared:
                shared[layer] = zipped(built / layer)
        beside = (zipped(ROOT / path) for path in spec.beside)
        parts = {"handler": zipped(ROOT / "functions" / name) + sum(beside)}
        parts |= {part: shared[part] for part in ("commerce", *spec.layers)}
        figures[name] = {**parts, "total": sum(parts.values())}
    return figures


def zipped(path: Path) -> int:
    """Bytes of the file, or of the folder's files, once they are zipped. Bytecode is left out, as it is on AWS."""
    packed = io.BytesIO()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                with file.open("rb") as content, archive.open(str(file.relative_to(path.parent)), "w") as entry:
                    shutil.copyfileobj(content, entry)
    return packed.tell()
