"""Alembic's door: runs the migrations on the engine it is handed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from core.store.database import connect
from core.store.tables import metadata

_LOCK = 0x0DA1_BEAD  # an arbitrary key of PostgreSQL's advisory locks


def run() -> None:
    """Upgrade inside one transaction."""
    engine = context.config.attributes.get("engine") or connect(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.execution_options(writing=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        context.run_migrations()


run()
