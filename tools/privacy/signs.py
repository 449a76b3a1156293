"""What a text must not show: card numbers, secrets, and what tells who somebody is.

The patterns are narrow on purpose: a search that cries wolf over every number is not read. A card number has a prefix
and length of its issuer and passes the Luhn check (ISO/IEC 7812-1); a phone number is as the API takes it (E.164).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["a card number", "a secret", "an e-mail address", "a phone number", "a word that was searched for"]

_CARD = re.compile(
    r"(?<![\w.+/=-])(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|3[47]\d{2}|6011|65\d{2})(?:[ -]?\d){9,15}(?![\w.+/=-])"
)
_SECRET = re.compile(
    r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_\w+|\bpm_(?:card_)?\w+|\baccess_token=[\w.-]+|\bclient_secret\W+\w+"
    r"|\bBearer \S+|\beyJ[\w-]+\.eyJ[\w-]+|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.+/=:-])\+[1-9]\d{7,14}(?![\w.+/=:-])")


@dataclass(frozen=True)
class Sign:
    """A piece of a text that should not be there."""

    kind: Kind
    text: str


def luhn(number: str) -> bool:
    """Whether the digits of a card number fit each other; blanks and hyphens do not count."""
    digits = [int(one) for one in number if one.isdigit()][::-1]
    doubled = (one * 2 - 9 if one > 4 else one * 2 for one in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def signs(text: str, *, words: Iterable[str] = (), own: Iterable[str] = ()) -> Iterator[Sign]:
    """Everything in the text that should not be there; `words` besides, whole ones, in capitals or not.

    `own` are e-mail addresses that are nobody's, such as the shop's sender.
    """
    for kind, pattern, counts in _PATTERNS:
        for match in pattern.finditer(text):
            if counts(match[0]) and match[0] not in own:
                yield Sign(kind, match[0])
    for word in words:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
            yield Sign("a word that was searched for", word)


def hidden(sign: Sign) -> str:
    """Enough of it to find it again, and too little to leak it once more."""
    return f"{sign.text[:3]}… ({len(sign.text)} characters)"


def _always(_: str) -> bool:
    return True


_PATTERNS: tuple[tuple[Kind, "re.Pattern[str]", Callable[[str], bool]], ...] = (
    ("a card number", _CARD, luhn),
    ("a secret", _SECRET, _always),
    ("an e-mail address", _EMAIL, _always),
    ("a phone number", _PHONE, _always),
)
