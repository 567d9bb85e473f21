"""A version as the files people load: one file, or a zip that says where everything in it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, Source, Split
from core.errors import InvalidInputError, NotFoundError
from core.stages.dataset.formats import format_named
from core.stages.dataset.formats.archive import packed
from core.stages.dataset.formats.manifest import NAME, manifest
from core.stages.dataset.formats.parts import trainable
from core.stages.dataset.formats.rows import Origins
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_


def export(
    version: DatasetVersion,
    samples: Iterable[Sample],
    *,
    format: str = "xtuner",
    persona: Persona | None = None,
    origins: Origins | None = None,
) -> bytes:
    """Return the samples as one file; both sides in it, where a format has a file for each.

    SettingsError for an unknown format, InvalidInputError for one of several files.
    """
    row = format_named(format)
    kept, her, known = row.choose(trainable(samples)), persona or _nobody(version), origins or Origins()
    files = row.write(version, kept, her, known)
    if len(files) > 1:
        files = row.write(version, [replace(sample, split=Split.TRAIN) for sample in kept], her, known)
    if len(files) > 1:
        raise InvalidInputError(
            N_("The format {format} consists of several files."),
            remedy=N_("Export it as a zip: give the file a name that ends in .zip."),
            format=format,
        )
    return next(iter(files.values()))


def export_archive(
    version: DatasetVersion, samples: Iterable[Sample], *, format: str, persona: Persona, origins: Origins
) -> bytes:
    """Return the samples as a zip with a manifest, a file a side; the same content gives the same bytes."""
    row = format_named(format)
    kept = row.choose(trainable(samples))
    files = dict(row.write(version, kept, persona, origins))
    return packed({**files, NAME: manifest(row.name, version, kept, persona, origins, files)})


def origins_of(version: DatasetVersion, samples: Iterable[Sample], store: Store, *, format: str) -> Origins:
    """Return what the store knows of where the samples come from; of sources deleted since, nothing."""
    used = {sample.source_id for sample in samples if sample.source_id}
    known = {source.id: source for one in sorted(used) for source in _sources(one, store)}
    if not format_named(format).needs_lines:
        return Origins(known)
    lines = (
        line
        for source in known
        for line in store.utterances.iterate(UtteranceFilter(version.persona_id, source_id=source))
    )
    return Origins(known, {line.id: line for line in lines})


def _sources(source_id: str, store: Store) -> list[Source]:
    try:
        return [store.corpus.source(source_id)]
    except NotFoundError:
        return []


def _nobody(version: DatasetVersion) -> Persona:
    """Return a persona of whom nothing is known; formats that hold none do not ask."""
    return Persona(version.persona_id, version.persona_id, "", version.system_prompt, "")
