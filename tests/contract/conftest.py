"""What the contracts are tested on: an empty store on each database, a stand-in for a checkout of GPT-SoVITS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.backends.tools.gpt_sovits import GptSovits
from core.store import Store
from tests.conftest import persona_a_qing
from tests.postgresql import fresh_database
from tests.standins.gpt_sovits.layout import StandIn, lay_out
from tests.standins.gpt_sovits.world import trainer_on


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each database's URL in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    address: str = request.getfixturevalue("postgresql")
    return address


@pytest.fixture
def store(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store with one persona, 阿青, in it."""
    if url.startswith("sqlite"):
        shutil.copyfile(request.getfixturevalue("migrated"), tmp_path / "store.db")
    else:
        server, _slash, name = url.rpartition("/")
        fresh_database(f"{server}/postgres", name, template=request.getfixturevalue("migrated_database"))
    opened = Store(url, tmp_path)
    opened.personas.put(persona_a_qing())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """A stand-in checkout, as far as a module's tests have come."""
    return lay_out(tmp_path_factory.mktemp("gpt-sovits"))


@pytest.fixture
def stand_in(checkout: StandIn) -> StandIn:
    """The checkout behaving well, its server asked nothing yet."""
    checkout.behave()
    checkout.forget_requests()
    return checkout


@pytest.fixture
def trainer(stand_in: StandIn) -> GptSovits:
    """Drives the stand-in."""
    return trainer_on(stand_in)
