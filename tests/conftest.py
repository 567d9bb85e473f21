"""What every test may use: an empty workspace, its store, and a small book."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.persona import Persona
from core.store import Store
from core.store.database import connect
from tests.postgresql import server

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store with one persona, 阿青, in it."""
    opened = Store(f"sqlite:///{tmp_path / 'store.db'}", tmp_path)
    opened.personas.put(persona_a_qing())
    yield opened
    opened.close()


@pytest.fixture
def persona() -> Persona:
    """The persona of the `store` fixture."""
    return persona_a_qing()


def persona_a_qing() -> Persona:
    """Return a character of no book, so that nothing in the code can know her."""
    return Persona(
        id="a-qing",
        name="沈青",
        book="竹声",
        system_prompt="你是沈青。",
        greeting="你来了。",
        aliases=("青儿", "沈姑娘"),
        cast={"陆远": ("远哥", "陆公子")},
        facts={"你是谁？": "我是沈青。"},
    )


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[str]:
    with server() as url:
        yield f"postgresql+psycopg{url}"


@pytest.fixture
def postgresql(_postgresql_server: str) -> str:
    """The URL of an empty database on a real server; skips where none is installed."""
    with connect(_postgresql_server).begin() as connection:
        connection.exec_driver_sql(
            "DROP SCHEMA IF EXISTS dbos CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        )
    return _postgresql_server


@pytest.fixture(scope="session")
def novel() -> Path:
    """The full novel, where this machine has it."""
    return _data("hongloumeng.txt")


@pytest.fixture(scope="session")
def alias_file() -> Path:
    """The novel's alias table, where this machine has it."""
    return _data("hlm_aliases.json")


def _data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"shared data not here: {name}")
    return path
