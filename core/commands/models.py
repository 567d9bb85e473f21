"""Commands that train a model, talk with it, and keep the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.terminal import (
    Json,
    Settings,
    Who,
    answered,
    done_here,
    parsed,
    queued,
    studio,
    told_findings,
    version_named,
)
from core.errors import InvalidInputError
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.training import Model
    from core.services import Services
    from core.stages.finetuning.preflight import Preflight

app = typer.Typer(no_args_is_help=True, help="The trained text models.")

_GIGABYTE = 1e9

Named = Annotated[str, typer.Argument(metavar="MODEL", help="Id of the model; `latest` for the newest.")]


def finetune(
    version: Annotated[str, typer.Argument(help="Id of the dataset version; `latest` for the newest.")] = "latest",
    preset: Annotated[str, typer.Option(help="File of configs/finetuning.")] = "tiny-cpu",
    persona: Who = "",
    settings: Settings = [],  # noqa: B006 - typer copies it
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker and return.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what it needs and what stands in its way.")] = False,
    as_json: Json = False,
) -> None:
    """Train a text model with XTuner and register it."""
    from core.stages.finetuning.settings import preset_values

    with studio() as services:
        chosen = version_named(services, version, persona)
        wanted = {**preset_values(preset), "dataset_version_id": chosen.id, **parsed(settings)}
        if check:
            found = services.check_training(chosen.persona_id, wanted)
            answered(found.plain(), "\n".join(_checked(found)), as_json)
            raise typer.Exit(2 if found.blocking else 0)
        if queue:
            queued(services, "finetuning", chosen.persona_id, wanted, as_json=as_json)
            return
        done = done_here(services, "finetuning", chosen.persona_id, wanted)
    answered({"run": done.id, **done.result}, f"{done.id}: {json.dumps(done.result, ensure_ascii=False)}", as_json)


def _checked(found: Preflight) -> Iterator[str]:
    """Yield what a check before a training found, for people."""
    yield from told_findings(found.findings)
    if found.memory:
        needed, free = found.memory.total / _GIGABYTE, found.memory_free / _GIGABYTE
        yield f"memory: about {needed:.1f} GB, {free:.1f} GB free"
    if found.disk:
        yield f"disk: about {found.disk.total / _GIGABYTE:.2f} GB, {found.disk_free / _GIGABYTE:.1f} GB free"
    if found.plan:
        yield f"steps: {found.plan.steps}, {found.plan.steps_per_epoch} to an epoch"


def chat(
    said: Annotated[str, typer.Argument(help="What you say to her.")],
    model: Annotated[str, typer.Option(help="Id of a text model, or `retrieval`; the one in use by default.")] = "",
    wav: Annotated[Path | None, typer.Option(help="Write her voice here.")] = None,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Say something to her and read (or hear) the answer."""
    from core.services import seed
    from core.settings import stage_defaults
    from core.stages.chat.choice import choice_of, model_for
    from core.stages.chat.events import TextDelta
    from core.stages.chat.settings import ChatSettings
    from core.stages.chat.talk import Interlocutor, answer

    settings = stage_defaults("chat", ChatSettings)
    with studio() as services:
        seed(services)
        store = services.store
        her = store.personas.get(persona or services.settings.persona)
        choice = choice_of(model or None, her.id, settings=settings, store=store)
        model_asked = model_for(choice, her, settings=settings, store=store)
        mouth = services.chat.mouth(settings.voice if wav else "", her)
        reply = answer(said, Interlocutor(her, choice, model_asked, mouth, settings, store), None)
        for event in reply.follow():
            if isinstance(event, TextDelta) and not as_json:
                typer.echo(event.text, nl=False)
        said_back = store.talks.messages(reply.conversation_id)[-1]
        if wav is not None and said_back.sound_sha256:
            wav.write_bytes(store.files.read(said_back.sound_sha256))
    told = {"backend": said_back.backend, "model": said_back.model_id, "line": said_back.utterance_id}
    answered({"text": said_back.text, **told}, f"\n({said_back.model_id or said_back.backend})", as_json)


@app.command("list")
def model_list(persona: Who = "", as_json: Json = False) -> None:
    """List the models, newest first; a star marks the one that answers in the chat."""
    with studio() as services:
        models = _all(services, persona)
    lines = [f"{'*' if one.in_use else ' '} {one.id}  {one.name}: {_described(one)}" for one in models]
    answered({"models": [_plain(one) for one in models]}, "\n".join(lines) or "no models yet", as_json)


@app.command("use")
def model_use(
    model: Annotated[str, typer.Argument(help="Id of the model, `latest`, or `retrieval` for her own lines.")],
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Let the chat answer with a model from now on, or with her own lines."""
    from core.domain.training import ModelKind

    with studio() as services:
        if model == "retrieval":
            chosen = services.store.models.in_use(persona or services.settings.persona, ModelKind.TEXT)
            if chosen is not None:
                services.store.models.leave(chosen.id, who="cli")
            answered({"in_use": None}, "her own lines answer in the chat now", as_json)
            return
        named = _named(services, model, persona)
        services.store.models.use(named.id, who="cli")
    answered({"in_use": named.id}, f"{named.name} answers in the chat now", as_json)


@app.command("rename")
def model_rename(
    model: Named, name: Annotated[str, typer.Argument(help="The new name.")], persona: Who = "", as_json: Json = False
) -> None:
    """Give a model another name."""
    with studio() as services:
        named = _named(services, model, persona)
        services.store.models.rename(named.id, name, who="cli")
        renamed = services.store.models.get(named.id)
    answered(_plain(renamed), f"{renamed.id}: {renamed.name}", as_json)


@app.command("note")
def model_note(
    model: Named,
    text: Annotated[str, typer.Argument(help="What to write beside it; empty takes the note away.")],
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Write a note beside a model."""
    with studio() as services:
        named = _named(services, model, persona)
        services.store.models.annotate(named.id, text, who="cli")
        noted = services.store.models.get(named.id)
    answered(_plain(noted), f"{noted.id}: {noted.note}", as_json)


@app.command("quantise")
def model_quantise(model: Named = "latest", persona: Who = "", as_json: Json = False) -> None:
    """Make a 4-bit copy of a model and measure it beside the model."""
    with studio() as services:
        named = _named(services, model, persona)
        done = done_here(services, "quantising", named.persona_id, {"model_id": named.id})
    size, loss = done.result["bytes"], done.result["held_out_loss"]
    text = f"{named.id}: {size['model']} -> {size['4bit']} bytes, held-out loss {loss['model']} -> {loss['4bit']}"
    answered({"run": done.id, **done.result}, text, as_json)


@app.command("export")
def model_export(
    model: Named = "latest",
    part: Annotated[str, typer.Option(help="merged, adapter or 4bit.")] = "merged",
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Write a model as a folder that Hugging Face and ModelScope take, with its card."""
    with studio() as services:
        named = _named(services, model, persona)
        done = done_here(services, "model_export", named.persona_id, {"model_id": named.id, "part": part})
        folder = services.settings.workspace / done.result["folder"]
    answered({"run": done.id, **done.result}, f"{folder}: {done.result['files']} files", as_json)


@app.command("remove")
def model_remove(model: Annotated[str, typer.Argument(help="Id of the model.")], as_json: Json = False) -> None:
    """Delete a model's files; its record stays for the talks and scorecards that name it."""
    from core.store.model_folders import remove

    with studio() as services:
        remove(model, store=services.store, who="cli")
    answered({"removed": model}, f"{model} is removed", as_json)


def _all(services: Services, persona: str) -> list[Model]:
    from core.domain.training import ModelKind

    return services.store.models.all(persona or services.settings.persona, ModelKind.TEXT)


def _named(services: Services, model: str, persona: str) -> Model:
    """Return the model of that id; `latest` is the newest."""
    if model != "latest":
        return services.store.models.get(model)
    models = _all(services, persona)
    if not models:
        raise InvalidInputError(N_("There is no model yet."), remedy=N_("Train one first: `python -m core finetune`."))
    return models[0]


def _plain(model: Model) -> dict[str, Any]:
    from core.store.records import plain

    record: dict[str, Any] = plain(model)
    return record


def _described(model: Model) -> str:
    losses = [model.manifest.get("trial", {}).get(name, {}).get("held_out_loss") for name in ("base", "merged")]
    measured = f", held-out loss {losses[0]:.2f} -> {losses[1]:.2f}" if None not in losses else ""
    note = f"  ({model.note})" if model.note else ""
    return f"from {model.base}{measured}{note}"
