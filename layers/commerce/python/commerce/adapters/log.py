"""The logger of all functions. Powertools is loaded for the first word of those that are silent while all is well."""

import functools
import traceback
from typing import TYPE_CHECKING, Any

from commerce import correlation

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


def logger() -> "Logger":
    """Powertools' logger. Every line names what it belongs to as `correlation_id`."""
    made = _made()
    made.set_correlation_id(correlation.current())
    return made


@functools.cache
def _made() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger()


def fault(error: Exception) -> dict[str, Any]:
    """An error as a line of the log has it: where it went wrong, but not with which values, since the text of an error
    can quote personal data.
    """
    return {
        "error": type(error).__name__,
        "code": getattr(error, "code", None),
        "places": [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)],
    }
