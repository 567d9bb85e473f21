"""Settings of the corpus room."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from core.domain.section import Section
from core.domain.text import SourceKind
from core.errors import InvalidInputError, StudioError


class Refusal(Section):
    """Why a file is not in the corpus, as shown to people."""

    message: str
    remedy: str
    values: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, error: StudioError) -> Refusal:
        """Return what an error says; values that are no plain ones are written as text."""
        plain = {key: value if isinstance(value, int | float) else str(value) for key, value in error.values.items()}
        return cls(message=error.message, remedy=error.remedy, values=plain)

    def error(self) -> InvalidInputError:
        """Return it as the error it was."""
        return InvalidInputError(self.message, remedy=self.remedy, **self.values)


class UploadedText(Section):
    """A received file: it waits in the content store, or was refused at the door and is only reported."""

    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="The file's name in the content store.")
    name: str = Field(max_length=200, description="The uploaded name, shown to people.")
    size: int = Field(default=0, ge=0, description="Bytes.")
    refused: Refusal | None = Field(default=None, description="Why it was not taken in.")

    @model_validator(mode="after")
    def _either_kept_or_refused(self) -> UploadedText:
        if bool(self.sha256) == (self.refused is not None):
            raise ValueError("a received file has a sha256, or the reason why not")
        return self


class CorpusSettings(Section):
    """Read from `configs/corpus.yaml`; shown as a form by the page."""

    uploads: tuple[UploadedText, ...] = Field(default=(), description="The received files to import.")
    kind: SourceKind | None = Field(
        default=None, description="What sort of text it is; leave empty to have it recognised."
    )
    max_unpacked_mb: int = Field(default=256, ge=1, description="What an EPUB or DOCX may unpack to, in MB.")
    max_pages: int = Field(default=6000, ge=1, description="Most pages of a PDF.")
    max_minutes: int = Field(default=10, ge=1, description="Longest time to read one file, in minutes.")
