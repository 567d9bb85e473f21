"""What training leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ModelKind(StrEnum):
    """What a model makes."""

    TEXT = "text"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model in the registry; its folder lies under the workspace."""

    id: str
    persona_id: str
    kind: ModelKind
    name: str
    run_id: str | None
    dataset_version_id: str | None
    """Of a text model: the samples it was trained on."""
    base: str
    """What it was trained from."""
    folder: str
    """Relative to the workspace; safetensors in the Llama form or a native architecture."""
    created_at: datetime
    in_use: bool = False
    """Chosen for the chat."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Commands, versions, seeds, input fingerprints: enough to make it again."""
