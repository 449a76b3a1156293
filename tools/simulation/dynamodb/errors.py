"""Refusals as boto3 raises them."""

from typing import Any

from botocore.exceptions import ClientError

CONDITION_FAILED = "ConditionalCheckFailedException"


def refused(code: str, message: str, **more: Any) -> ClientError:
    """The error of `code`, as botocore reads it from the answer."""
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0},
        **more,
    }
    return ClientError(answer, "DynamoDB")


def invalid(message: str) -> ClientError:
    """The request itself is wrong."""
    return refused("ValidationException", message)


def condition_failed(item: dict[str, Any] | None = None) -> ClientError:
    """The condition of a single write does not hold; with the item, where the caller asked for it."""
    more = {"Item": item} if item else {}
    return refused(CONDITION_FAILED, "The conditional request failed", **more)


def conflict() -> ClientError:
    """A transaction under way holds the item of a single write."""
    return refused("TransactionConflictException", "Transaction is ongoing for the item")


def throttled() -> ClientError:
    """The partition's units of this second are used up."""
    return refused(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API.",
    )


def canceled(reasons: list[dict[str, Any]]) -> ClientError:
    """A transaction that changed nothing, with a reason per action."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return refused(
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        f"[{codes}]",
        Message=f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )
