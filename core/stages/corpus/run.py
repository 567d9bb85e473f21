"""Import: received files become sources with their passages; one that cannot be read does not lose the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.domain.identity import new_id, now
from core.domain.text import Passage, Source, SourceKind, TextFormat
from core.errors import ConflictError, InvalidInputError, NotFoundError, StudioError
from core.jobs.context import RunContext
from core.stages.corpus.chapters import document_passages
from core.stages.corpus.document import Document, ReadingLimits, Tick
from core.stages.corpus.kinds import detect_kind
from core.stages.corpus.packed import MEGABYTE
from core.stages.corpus.readers import read_document, recognised
from core.stages.corpus.sandbox import forget_readings, read_apart
from core.stages.corpus.settings import CorpusSettings, Refusal, UploadedText
from core.store import Store
from core.translation import N_

_LOOK_EVERY = 0.5
"""Seconds between two looks whether the run is to stop; the store is shared."""


def run(settings: CorpusSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Import every received file; return the new sources' ids and, file by file, what was found or why not.

    Raises the first refusal when nothing at all could be imported.
    """
    if not settings.uploads:
        raise InvalidInputError(N_("No file was chosen."), remedy=N_("Choose one or more text files."))
    importing = _Import(settings, context, store)
    imported: list[Source] = []
    refused: list[StudioError] = []
    files: list[dict[str, Any]] = []
    for number, upload in enumerate(settings.uploads):
        source_id = context.step(f"source-{number}", lambda: new_id("src"))
        try:
            source = importing.file(number, upload, source_id)
        except (ConflictError, InvalidInputError, NotFoundError) as error:
            context.log(f"{upload.name}: {error}")
            refused.append(error)
            files.append({"name": upload.name, "refused": Refusal.of(error).model_dump()})
        else:
            imported.append(source)
            files.append({"name": upload.name, "source": source.id, "kind": source.kind, "format": source.format})
    if not imported:
        raise refused[0]
    forget_readings(context)
    context.progress(1.0, N_("Imported {count} texts"), count=len(imported))
    return {
        "sources": [source.id for source in imported],
        "chapters": sum(source.chapters for source in imported),
        "characters": sum(source.characters for source in imported),
        "already_there": sum(isinstance(error, ConflictError) for error in refused),
        "refused": sum(not isinstance(error, ConflictError) for error in refused),
        "files": files,
    }


@dataclass(frozen=True, slots=True)
class _Import:
    """One run's work on its files."""

    settings: CorpusSettings
    context: RunContext
    store: Store

    def file(self, number: int, upload: UploadedText, source_id: str) -> Source:
        """Read a file and store its source and passages."""
        if upload.refused is not None:
            raise upload.refused.error()
        data = self.store.files.read(upload.sha256)
        form, document = self._read(number, upload.name, data)
        source, passages = source_of(
            document,
            form,
            upload,
            size=len(data),
            source_id=source_id,
            persona_id=self.context.run.persona_id,
            kind=self.settings.kind,
            run_id=self.context.run.id,
            put=self.store.files.put,
        )
        self.store.corpus.add(source, passages, who=self.context.run.created_by)
        found = f"{source.kind.value}, {source.format.value}, {source.encoding}, {source.chapters} chapters"
        self.context.log(f"{source.name}: {found}")
        return source

    def _read(self, number: int, name: str, data: bytes) -> tuple[TextFormat, Document]:
        limits = ReadingLimits(self.settings.max_unpacked_mb * MEGABYTE, self.settings.max_pages)
        tell = self._teller(number, name)
        tell(0.0)
        if not recognised(data, name).sandboxed:
            return read_document(data, name, limits=limits, tick=self._watched(tell, name))
        seconds = 60 * self.settings.max_minutes
        return read_apart(data, name, number=number, limits=limits, seconds=seconds, context=self.context, tick=tell)

    def _teller(self, number: int, name: str) -> Tick:
        """Return what tells the run's progress by the share of this file that is read."""
        sizes = [upload.size or 1 for upload in self.settings.uploads]
        before, total = sum(sizes[:number]), sum(sizes)

        def tell(share: float) -> None:
            at = (before + min(share, 1.0) * sizes[number]) / total
            self.context.progress(min(at, 0.99), N_("Reading {name}"), name=name)

        return tell

    def _watched(self, tell: Tick, name: str) -> Tick:
        """Return a teller that also ends the reading when the run is stopped or the file takes too long."""
        began = looked = time.monotonic()

        def tick(share: float) -> None:
            nonlocal looked
            clock = time.monotonic()
            if clock - began > 60 * self.settings.max_minutes:
                raise InvalidInputError(
                    N_("{name} took more than {minutes} minutes to read."),
                    remedy=N_("Split it into parts, or raise max_minutes in configs/corpus.yaml."),
                    name=name,
                    minutes=self.settings.max_minutes,
                )
            if clock - looked > _LOOK_EVERY:
                looked = clock
                self.context.check()
                tell(share)

        return tick


def read_source(
    data: bytes,
    upload: UploadedText,
    *,
    source_id: str,
    persona_id: str,
    kind: SourceKind | None = None,
    run_id: str | None = None,
    put: Callable[[bytes], str] = lambda _text: "",
) -> tuple[Source, list[Passage]]:
    """Return the source those bytes are, and its passages, read in this process without a limit on time.

    `put` keeps the text of a file that is no plain text and returns its sha256.
    """
    form, document = _read_here(data, upload.name)
    return source_of(
        document,
        form,
        upload,
        size=len(data),
        source_id=source_id,
        persona_id=persona_id,
        kind=kind,
        run_id=run_id,
        put=put,
    )


def read_passages(data: bytes, name: str, *, source_id: str) -> list[Passage]:
    """Return the passages of a file of any format, read in this process, nothing stored."""
    return document_passages(_read_here(data, name)[1], source_id)


def _read_here(data: bytes, name: str) -> tuple[TextFormat, Document]:
    defaults = CorpusSettings()
    limits = ReadingLimits(defaults.max_unpacked_mb * MEGABYTE, defaults.max_pages)
    return read_document(data, name, limits=limits, tick=lambda _share: None)


def source_of(
    document: Document,
    form: TextFormat,
    upload: UploadedText,
    *,
    size: int,
    source_id: str,
    persona_id: str,
    kind: SourceKind | None,
    run_id: str | None,
    put: Callable[[bytes], str],
) -> tuple[Source, list[Passage]]:
    """Return the source a document is, and its passages; the kind is recognised where none is given."""
    passages = document_passages(document, source_id)
    source = Source(
        id=source_id,
        persona_id=persona_id,
        name=upload.name,
        kind=kind or detect_kind(passages, form),
        sha256=upload.sha256,
        size=size,
        encoding=document.encoding,
        characters=len(document.text),
        chapters=max((passage.chapter for passage in passages), default=0),
        imported_at=now(),
        run_id=run_id,
        format=form,
        text_sha256="" if document.blocks is None else put(document.text.encode("utf-8")),
    )
    return source, passages
