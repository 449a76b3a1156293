"""What tests of a busy table share."""

from types import SimpleNamespace

import pytest

from commerce.adapters import dynamodb


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time."""
    waited: list[float] = []
    monkeypatch.setattr(dynamodb, "time", SimpleNamespace(sleep=waited.append))
    return waited
