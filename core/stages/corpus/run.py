"""Import: received files become sources with their passages."""

from __future__ import annotations

from typing import Any

from core.domain.identity import new_id, now
from core.domain.text import Passage, Source, SourceKind
from core.errors import ConflictError, InvalidInputError
from core.jobs.context import RunContext
from core.stages.corpus.chapters import split_passages
from core.stages.corpus.encoding import decode
from core.stages.corpus.kinds import detect_kind
from core.stages.corpus.settings import CorpusSettings, UploadedText
from core.store import Store
from core.translation import N_


def run(settings: CorpusSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Import every received file; return the new sources' ids and what was found in them."""
    if not settings.uploads:
        raise InvalidInputError(N_("No file was chosen."), remedy=N_("Choose one or more text files."))
    imported: list[Source] = []
    known: list[ConflictError] = []
    for position, upload in enumerate(settings.uploads):
        context.check()
        context.progress(position / len(settings.uploads), N_("Reading {name}"), name=upload.name)
        source_id = context.step(f"source-{position}", lambda: new_id("src"))
        try:
            imported.append(_import(upload, source_id, settings, context, store))
        except ConflictError as conflict:
            context.log(str(conflict))
            known.append(conflict)
    if not imported:
        raise known[0]
    context.progress(1.0, N_("Imported {count} texts"), count=len(imported))
    return {
        "sources": [source.id for source in imported],
        "chapters": sum(source.chapters for source in imported),
        "characters": sum(source.characters for source in imported),
        "already_there": len(known),
    }


def _import(
    upload: UploadedText, source_id: str, settings: CorpusSettings, context: RunContext, store: Store
) -> Source:
    persona_id = context.run.persona_id
    data = store.files.read(upload.sha256)
    source, passages = read_source(
        data, upload, source_id=source_id, persona_id=persona_id, kind=settings.kind, run_id=context.run.id
    )
    store.corpus.add(source, passages, who=context.run.created_by)
    context.log(f"{source.name}: {source.kind.value}, {source.encoding}, {source.chapters} chapters")
    return source


def read_source(
    data: bytes,
    upload: UploadedText,
    *,
    source_id: str,
    persona_id: str,
    kind: SourceKind | None = None,
    run_id: str | None = None,
) -> tuple[Source, list[Passage]]:
    """Return the source those bytes are, and its passages; the kind is recognised where none is given."""
    text, encoding = decode(data, upload.name)
    passages = split_passages(text, source_id)
    source = Source(
        id=source_id,
        persona_id=persona_id,
        name=upload.name,
        kind=kind or detect_kind(passages),
        sha256=upload.sha256,
        size=len(data),
        encoding=encoding,
        characters=len(text),
        chapters=max((passage.chapter for passage in passages), default=0),
        imported_at=now(),
        run_id=run_id,
    )
    return source, passages
