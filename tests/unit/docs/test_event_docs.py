"""The pages about events: made from the models, complete, and checked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from commerce.events import ALL, BY_TYPE, detail, parse
from tools.event_docs import EMITTERS, EVENTS, example, schema

ROOT = Path(__file__).resolve().parents[3]


def test_the_pages_are_what_the_models_say():
    checked = subprocess.run(
        [sys.executable, "-m", "tools.event_docs", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "layers/commerce/python"},
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_event_is_emitted_by_somebody():
    assert set(EMITTERS) == set(BY_TYPE)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.type)
def test_an_example_is_an_event(kind):
    assert detail(parse(example(kind))) == example(kind)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.type)
def test_an_example_has_every_field_that_the_schema_promises(kind):
    assert set(example(kind)) == set(schema(kind)["properties"])


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.type)
def test_every_event_has_a_page_that_the_index_leads_to(kind):
    assert f"({kind.type}.md)" in (EVENTS / "README.md").read_text("utf-8")
    assert kind.type in (EVENTS / f"{kind.type}.md").read_text("utf-8")
    assert json.loads((EVENTS / f"{kind.type}.schema.json").read_text("utf-8"))["title"] == kind.type
