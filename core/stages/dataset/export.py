"""A version as the files people load: one file, or a zip that says where everything in it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, Split
from core.errors import InvalidInputError
from core.stages.dataset.formats import format_named
from core.stages.dataset.formats.archive import packed
from core.stages.dataset.formats.manifest import NAME, manifest
from core.stages.dataset.formats.parts import trainable
from core.stages.dataset.formats.rows import Origins
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
    kept, her, known = trainable(samples), persona or _nobody(version), origins or Origins()
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
    kept = trainable(samples)
    files = dict(row.write(version, kept, persona, origins))
    return packed({**files, NAME: manifest(row.name, version, kept, persona, origins, files)})


def _nobody(version: DatasetVersion) -> Persona:
    """Return a persona of whom nothing is known; formats that hold none do not ask."""
    return Persona(version.persona_id, version.persona_id, "", version.system_prompt, "")
