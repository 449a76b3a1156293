"""Functions that answer no request and work on no queue: the workflow's tasks, readers of streams, the reconciler."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from commerce.adapters.log import fault, logger
from commerce.correlation import take_up

Answer = TypeVar("Answer")
Handler = Callable[[dict[str, Any], Any], Answer]


def correlated(work: Handler[Answer]) -> Handler[Answer]:
    """The handler: its lines and events belong to what its input names as `correlation_id`, or else to the invocation.

    Lambda logs an error that ends it, but not to what it belongs; a line of its own says that.
    """

    @functools.wraps(work)
    def handler(event: dict[str, Any], context: Any) -> Answer:
        take_up(event.get("correlation_id") or getattr(context, "aws_request_id", None))
        try:
            return work(event, context)
        except Exception as error:
            logger().error("the invocation failed", **fault(error))
            raise

    return handler
