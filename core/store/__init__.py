"""The store: tables, queries, migrations and content-addressed files; the only place that speaks SQL."""

from core.store.store import Store

__all__ = ["Store"]
