"""Personal data is stored sealed: encrypted under a data key of its own, whose destruction makes every copy unreadable.

Items of the privacy table: pk = `KEY#<holder>`, sk = `KEY`; `key` the data key in base64; `person` the digest of the
e-mail address it belongs to (docs/decisions/0027); `expires_at` while its holder may expire. A holder is a cart, or a
checkout with the orders made of it: one person's. AES-256 in Galois/counter mode (NIST SP 800-38D), a fresh nonce for
each sealing; the associated data say whose key it is and which thing it stands in, so nothing can be moved elsewhere.
"""

import base64
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from commerce.adapters.dynamodb import ConditionFailed, Contended, Item, Table, update
from commerce.contact import address_key

SEALED = "sealed"
"""The attribute of an item that holds its personal data."""
_NONCE_BYTES = 12
_OUTLIVES = 2 * 86400
"""Seconds by which a key outlives what it was made for: the sweep of the tables takes up to two days."""
_TRIES = 3
_REMEMBERED_SECONDS = 10.0
"""For how long a process remembers the key that it used last: a request reads, changes and answers one buyer's things.
What a key that was destroyed meanwhile seals cannot be read, and what it could open is gone from the tables."""


class Sealed(NamedTuple):
    """Personal data as they are stored: whose key opens them, in which thing they stand, and what they became."""

    holder: str
    about: str
    text: str


def seal(key: str, holder: str, about: str, personal: Mapping[str, Any]) -> str:
    """The personal data of the thing `about`, sealed with its holder's key."""
    nonce = os.urandom(_NONCE_BYTES)
    told = json.dumps(personal, separators=(",", ":"), ensure_ascii=False).encode()
    return _text(nonce + _cipher(key).encrypt(nonce, told, _associated(holder, about)))


def unseal(key: str, sealed: Sealed) -> Item:
    """What was sealed. Raises cryptography's InvalidTag where it was not sealed with this key for this thing."""
    whole = base64.b64decode(sealed.text)
    nonce, encrypted = whole[:_NONCE_BYTES], whole[_NONCE_BYTES:]
    personal: Item = json.loads(_cipher(key).decrypt(nonce, encrypted, _associated(sealed.holder, sealed.about)))
    return personal


@dataclass(frozen=True)
class Seals:
    """The data keys. Only functions that need to know who buys are given them."""

    table: Table
    clock: Callable[[], float] = time.monotonic
    last: dict[str, tuple[float, Item]] = field(default_factory=dict)
    """The key that this process used last, by its holder, and when."""

    def sealed(
        self, holder: str, about: str, personal: Mapping[str, Any], *, email: str | None, until: int | None
    ) -> Item:
        """The attribute by which an item holds the personal data; none where there are no such data.

        Makes the holder's key if there is none. `until` is when the holder expires (epoch seconds), if it does.
        """
        if not personal:
            return {}
        return {SEALED: seal(self._provided(holder, email, until), holder, about, personal)}

    def sealed_once_more(self, holder: str, about: str, personal: Mapping[str, Any]) -> str | None:
        """A copy of what the holder's key seals already; None where the key was destroyed meanwhile."""
        known = self._find(holder)
        return seal(known["key"], holder, about, personal) if known else None

    def opened(self, sealed: Sealed) -> Item:
        """The personal data; empty where their key was destroyed."""
        return self.opened_all([sealed])[0]

    def opened_all(self, several: Iterable[Sealed]) -> list[Item]:
        """The same for several, in their order."""
        wanted = list(several)
        known = self._known({one.holder for one in wanted})
        return [unseal(known[one.holder], one) if one.holder in known else {} for one in wanted]

    def keep(self, holder: str) -> dict[str, Any]:
        """The transaction's action by which the holder's key expires no more. Fails where it was destroyed."""
        return update(self.table.name, *_key(holder), ("pk", "exists"), remove=["expires_at"])

    def of_person(self, email: str) -> list[str]:
        """The holders whose keys belong to this e-mail address."""
        found = self.table.query(address_key(email), index="by_person", keys=("person", "pk"))
        return [item["pk"].removeprefix("KEY#") for item in found]

    def destroy(self, holder: str) -> None:
        """Nothing that the holder's key sealed can be read from now on, wherever it stands. Twice is once."""
        self.last.clear()
        self.table.delete(*_key(holder))

    def _find(self, holder: str) -> Item | None:
        if holder in self.last:
            used_at, item = self.last[holder]
            if 0 <= self.clock() - used_at <= _REMEMBERED_SECONDS:
                return item
        return self._used(holder, self.table.get(*_key(holder)))

    def _used(self, holder: str, item: Item | None) -> Item | None:
        self.last.clear()
        if item:
            self.last[holder] = self.clock(), item
        return item

    def _known(self, holders: set[str]) -> dict[str, str]:
        if len(holders) == 1:
            [holder] = holders
            item = self._find(holder)
            return {holder: item["key"]} if item else {}
        items = self.table.get_many([_key(holder) for holder in sorted(holders)], consistent=True)
        return {item["pk"].removeprefix("KEY#"): item["key"] for item in items}

    def _provided(self, holder: str, email: str | None, until: int | None) -> str:
        person = address_key(email) if email else None
        for _ in range(_TRIES):
            known = self._find(holder)
            if known and self._follows(known, person, until):
                return str(known["key"])
            if known:
                continue
            made = {
                "pk": _key(holder)[0],
                "sk": "KEY",
                "key": _text(os.urandom(32)),
                **({"person": person} if person else {}),
                **({"expires_at": until + _OUTLIVES} if until else {}),
            }
            try:
                self.table.put_once(made, ("pk", "missing"))
            except ConditionFailed:
                continue
            self._used(holder, made)
            return str(made["key"])
        raise Contended("the same cart or checkout is being changed by others; send the request again")

    def _follows(self, known: Item, person: str | None, until: int | None) -> bool:
        """The key is found by the address that the holder has now, and lives as long as the holder does. False where it
        was destroyed meanwhile.
        """
        changed: Item = {}
        if person and known.get("person") != person:
            changed["person"] = person
        if until and "expires_at" in known and known["expires_at"] < until + _OUTLIVES:
            changed["expires_at"] = until + _OUTLIVES
        if not changed:
            return True
        self.last.clear()
        try:
            self.table.update(known["pk"], "KEY", ("key", "=", known["key"]), set=changed)
        except ConditionFailed:
            return False
        return True


def _key(holder: str) -> tuple[str, str]:
    return f"KEY#{holder}", "KEY"


def _associated(holder: str, about: str) -> bytes:
    return f"{holder} {about}".encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _cipher(key: str) -> Any:
    """Loaded with the first personal data: functions that meet none do not pay for it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(base64.b64decode(key))
