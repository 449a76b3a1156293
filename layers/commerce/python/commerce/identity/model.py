"""Callers and staff groups."""

from typing import Literal, get_args

from pydantic import Field

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


KEYS_KEPT = 4
"""Keys that no longer sign and are still believed. Rotated every 90 days, what was signed holds for 360 at least."""


class KeyRing(Model):
    """The shop's signing keys. `key` signs; all of them are believed.

    The `next` one is known long before it signs: else a function that has read the ring would refuse, for as long as it
    keeps it, what another one signs that has read it since.
    """

    key: str = Field(min_length=1)
    next: str | None = None
    previous: tuple[str, ...] = ()
    """The latest first."""

    @property
    def believed(self) -> tuple[str, ...]:
        """Every key whose signatures hold, the likeliest first."""
        return (self.key, *self.previous, *((self.next,) if self.next else ()))

    def rotated(self, fresh: str) -> "KeyRing":
        """The ring after a rotation: the next key signs, and `fresh` is the one after it."""
        if self.next is None:
            return self.model_copy(update={"next": fresh})
        return KeyRing(key=self.next, next=fresh, previous=(self.key, *self.previous)[:KEYS_KEPT])


GUEST = Caller()
