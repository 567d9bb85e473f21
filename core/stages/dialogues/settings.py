"""Settings of the dialogues room."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DialogueSettings(BaseModel):
    """Read from `configs/dialogues.yaml`; shown as a form by the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_ids: tuple[str, ...] = Field(default=(), description="The sources to read; empty for all of the persona's.")
    method: Literal["auto", "rules", "screenplay", "quotes"] = Field(
        default="auto", description="How lines are found; auto chooses by the kind of each source."
    )
    use_cast: bool = Field(
        default=True, description="Use the persona's table of names; without it names are found in the text alone."
    )
