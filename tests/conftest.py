"""What every test may use: an empty workspace, its store, and a small book."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.persona import Persona
from core.store import Store
from tests.postgresql import fresh_database, server

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT.parent / "shared" / "data"


def pytest_configure() -> None:
    """Keep bytecode of our own where Python may write none beside the sources.

    Else each of the hundreds of programs that tests start compiles all it imports anew: half its time.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(PROJECT / ".pytest_cache" / "bytecode"))
        sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's database in its newest form: a copy of it is made sooner than another one by all migrations."""
    folder = tmp_path_factory.mktemp("migrated")
    Store(f"sqlite:///{folder / 'store.db'}", folder).close()
    return folder / "store.db"


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    """An empty store with one persona, 阿青, in it."""
    shutil.copyfile(migrated, tmp_path / "store.db")
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


@pytest.fixture(scope="session")
def migrated_database(_postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database in its newest form on the real server; others are copied from it."""
    name = "migrated"
    Store(fresh_database(_postgresql_server, name), tmp_path_factory.mktemp("migrated")).close()
    return name


@pytest.fixture
def postgresql(_postgresql_server: str) -> str:
    """The URL of an empty database on a real server; skips where none is installed."""
    return fresh_database(_postgresql_server, "tests")


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
