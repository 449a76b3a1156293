"""The grammar of condition, key condition, update and projection expressions, as far as a shop needs it.

An expression's text is parsed once per process into a tree of closures; names and values are bound at every call.
Paths are top-level attributes. What is not known here is refused with NotImplementedError.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, Inexact, localcontext
from functools import cache
from importlib.resources import files
from typing import Any

from botocore.exceptions import ClientError

from tools.simulation.dynamodb.errors import invalid
from tools.simulation.dynamodb.values import EXACT, Attribute, Item, number, too_precise, written

Names = Mapping[str, str]
Values = Mapping[str, Attribute]
Predicate = Callable[[Item, Names, Values], bool]
Operand = Callable[[Item, Names, Values], Attribute | None]
Change = Callable[[Item, Item, Names, Values], str]
"""Changes the second item by what the first says, and tells the name of the attribute."""

_TOKEN = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+)|(<>|<=|>=|[=<>(),+\-.\[\]]))")
_TYPES = {"S": "STRING", "N": "NUMBER", "BOOL": "BOOLEAN", "NULL": "NULL", "M": "MAP", "L": "LIST"}
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPARED = {"=", "<>", *_ORDER}


@dataclass(frozen=True)
class Condition:
    """Whether an item is as the expression says."""

    holds: Predicate
    placeholders: frozenset[str]
    paths: frozenset[str]
    """The attributes that it looks at."""


@dataclass(frozen=True)
class Update:
    """What an expression changes about an item."""

    changes: tuple[Change, ...]
    placeholders: frozenset[str]

    def apply(self, old: Item, names: Names, values: Values) -> tuple[Item, list[str]]:
        """The new item, and the names of the attributes that were touched."""
        new = dict(old)
        touched = [change(old, new, names, values) for change in self.changes]
        if len(set(touched)) != len(touched):
            raise invalid(
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
                "these paths"
            )
        return new, touched


NO_CHANGE = Update((), frozenset())
"""An update without an expression only makes the item."""


@dataclass(frozen=True)
class KeyCondition:
    """Clauses (name, operator, value placeholders): one on the partition, at most one on the sort key."""

    clauses: tuple[tuple[str, str, tuple[str, ...]], ...]
    placeholders: frozenset[str]


@dataclass(frozen=True)
class Projection:
    """The attributes that are answered."""

    paths: tuple[str, ...]
    placeholders: frozenset[str]


@cache
def condition(text: str, parameter: str = "ConditionExpression") -> Condition:
    """Parses a condition (or filter) expression."""
    words = _Words.of(text, parameter)
    holds = _disjunction(words)
    words.end()
    return Condition(holds, words.placeholders(), frozenset(words.paths))


@cache
def update(text: str) -> Update:
    """Parses an update expression."""
    words = _Words.of(text, "UpdateExpression")
    changes: list[Change] = []
    sections: set[str] = set()
    while words.left():
        section = words.next().upper()
        if section in sections:
            raise words.wrong(f'The "{section}" section can only be used once in an update expression;')
        sections.add(section)
        if section == "DELETE":
            raise NotImplementedError("the shop stores no sets")
        if section not in _SECTIONS:
            raise words.syntax()
        changes.append(_SECTIONS[section](words))
        while words.take(","):
            changes.append(_SECTIONS[section](words))
    return Update(tuple(changes), words.placeholders())


@cache
def key_condition(text: str) -> KeyCondition:
    """Parses the condition of a query on its keys."""
    words = _Words.of(text, "KeyConditionExpression")
    clauses = [_key_clause(words)]
    while words.take("AND"):
        clauses.append(_key_clause(words))
    words.end()
    return KeyCondition(tuple(clauses), words.placeholders())


@cache
def projection(text: str) -> Projection:
    """Parses the list of attributes to answer."""
    words = _Words.of(text, "ProjectionExpression")
    paths = [words.path()]
    while words.take(","):
        paths.append(words.path())
    words.end()
    return Projection(tuple(paths), words.placeholders())


def attribute_name(path: str, names: Names) -> str:
    """The attribute that a path (`#name` or a bare name) stands for."""
    if path[0] != "#":
        return path
    try:
        return names[path]
    except KeyError:
        raise invalid(
            f"An expression attribute name used in the document path is not defined; attribute name: {path}"
        ) from None


def value_of(placeholder: str, values: Values) -> Attribute:
    """The value that a placeholder stands for."""
    try:
        return values[placeholder]
    except KeyError:
        raise invalid(
            f"An expression attribute value used in expression is not defined; attribute value: {placeholder}"
        ) from None


@dataclass
class _Words:
    """The words of an expression, one after the other."""

    text: str
    parameter: str
    words: list[str]
    at: int = 0
    used: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    group: tuple[int, int] = (-1, -1)
    """Where the last parenthesis opened, and where it had closed."""

    @classmethod
    def of(cls, text: str, parameter: str) -> "_Words":
        if not text.strip():
            raise invalid(f"Invalid {parameter}: The expression can not be empty;")
        words, end = [], 0
        while end < len(text.rstrip()):
            match = _TOKEN.match(text, end)
            if not match:
                raise invalid(f'Invalid {parameter}: Syntax error; token: "{text[end:].strip()[:1]}"')
            words.append(match[1] or match[2])
            end = match.end()
        return cls(text, parameter, words)

    def left(self) -> bool:
        return self.at < len(self.words)

    def peek(self) -> str:
        return self.words[self.at] if self.left() else ""

    def next(self) -> str:
        if not self.left():
            raise self.syntax()
        self.at += 1
        return self.words[self.at - 1]

    def take(self, word: str) -> bool:
        """Whether the next word is this one; if so, it is passed."""
        if self.peek().upper() != word:
            return False
        self.at += 1
        return True

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise self.syntax()

    def end(self) -> None:
        if self.left():
            raise self.syntax()

    def path(self) -> str:
        word = self.next()
        if not (word[0] == "#" or word[0].isalpha()):
            raise self.syntax()
        if word[0] == "#":
            self.used.add(word)
        elif word.upper() in _reserved():
            raise self.wrong(f"Attribute name is a reserved keyword; reserved keyword: {word}")
        if self.peek() in (".", "["):
            raise NotImplementedError(f"paths below an attribute: {self.text}")
        self.paths.add(word)
        return word

    def value(self) -> str:
        word = self.next()
        if word[0] != ":":
            raise self.syntax()
        self.used.add(word)
        return word

    def placeholders(self) -> frozenset[str]:
        return frozenset(self.used)

    def syntax(self) -> ClientError:
        near = " ".join(self.words[max(self.at - 1, 0) : self.at + 2])
        return self.wrong(f'Syntax error; token: "{self.peek() or "<EOF>"}", near: "{near}"')

    def wrong(self, what: str) -> ClientError:
        return invalid(f"Invalid {self.parameter}: {what}")


@cache
def _reserved() -> frozenset[str]:
    """Words that no bare attribute name may be, from moto's copy of DynamoDB's list."""
    text = (files("moto") / "dynamodb" / "parsing" / "reserved_keywords.txt").read_text()
    return frozenset(text.upper().split())


def _disjunction(words: _Words) -> Predicate:
    terms = [_conjunction(words)]
    while words.take("OR"):
        terms.append(_conjunction(words))
    if len(terms) == 1:
        return terms[0]
    return lambda item, names, values: True in [term(item, names, values) for term in terms]


def _conjunction(words: _Words) -> Predicate:
    terms = [_negation(words)]
    while words.take("AND"):
        terms.append(_negation(words))
    if len(terms) == 1:
        return terms[0]
    # Every term is looked at, so that a wrong one is refused wherever it stands.
    return lambda item, names, values: False not in [term(item, names, values) for term in terms]


def _negation(words: _Words) -> Predicate:
    if words.take("NOT"):
        inner = _negation(words)
        return lambda item, names, values: not inner(item, names, values)
    start = words.at
    if words.take("("):
        inner = _disjunction(words)
        if words.group == (start + 1, words.at):
            raise words.wrong("The expression has redundant parentheses;")
        words.expect(")")
        words.group = (start, words.at)
        return inner
    return _term(words)


def _term(words: _Words) -> Predicate:
    function = words.peek()
    if words.words[words.at + 1 : words.at + 2] == ["("]:
        if function not in _FUNCTIONS:
            raise NotImplementedError(f"the function {function}: {words.text}")
        words.at += 2
        predicate = _FUNCTIONS[function](words)
        words.expect(")")
        return predicate
    left = _operand(words)
    if words.take("IN"):
        words.expect("(")
        choices = [_operand(words)]
        while words.take(","):
            choices.append(_operand(words))
        words.expect(")")
        return _is_one_of(left, choices)
    if words.take("BETWEEN"):
        return _is_between(words, left)
    comparator = words.next()
    if comparator not in _COMPARED:
        words.at -= 1
        raise words.syntax()
    if comparator in _ORDER:
        return _is_in_order(left, _ORDER[comparator], _ordered(words, comparator))
    right = _operand(words)
    if comparator == "=":
        return lambda item, names, values: _equal(left(item, names, values), right(item, names, values))
    return lambda item, names, values: not _equal(left(item, names, values), right(item, names, values))


def _operand(words: _Words) -> Operand:
    if words.peek()[:1] == ":":
        placeholder = words.value()
        return lambda item, names, values: value_of(placeholder, values)
    path = words.path()
    return lambda item, names, values: item.get(attribute_name(path, names))


def _ordered(words: _Words, comparator: str) -> Operand:
    """An operand that has an order; a value of another type is the request's mistake."""
    if words.peek()[:1] != ":":
        return _operand(words)
    placeholder = words.value()

    def ordered(item: Item, names: Names, values: Values) -> Attribute:
        value = value_of(placeholder, values)
        if "N" not in value and "S" not in value:
            raise invalid(
                f"Invalid {words.parameter}: Incorrect operand type for operator or function; operator or function: "
                f"{comparator}, operand type: {_type(value)}"
            )
        return value

    return ordered


def _type(value: Attribute) -> str:
    return _TYPES[next(iter(value))]


def _equal(one: Attribute | None, other: Attribute | None) -> bool:
    return one is not None and one == other


def _is_in_order(left: Operand, compare: Callable[[Any, Any], bool], right: Operand) -> Predicate:
    return lambda item, names, values: _in_order(left(item, names, values), compare, right(item, names, values))


def _in_order(one: Attribute | None, compare: Callable[[Any, Any], bool], other: Attribute | None) -> bool:
    if one is None or other is None:
        return False
    if "N" in one and "N" in other:
        return compare(number(one["N"]), number(other["N"]))
    if "S" in one and "S" in other:  # code points sort as their UTF-8 bytes do
        return compare(one["S"], other["S"])
    return False


def _is_one_of(left: Operand, choices: list[Operand]) -> Predicate:
    def holds(item: Item, names: Names, values: Values) -> bool:
        value = left(item, names, values)
        return value is not None and value in [choice(item, names, values) for choice in choices]

    return holds


def _is_between(words: _Words, left: Operand) -> Predicate:
    first = words.at
    low = _ordered(words, "BETWEEN")
    words.expect("AND")
    high = _ordered(words, "BETWEEN")
    constant = words.words[first][0] == ":" == words.words[words.at - 1][0]

    def holds(item: Item, names: Names, values: Values) -> bool:
        value = left(item, names, values)
        lowest, highest = low(item, names, values), high(item, names, values)
        if constant and lowest and highest and not _in_order(lowest, operator.le, highest):
            raise invalid(
                f"Invalid {words.parameter}: The BETWEEN operator requires bounds of the same type, and an upper bound "
                "that is greater than or equal to the lower bound"
            )
        return _in_order(lowest, operator.le, value) and _in_order(value, operator.le, highest)

    return holds


def _exists(words: _Words) -> Predicate:
    path = words.path()
    return lambda item, names, values: attribute_name(path, names) in item


def _is_missing(words: _Words) -> Predicate:
    path = words.path()
    return lambda item, names, values: attribute_name(path, names) not in item


def _begins_with(words: _Words) -> Predicate:
    left = _operand(words)
    words.expect(",")
    right = _operand(words)

    def holds(item: Item, names: Names, values: Values) -> bool:
        value, beginning = left(item, names, values), right(item, names, values)
        if beginning is not None and "S" not in beginning:
            raise invalid(
                f"Invalid {words.parameter}: Incorrect operand type for operator or function; operator or function: "
                f"begins_with, operand type: {_type(beginning)}"
            )
        return value is not None and beginning is not None and "S" in value and value["S"].startswith(beginning["S"])

    return holds


_FUNCTIONS = {"attribute_exists": _exists, "attribute_not_exists": _is_missing, "begins_with": _begins_with}


def _set(words: _Words) -> Change:
    path = words.path()
    words.expect("=")
    value = _set_value(words)

    def change(old: Item, new: Item, names: Names, values: Values) -> str:
        name = attribute_name(path, names)
        new[name] = value(old, names, values)
        return name

    return change


def _set_value(words: _Words) -> Callable[[Item, Names, Values], Attribute]:
    left = _set_operand(words)
    for sign, compute in (("+", operator.add), ("-", operator.sub)):
        if words.take(sign):
            right = _set_operand(words)
            return lambda old, names, values: _computed(
                left(old, names, values), compute, right(old, names, values)
            )
    return left


def _set_operand(words: _Words) -> Callable[[Item, Names, Values], Attribute]:
    if words.words[words.at + 1 : words.at + 2] == ["("]:
        function = words.next()
        if function != "if_not_exists":
            raise NotImplementedError(f"the function {function}: {words.text}")
        words.expect("(")
        path = words.path()
        words.expect(",")
        otherwise = _set_operand(words)
        words.expect(")")
        return lambda old, names, values: old.get(attribute_name(path, names)) or otherwise(old, names, values)
    operand = _operand(words)

    def existing(old: Item, names: Names, values: Values) -> Attribute:
        value = operand(old, names, values)
        if value is None:
            raise invalid("The provided expression refers to an attribute that does not exist in the item")
        return value

    return existing


def _add(words: _Words) -> Change:
    path, placeholder = words.path(), words.value()

    def change(old: Item, new: Item, names: Names, values: Values) -> str:
        name, value = attribute_name(path, names), value_of(placeholder, values)
        if "N" not in value:
            raise invalid(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand "
                f"type: {_type(value)}"
            )
        new[name] = _computed(old[name], operator.add, value) if name in old else value
        return name

    return change


def _remove(words: _Words) -> Change:
    path = words.path()

    def change(old: Item, new: Item, names: Names, values: Values) -> str:
        name = attribute_name(path, names)
        new.pop(name, None)
        return name

    return change


_SECTIONS: dict[str, Callable[[_Words], Change]] = {"SET": _set, "ADD": _add, "REMOVE": _remove}


def _computed(one: Attribute, compute: Callable[[Any, Any], Any], other: Attribute) -> Attribute:
    if "N" not in one or "N" not in other:
        raise invalid("An operand in the update expression has an incorrect data type")
    left, right = number(one["N"]), number(other["N"])
    if type(left) is int and type(right) is int:
        return {"N": written(compute(left, right))}
    with localcontext(EXACT):
        try:
            return {"N": written(compute(Decimal(left), Decimal(right)))}
        except Inexact:
            raise too_precise() from None


def _key_clause(words: _Words) -> tuple[str, str, tuple[str, ...]]:
    if words.take("BEGINS_WITH"):
        words.expect("(")
        path = words.path()
        words.expect(",")
        clause = (path, "begins_with", (words.value(),))
        words.expect(")")
        return clause
    path = words.path()
    if words.take("BETWEEN"):
        low = words.value()
        words.expect("AND")
        return (path, "BETWEEN", (low, words.value()))
    comparator = words.next()
    if comparator not in _COMPARED or comparator == "<>":
        raise words.wrong(f"Invalid operator used in KeyConditionExpression: {comparator}")
    return (path, comparator, (words.value(),))
