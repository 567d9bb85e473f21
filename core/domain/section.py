"""What all settings have in common: they never change, and a key that nobody knows is refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Some settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")
