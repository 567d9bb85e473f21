"""Commands about dataset versions: build, export, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.terminal import Json, Settings, Who, answered, content, done_here, parsed, studio, version_named
from core.errors import InvalidInputError
from core.translation import N_

app = typer.Typer(no_args_is_help=True, help="Dataset versions.")


@app.command("build")
def dataset_build(persona: Who = "", settings: Settings = [], as_json: Json = False) -> None:  # noqa: B006 - typer copies it
    """Freeze the lines of the store as a new dataset version."""
    with studio() as services:
        done = done_here(services, "dataset", persona, parsed(settings))
        version = services.store.datasets.get(done.result["version"])
    counts = f"{version.train_samples} train, {version.held_out_samples} held out"
    text = f"{version.id}: {counts}, {version.fingerprint[:12]}"
    answered(dict(done.result), text, as_json)


@app.command("export")
def dataset_export(
    version: Annotated[str, typer.Argument(help="Id of the version; `latest` for the newest.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="Row of the table in docs/formats.md.")] = "xtuner",
    split: Annotated[str, typer.Option(help="train, held-out, or all; a zip has all by default.")] = "",
    persona: Who = "",
) -> None:
    """Write a dataset version in a format people load; a name ending in .zip adds a manifest of origins."""
    from core.domain.text import Split
    from core.stages.dataset.export import export, export_archive, origins_of

    zipped = out.suffix.casefold() == ".zip"
    split = split or ("all" if zipped else "train")
    if split not in (*Split, "all"):
        raise InvalidInputError(
            N_("{split} is not a part of a dataset version."), remedy=N_("Choose train, held-out or all."), split=split
        )
    with studio() as services:
        chosen = version_named(services, version, persona)
        samples = services.store.datasets.samples(chosen.id, split=None if split == "all" else Split(split))
        her = services.store.personas.get(chosen.persona_id)
        write = export_archive if zipped else export
        known = origins_of(chosen, samples, services.store, format=form)
        written = write(chosen, samples, format=form, persona=her, origins=known)
    out.write_bytes(written)
    typer.echo(f"{out}: {len(samples)} samples of {chosen.id}")


@app.command("check")
def dataset_check(
    file: Annotated[Path, typer.Argument(help="A file of any format of docs/formats.md, or a zip.")],
    form: Annotated[str, typer.Option("--format", help="Row of the table; told by the content by default.")] = "",
    as_json: Json = False,
) -> None:
    """Read somebody's dataset and say what is in it, what was repaired and what was refused, line by line."""
    from core.stages.dataset.formats.upload import read_upload

    found = read_upload(content(file), file.name, format=form)
    report = found.report
    counts: dict[str, Any] = {"read": report.read, "repaired": report.repaired, "refused": report.refused}
    lines = [str(finding) for finding in report.findings]
    text = f"{report.read} read, {report.repaired} of them repaired, {report.refused} refused"
    counts |= {"findings": lines, "unknown_fields": dict(report.unknown_fields)}
    answered(counts, "\n".join([text, *lines]), as_json)
