"""Commands that train a model and talk with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.commands.terminal import Json, Settings, Who, answered, done_here, parsed, studio, version_named


def finetune(
    version: Annotated[str, typer.Argument(help="Id of the dataset version; `latest` for the newest.")] = "latest",
    preset: Annotated[str, typer.Option(help="File of configs/finetuning.")] = "tiny-cpu",
    persona: Who = "",
    settings: Settings = [],  # noqa: B006 - typer copies it
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker and return.")] = False,
    as_json: Json = False,
) -> None:
    """Train a text model with XTuner and register it."""
    from core.stages.finetuning.settings import preset_values

    with studio() as services:
        chosen = version_named(services, version, persona)
        wanted = {**preset_values(preset), "dataset_version_id": chosen.id, **parsed(settings)}
        if queue:
            run = services.jobs.submit("finetuning", chosen.persona_id, wanted, who="cli")
            answered({"run": run.id}, f"queued as {run.id}", as_json)
            return
        done = done_here(services, "finetuning", chosen.persona_id, wanted)
    answered({"run": done.id, **done.result}, f"{done.id}: {json.dumps(done.result, ensure_ascii=False)}", as_json)


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
    from core.stages.chat.mouth import mouth_of
    from core.stages.chat.settings import ChatSettings
    from core.stages.chat.talk import answer, begin

    settings = stage_defaults("chat", ChatSettings)
    with studio() as services:
        seed(services)
        store = services.store
        her = store.personas.get(persona or services.settings.persona)
        choice = choice_of(model or None, her.id, settings=settings, store=store)
        talk = begin(her, said, settings=settings, store=store)
        events = answer(
            said,
            conversation=talk,
            persona=her,
            choice=choice,
            model=model_for(choice, her, settings=settings, store=store),
            mouth=mouth_of(settings.voice if wav else "", her, store=store),
            settings=settings,
            store=store,
        )
        for event in events:
            if isinstance(event, TextDelta) and not as_json:
                typer.echo(event.text, nl=False)
        reply = store.talks.messages(talk.id)[-1]
        if wav is not None and reply.sound_sha256:
            wav.write_bytes(store.files.read(reply.sound_sha256))
    made_by = {"text": reply.text, "backend": reply.backend, "model": reply.model_id, "line": reply.utterance_id}
    answered(made_by, f"\n({reply.model_id or reply.backend})", as_json)
