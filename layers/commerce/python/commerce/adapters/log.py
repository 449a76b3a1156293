"""The logger of functions that are silent while all is well: Powertools is loaded for their first word."""

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@functools.cache
def logger() -> "Logger":
    """Powertools' logger."""
    from aws_lambda_powertools import Logger

    return Logger()
