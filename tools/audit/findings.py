"""What scanners found, and which of it the shop answers for."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from commerce.model import Model

LIMIT = 25
"""Acknowledgements at most: who needs another one mends something first."""


class Finding(NamedTuple):
    """`place` is a construct's path in the app (`api/Carts`), or a file; `says` is the scanner's own sentence."""

    tool: str
    rule: str
    place: str
    says: str


class Acknowledgement(Model):
    """One matter that stays as it is. Its rules mean one and the same, by the names of several scanners."""

    matter: str = Field(min_length=10)
    rules: list[str] = Field(min_length=1)
    places: list[str] = Field(min_length=1)
    """Patterns as of a shell."""
    reason: str = Field(min_length=40)
    owner: Literal["development", "operations", "merchant"]
    """Who takes it up again when the reason no longer holds."""

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is of this matter."""
        return finding.rule in self.rules and any(fnmatchcase(finding.place, place) for place in self.places)


@dataclass
class Verdict:
    """Which findings are open, which are answered for, and what is wrong with the answers."""

    open: list[Finding] = field(default_factory=list)
    acknowledged: list[tuple[Acknowledgement, list[Finding]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing is open and every answer is in order."""
        return not self.open and not self.faults


def load(file: Path) -> list[Acknowledgement]:
    """The acknowledgements of the file. Raises pydantic's ValidationError for one without reason or owner."""
    entries = tomllib.loads(file.read_text("utf-8"))["acknowledgement"]
    return [Acknowledgement.model_validate(entry) for entry in entries]


def judge(findings: Iterable[Finding], acknowledgements: Sequence[Acknowledgement]) -> Verdict:
    """Every finding is open or belongs to one acknowledgement; whose rule or place finds nothing is stale."""
    verdict = Verdict(acknowledged=[(one, []) for one in acknowledgements])
    for finding in findings:
        covering = [covered for one, covered in verdict.acknowledged if one.covers(finding)]
        if not covering:
            verdict.open.append(finding)
        for covered in covering:
            covered.append(finding)
        if len(covering) > 1:
            verdict.faults.append(f"{finding.rule} at {finding.place} is acknowledged more than once")
    for one, covered in verdict.acknowledged:
        verdict.faults += _stale(one, covered)
    if len(acknowledgements) > LIMIT:
        verdict.faults.append(f"{len(acknowledgements)} acknowledgements are more than {LIMIT}; mend something")
    return verdict


def _stale(acknowledgement: Acknowledgement, covered: Sequence[Finding]) -> list[str]:
    """Whatever of it no longer finds anything would let the next mistake through unseen."""
    rules = set(acknowledgement.rules) - {finding.rule for finding in covered}
    places = [
        place for place in acknowledgement.places if not any(fnmatchcase(finding.place, place) for finding in covered)
    ]
    return [f"{acknowledgement.matter}: nothing is found for {what}; take it out" for what in (*sorted(rules), *places)]
