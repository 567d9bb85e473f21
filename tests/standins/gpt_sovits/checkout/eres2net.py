"""Stands for the speaker model."""

from __future__ import annotations


class ERes2NetV2:
    """Nothing but a name that must import."""
