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
    note: str = ""
    """What somebody wrote about it."""
    removed_at: datetime | None = None
    """When its files were deleted; the record stays, for replies and scorecards that name it."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base model that models are trained from; every persona may use it. Its folder lies under the workspace."""

    id: str
    """Also the folder's name under `workspace/bases`, e.g. `internlm2-chat-1_8b`."""
    name: str
    origin: str
    """Where it came from: `huggingface:owner/name@revision`, `modelscope:owner/name@revision` or `folder:name`."""
    folder: str
    """Relative to the workspace; safetensors in the Llama form or another native architecture."""
    prompt_template: str
    """Its chat form, by XTuner's name for it; empty where none is known."""
    created_at: datetime
    run_id: str | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Architecture, sizes, files with their sha256; of a converted one also what was compared and how it came out."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What somebody preferred of two that were put before him without their names."""

    id: str
    persona_id: str
    run_id: str | None
    """The run that made both; None where they come from different ones."""
    prompt: str
    """What both answered or said."""
    first: str
    second: str
    winner: str | None
    """The one preferred, or None where neither was."""
    voted_by: str
    voted_at: datetime
    first_reply: str | None = None
    """What the first answered; None for votes on sounds."""
    second_reply: str | None = None
    first_line: str | None = None
    """The line of the book the first reply is, where it is one."""
    second_line: str | None = None
    flagged: str | None = None
    """Which reply a curator should look at: `first`, `second` or `both`; None for neither."""
    reason: str | None = None
    """Why he should."""
