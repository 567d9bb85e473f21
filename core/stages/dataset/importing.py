"""Importing: a dataset that somebody brings becomes a version of the persona's, as immutable as those built here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from core.domain.identity import new_id, now
from core.domain.section import Section
from core.domain.text import DatasetVersion, Sample, Split
from core.errors import InvalidInputError
from core.jobs.context import RunContext
from core.stages.dataset.build import content_fingerprint
from core.stages.dataset.conversations import numbered
from core.stages.dataset.formats.report import CheckReport
from core.stages.dataset.formats.upload import read_upload
from core.stages.dataset.statistics import statistics
from core.store import Store
from core.translation import N_


class ImportSettings(Section):
    """Which file of the content store to import, and how it is called here."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="The file, by its content.")
    file: str = Field(max_length=300, description="The file's name.")
    format: str = Field(default="", description="Row of the table of formats; empty to tell it by the content.")
    name: str = Field(default="", max_length=100, description="The version's name; empty to number it.")
    note: str = Field(default="", max_length=2000, description="What this version is for.")


def run(settings: ImportSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Make a version of the file's samples; return its id, and how reading it went."""
    version_id = context.step("version", lambda: new_id("ver"))
    context.progress(0.1, N_("Reading the file"))
    found = read_upload(store.files.read(settings.sha256), settings.file, format=settings.format)
    context.check()
    if not found.samples:
        raise InvalidInputError(
            N_("There is no conversation in {name} to make a version of."),
            remedy=N_("Look at its check report, or choose another file."),
            name=settings.file,
        )
    persona = store.personas.get(context.run.persona_id)
    samples = _numbered(found.samples)
    if not any(one.id == version_id for one in store.datasets.versions(persona.id)):
        context.progress(0.6, N_("Freezing the version"))
        prompt = found.system_prompt or persona.system_prompt
        store.datasets.add(_version(version_id, settings, prompt, samples, context, store), samples)
    for finding in found.report.findings:
        context.log(str(finding))
    context.progress(1.0, N_("{count} samples imported"), count=len(samples))
    return {"version": version_id, "samples": len(samples), **_counts(found.report)}


def _numbered(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples under their own numbers where these are all different, else under new ones."""
    return list(samples) if len({one.ordinal for one in samples}) == len(samples) else numbered(samples)


def _version(
    version_id: str, settings: ImportSettings, prompt: str, samples: Sequence[Sample], context: RunContext, store: Store
) -> DatasetVersion:
    persona_id = context.run.persona_id
    held_out = sum(sample.split is Split.HELD_OUT for sample in samples)
    names = {source.id: source.name for source in store.corpus.sources(persona_id)}
    unknown = {sample.source_id: settings.file for sample in samples if sample.source_id not in names}
    return DatasetVersion(
        id=version_id,
        persona_id=persona_id,
        name=settings.name or store.datasets.free_name(persona_id),
        note=settings.note,
        fingerprint=content_fingerprint(prompt, samples),
        system_prompt=prompt,
        settings=settings.model_dump(mode="json", exclude={"name", "note"}),
        train_samples=len(samples) - held_out,
        held_out_samples=held_out,
        created_at=now(),
        run_id=context.run.id,
        statistics=statistics(samples, names | unknown),
    )


def _counts(report: CheckReport) -> dict[str, int]:
    return {"read": report.read, "repaired": report.repaired, "refused": report.refused}
