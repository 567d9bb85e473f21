"""Settings of the corpus room."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.domain.text import SourceKind


class UploadedText(BaseModel):
    """A received file that waits in the content store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="The file's name in the content store.")
    name: str = Field(max_length=200, description="The uploaded name, shown to people.")


class CorpusSettings(BaseModel):
    """Read from `configs/corpus.yaml`; shown as a form by the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uploads: tuple[UploadedText, ...] = Field(default=(), description="The received files to import.")
    kind: SourceKind | None = Field(
        default=None, description="What sort of text it is; leave empty to have it recognised."
    )
