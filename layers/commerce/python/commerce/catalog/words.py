"""Words: how texts become handles, sort keys and the words that a search finds."""

import html
import re
import unicodedata
from collections.abc import Iterable

MAX_WORD = 40
"""Characters. A longer word is cut, in products and queries alike."""

_STOP_WORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on", "or"}
    | {"the", "this", "to", "with"}
)
_POSSESSIVE = re.compile(r"['\u2019]s?(?=\W|$)|['\u2019]")
_WORD = re.compile(r"[^\W_]+")
_BLOCK_END = re.compile(r"<(?:br|/p|/li|/div|/h[1-6]|/tr|/ul|/ol)\b[^>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)|<!--.*?(?:-->|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def fold(text: str) -> str:
    """The text in the form in which texts are compared: case and accents do not count. `Café` is `cafe`."""
    lower = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", lower)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def handle_from(text: str) -> str:
    """A handle for the address bar: `Crème Brûlée Torch (2 l)` becomes `creme-brulee-torch-2-l`. May be empty."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:100].rstrip("-")


def words(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct words to find, in order of appearance: folded, in the singular, without the commonest ones."""
    found = (
        _singular(word)[:MAX_WORD]
        for text in texts
        for word in _WORD.findall(_POSSESSIVE.sub("", fold(text)))
        if word not in _STOP_WORDS
    )
    return tuple(dict.fromkeys(found))


def _singular(word: str) -> str:
    """A light rule for English plurals. It need not be right, only the same for products and queries."""
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def plain_text(markup: str) -> str:
    """The words of an HTML fragment, one line per block."""
    text = _TAG.sub("", _BLOCK_END.sub("\n", _HIDDEN.sub("", markup)))
    lines = (" ".join(line.split()) for line in html.unescape(text).splitlines())
    return "\n".join(line for line in lines if line)
