"""What the contracts are tested on: an empty store on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store import Store
from tests.conftest import persona_a_qing


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each database's URL in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    address: str = request.getfixturevalue("postgresql")
    return address


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store with one persona, 阿青, in it."""
    opened = Store(url, tmp_path)
    opened.personas.put(persona_a_qing())
    yield opened
    opened.close()
