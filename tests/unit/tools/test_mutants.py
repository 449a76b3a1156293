"""Planted bugs are only worth something while they can be planted, and what was judged while it stands."""

import ast
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tools.local.instance import ROOT
from tools.mutants.__main__ import Verdict, remembered, report, write
from tools.mutants.catalogue import MUTANTS, Mutant
from tools.simulation.flows import FLOWS


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


def test_a_mutant_is_aimed_at_flows_that_there_are() -> None:
    assert {flow for mutant in MUTANTS for flow in mutant.shows} <= set(FLOWS)


def verdict(mutant: Mutant, schedule: str | None) -> Verdict:
    return Verdict(mutant, schedule, "I1: two were sold" if schedule else None, played=3, sound=True, sources="abc")


def test_a_run_that_was_stopped_knows_what_it_has_judged(tmp_path: Path) -> None:
    judged = [verdict(MUTANTS[0], "last_unit/calm"), verdict(MUTANTS[1], None)]
    write(judged, tmp_path / "mutants.json")

    assert remembered(tmp_path / "mutants.json") == {one.mutant.name: one for one in judged}


def test_a_verdict_on_a_bug_that_is_planted_otherwise_by_now_is_forgotten(tmp_path: Path) -> None:
    write([verdict(replace(MUTANTS[0], after="something else"), "last_unit/calm")], tmp_path / "mutants.json")

    assert remembered(tmp_path / "mutants.json") == {}


def test_who_makes_the_simulation_fail_is_not_found() -> None:
    assert not replace(verdict(MUTANTS[0], "last_unit/calm"), what="the simulation itself failed: KeyError: 'x'").killed


def test_who_was_found_by_a_schedule_that_the_sound_shop_fails_survives() -> None:
    survivor = replace(verdict(MUTANTS[0], "last_unit/calm"), sound=False)

    figures = report([survivor, verdict(MUTANTS[1], "checkout/calm")])

    assert (figures["judged"], figures["killed"]) == (2, 1)
    assert figures["survivors"] == {MUTANTS[0].name: MUTANTS[0].explained}
