"""How long what is written stays: days of logs, and data whose stack goes."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks.config import Config

_NAMED = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    3653: "TEN_YEARS",
}


def retention(days: int) -> logs.RetentionDays:
    """CloudWatch keeps logs for these numbers of days and no others (`stacks.config.LogRetentionDays`)."""
    return logs.RetentionDays[_NAMED[days]]


def removal(config: Config) -> RemovalPolicy:
    """Data outlive their stack where the environment keeps them.

    But what a first deployment made before it failed goes with it: the next try would find its name taken.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if config.keep_data else RemovalPolicy.DESTROY


def removal_of_protected(config: Config) -> RemovalPolicy:
    """The same for what is protected from deletion: it would not go, and hold up the way back from a failed try."""
    return RemovalPolicy.RETAIN if config.keep_data else RemovalPolicy.DESTROY
