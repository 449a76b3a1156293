"""Planted bugs are only worth something while they can be planted."""

import ast
import json
from collections import Counter

import pytest

from tools.local.instance import ROOT
from tools.mutants.catalogue import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_of_the_shop_as_it_is(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.before) == 1
    mutated = text.replace(mutant.before, mutant.after)
    assert mutated != text
    if mutant.file.endswith(".py"):
        ast.parse(mutated)
    else:
        json.loads(mutated)


def test_mutants_have_names_of_their_own() -> None:
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1
    assert len(MUTANTS) >= 40
