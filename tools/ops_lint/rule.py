"""What a rule is."""

from collections.abc import Callable
from dataclasses import dataclass

from stacks.config import ENVIRONMENTS
from tools.ops_lint.template import Resource

EVERYWHERE = frozenset(ENVIRONMENTS)
ON_AWS = frozenset({"dev", "prod"})
KEPT = frozenset({"prod"})
"""Where `keep_data` is set."""


@dataclass(frozen=True)
class Rule:
    """`holds` answers whether a resource of one of these types is as it should be.

    `what` is a sentence about the resource that is true where the rule holds; `why` says what goes wrong otherwise.
    """

    id: str
    what: str
    why: str
    types: tuple[str, ...]
    holds: Callable[[Resource], bool]
    environments: frozenset[str] = EVERYWHERE
