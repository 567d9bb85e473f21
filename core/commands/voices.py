"""Commands about voices: recordings, clips and clip sets; where GPT-SoVITS is, training, serving."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands.terminal import (
    Json,
    Settings,
    Who,
    answered,
    done_here,
    opened,
    parsed,
    queued,
    studio,
    told_findings,
)
from core.errors import InvalidInputError
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.voice import ClipSet, Recording, SetClip
    from core.services import Services
    from core.stages.voice_dataset.export import About

app = typer.Typer(no_args_is_help=True, help="Recordings, clips, clip sets; training and serving a voice.")


@app.command("import")
def voice_import(
    file: Annotated[Path, typer.Argument(help="A sound or video file; the content counts, not the name.")],
    subtitles: Annotated[Path | None, typer.Option(help="Subtitles beside it: srt, ass, vtt or a transcript.")] = None,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Import a recording; the file is kept as it is."""
    with studio() as services, opened(file) as stream, ExitStack() as beside:
        words = beside.enter_context(opened(subtitles)) if subtitles else None
        wanted = services.receive_recording(stream, file.name, words, subtitles.name if subtitles else "")
        done = done_here(services, "recording", persona, wanted)
        recording = services.store.voice.recording(done.result["recording_id"])
    shape = f"{recording.container}, {recording.sample_rate} Hz, {recording.seconds:.1f} s"
    answered(dict(done.result), f"{recording.id}  {recording.name}: {shape}", as_json)


@app.command("cut")
def voice_cut(
    recording: Annotated[str, typer.Argument(help="Id of the recording; `latest` for the newest.")] = "latest",
    by: Annotated[str, typer.Option(help="silence, subtitles, or lines: only her lines of the book.")] = "silence",
    settings: Settings = [],  # noqa: B006 - typer copies it
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Cut a recording into clips, on its silences, at its subtitles, or where her lines are spoken."""
    with studio() as services:
        chosen = _recording_named(services, recording, persona)
        done = done_here(services, "voice_dataset", persona, {"recording_id": chosen.id, "by": by, **parsed(settings)})
    result = done.result
    text = f"{result['clips']} clips of {chosen.name}, {result['there_already']} were there already"
    answered(dict(result), text, as_json)


@app.command("freeze")
def voice_freeze(persona: Who = "", settings: Settings = [], as_json: Json = False) -> None:  # noqa: B006 - typer copies it
    """Freeze the accepted clips of the store as a new set."""
    with studio() as services:
        done = done_here(services, "clip_set", persona, parsed(settings))
        clip_set = services.store.clip_sets.get(done.result["clip_set_id"])
    left_out = ", ".join(f"{count} {why}" for why, count in done.result["left_out"].items()) or "none"
    counts = f"{clip_set.clips} clips, {clip_set.seconds:.1f} s, {clip_set.fingerprint[:12]}; left out: {left_out}"
    answered(dict(done.result), f"{clip_set.id}: {counts}", as_json)


@app.command("export")
def voice_export(
    clip_set: Annotated[str, typer.Argument(help="Id of the set; `latest` for the newest.")],
    out: Annotated[Path, typer.Argument(help="A .zip, a .list, or a new folder.")],
    form: Annotated[str, typer.Option("--format", help="gpt-sovits or audio-folder.")] = "gpt-sovits",
    absolute: Annotated[bool, typer.Option(help="Full paths in the list files of a folder.")] = False,
    root: Annotated[str, typer.Option(help="Folder a zip or a list is going to lie in: full paths.")] = "",
    licence: Annotated[str, typer.Option(help="Under which licence the recordings may be passed on.")] = "",
    persona: Who = "",
) -> None:
    """Write a clip set for GPT-SoVITS or Hugging Face, as a zip, a folder, or the list alone."""
    from core.stages.voice_dataset.export import export_folder, export_list, known_about

    with studio() as services:
        chosen = _set_named(services, clip_set, persona)
        clips = services.store.clip_sets.clips(chosen.id)
        about = known_about(chosen, clips, services.store, licence=licence, root=root)
        if out.suffix.casefold() == ".list":
            folder = f"{root.rstrip('/')}/wavs" if root else "wavs"
            out.write_text(export_list(chosen, clips, folder=folder), encoding="utf-8", newline="\n")
        elif out.suffix.casefold() == ".zip":
            _write_zip(services, out, chosen, clips, form, about)
        else:
            export_folder(out, chosen, clips, format=form, about=about, store=services.store, absolute=absolute)
    typer.echo(f"{out}: {len(clips)} clips of {chosen.id}")


@app.command("tool")
def voice_tool(
    folder: Annotated[Path | None, typer.Option(help="Folder of a checkout of GPT-SoVITS, to use from now on.")] = None,
    python: Annotated[Path | None, typer.Option(help="The Python of the environment it is installed in.")] = None,
    as_json: Json = False,
) -> None:
    """Look at GPT-SoVITS: whether it starts, and which models lack which files; say where it is."""
    with studio() as services:
        if folder is not None and python is not None:
            found = services.place_voice_tool(folder, python, who="cli")
        else:
            found = services.look_at_voice_tool()
    lines = [str(problem) for problem in found.problems]
    lines += [f"{model.version}: {', '.join(model.missing()) or 'ready'}" for model in found.models]
    told = {model.version: list(model.missing()) for model in found.models}
    plain = {"fine": found.fine, "commit": found.commit, "versions": dict(found.versions), "missing": told}
    answered({**plain, "gpus": list(found.gpus)}, "\n".join(lines), as_json)
    if not found.fine:
        raise typer.Exit(2)


@app.command("train")
def voice_train(
    clip_set: Annotated[str, typer.Argument(help="Id of the clip set; `latest` for the newest.")] = "latest",
    preset: Annotated[str, typer.Option(help="File of configs/voice_training.")] = "v2pro-gpu",
    persona: Who = "",
    settings: Settings = [],  # noqa: B006 - typer copies it
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker and return.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what it needs and what stands in its way.")] = False,
    as_json: Json = False,
) -> None:
    """Train a voice with GPT-SoVITS on a clip set, keep its weights and make a voice of the last."""
    from core.stages.voice_training.settings import preset_values

    with studio() as services:
        chosen = _set_named(services, clip_set, persona)
        wanted = {**preset_values(preset), "clip_set_id": chosen.id, **parsed(settings)}
        if check:
            found = services.check_voice_training(chosen.persona_id, wanted)
            needs = f"{found.clips} clips, {found.seconds:.0f} s; disk: about {found.disk_needed / 1e9:.1f} GB"
            answered(found.plain(), "\n".join([*told_findings(found.findings), needs]), as_json)
            raise typer.Exit(2 if found.blocking else 0)
        if queue:
            queued(services, "voice_training", chosen.persona_id, wanted, as_json=as_json)
            return
        done = done_here(services, "voice_training", chosen.persona_id, wanted)
    saved = ", ".join(f"{one['stage']} {one['epoch']}" for one in done.result["weights"])
    answered({"run": done.id, **done.result}, f"{done.id}: {saved}; voice {done.result['model']}", as_json)


@app.command("serve")
def voice_serve(
    voice: Annotated[str, typer.Argument(help="Id of the voice to load first; empty for none.")] = "",
    settings: Settings = [],  # noqa: B006 - typer copies it
    persona: Who = "",
) -> None:
    """Serve trained voices until Ctrl-C, watched and started again when needed."""
    with studio() as services:
        done_here(services, "voice_server", persona, {"model_id": voice, **parsed(settings)})


def _write_zip(
    services: Services, out: Path, clip_set: ClipSet, clips: Sequence[SetClip], form: str, about: About
) -> None:
    """Write beside and rename, so that what was broken off is never taken for whole."""
    from core.stages.voice_dataset.export import export_archive

    draft = out.with_name(f"{out.name}.draft")
    try:
        with draft.open("wb") as file:
            export_archive(file, clip_set, clips, format=form, about=about, store=services.store)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _recording_named(services: Services, recording: str, persona: str) -> Recording:
    """Return the recording of that id; `latest` is the newest."""
    if recording != "latest":
        return services.store.voice.recording(recording)
    known = services.store.voice.recordings(persona or services.settings.persona)
    if not known:
        raise InvalidInputError(
            N_("There is no recording yet."), remedy=N_("Import one first: `python -m core voice import`.")
        )
    return known[0]


def _set_named(services: Services, clip_set: str, persona: str) -> ClipSet:
    """Return the clip set of that id; `latest` is the newest."""
    if clip_set != "latest":
        return services.store.clip_sets.get(clip_set)
    known = services.store.clip_sets.sets(persona or services.settings.persona)
    if not known:
        raise InvalidInputError(
            N_("There is no clip set yet."), remedy=N_("Freeze one first: `python -m core voice freeze`.")
        )
    return known[0]
