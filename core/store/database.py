"""The engine: SQLite in WAL mode by default, PostgreSQL by URL, one schema by migrations."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.full_disk import full_disk

MIGRATIONS = Path(__file__).parent / "migrations"


def connect(url: str) -> sa.Engine:
    """Return an engine for that URL; a SQLite file's folder is made."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    path = sa.make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    sa.event.listen(engine, "connect", _tune_sqlite)
    sa.event.listen(engine, "begin", _begin_immediately)
    return engine


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest revision; harmless when it is, safe when two processes start at once."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _one_at_a_time(engine):
        config.attributes["engine"] = engine
        command.upgrade(config, "head")


@contextlib.contextmanager
def _one_at_a_time(engine: sa.Engine) -> Iterator[None]:
    path = engine.url.database if engine.dialect.name == "sqlite" else None
    if not path:
        yield  # PostgreSQL's migrations take their own lock, in migrations/env.py
        return
    with Path(f"{path}.migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _tune_sqlite(connection: Any, _record: object) -> None:
    # pysqlite's own transaction handling is switched off so that ours (below) is the only one.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediately(connection: sa.Connection) -> None:
    # A deferred transaction that reads first and writes later fails with SQLITE_BUSY at once when another
    # process wrote in between; writers therefore take the lock when they begin.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class Rooms:
    """What every room of the store has: how to read and how to write."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writing=True)

    def _reading(self) -> contextlib.AbstractContextManager[sa.Connection]:
        return _on_a_disk_with_room(self._engine)

    def _writing(self) -> contextlib.AbstractContextManager[sa.Connection]:
        return _on_a_disk_with_room(self._writer)


@contextlib.contextmanager
def _on_a_disk_with_room(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Lend a connection inside a transaction; DiskFullError where the database has no room for it."""
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        full = full_disk(error)
        if full is None:
            raise
        raise full from error
