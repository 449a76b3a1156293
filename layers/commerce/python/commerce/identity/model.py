"""Callers and staff groups."""

from typing import Literal, get_args

from commerce.model import Model

Group = Literal["catalogue", "warehouse", "support", "admin"]
GROUPS: tuple[Group, ...] = get_args(Group)

TOKEN_USES = ("access", "id")
"""What a token that speaks for somebody is for, as its `token_use` says. API Gateway does not look at it."""


class Caller(Model):
    """Who sends a request. A guest has no `subject`; staff have groups."""

    subject: str | None = None
    groups: frozenset[str] = frozenset()

    def belongs_to(self, *groups: Group) -> bool:
        """Whether the caller is in one of `groups`; an admin is in all of them."""
        return not self.groups.isdisjoint({*groups, "admin"})

    def may_touch(self, owner: str | None) -> bool:
        """A guest's thing is open to whoever knows its unguessable id; a customer's only to that customer."""
        return owner is None or owner == self.subject


GUEST = Caller()
