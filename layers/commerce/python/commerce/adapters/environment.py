"""What the template tells a function through environment variables."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commerce.settings import Settings


def require(name: str) -> str:
    """The variable's value. A missing one is a mistake in the stack, found when the function starts."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"the function's environment lacks {name}; its stack must set it")
    return value


@functools.cache
def settings() -> Settings:
    """The shop's rules, as the stack wrote them into `SETTINGS`. Loads pydantic when first asked for."""
    from commerce.settings import Settings

    return Settings.model_validate_json(require("SETTINGS"))
