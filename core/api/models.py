"""Who may be asked, by the names that clients use: `<persona>`, and `<persona>/<model>` for each that may answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import Request
from starlette.responses import JSONResponse

from core.api.streaming import done
from core.domain.persona import Persona
from core.errors import NotFoundError
from core.services import Services
from core.settings import stage_defaults
from core.stages.chat.choice import Choice, choice_of, choices, usual_choice
from core.stages.chat.settings import ChatSettings
from core.translation import N_

OWNER: Final = "chat-daiyu"


async def all_models(request: Request) -> JSONResponse:
    """List who may be asked."""
    listed = await done(request, lambda _stop: list(_listed(request.app.state.studio)))
    return JSONResponse({"object": "list", "data": listed})


async def one_model(request: Request, model: str) -> JSONResponse:
    """Tell of one of them; 404 where there is none of that name."""
    listed = await done(request, lambda _stop: {one["id"]: one for one in _listed(request.app.state.studio)})
    if model not in listed:
        raise no_model(model)
    return JSONResponse(listed[model])


def answerer(model: str, studio: Services, settings: ChatSettings) -> tuple[Persona, Choice]:
    """Return who is meant by a model's name; NotFoundError for nobody."""
    persona_id, slash, choice_id = model.partition("/")
    persona = next((one for one in studio.store.personas.all() if one.id == persona_id), None)
    if persona is None:
        raise no_model(model)
    return persona, choice_of(choice_id if slash else None, persona.id, settings=settings, store=studio.store)


def no_model(model: str) -> NotFoundError:
    """Return what is raised for a name that nobody has."""
    return NotFoundError(
        N_("There is no model {model}."), remedy=N_("GET /v1/models lists those there are."), model=model
    )


def _listed(studio: Services) -> Iterator[dict[str, Any]]:
    settings = stage_defaults("chat", ChatSettings)
    for persona in studio.store.personas.all():
        made = {one.id: int(one.created_at.timestamp()) for one in studio.store.models.all(persona.id, removed=True)}
        usual = usual_choice(persona.id, store=studio.store)
        yield _row(persona.id, persona.name, made.get(usual.model_id or "", 0))
        for one in choices(persona.id, settings=settings, store=studio.store):
            yield _row(f"{persona.id}/{one.id}", f"{persona.name}: {one.title}", made.get(one.model_id or "", 0))


def _row(name: str, title: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": OWNER, "name": title}
