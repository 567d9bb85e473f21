"""Which models may answer, and how a chosen one is built."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread

from core.backends.llm import CHAT_MODELS, ChatModel, Endpoint, ModelSource
from core.backends.rows import build
from core.domain.persona import Persona
from core.domain.training import ModelKind
from core.errors import NotFoundError, StudioError
from core.settings import secret
from core.stages.chat.lines import lines_of
from core.stages.chat.settings import ChatSettings
from core.store import Store
from core.translation import N_


@dataclass(frozen=True, slots=True)
class Choice:
    """A model a visitor may talk with."""

    backend: str
    title: str
    """Marked for translation, or a model's own name."""
    model_id: str | None = None

    @property
    def id(self) -> str:
        """What a page remembers, and `choice_of` understands: the model's id, else the backend's name."""
        return self.model_id or self.backend


def choices(persona_id: str, *, settings: ChatSettings, store: Store) -> tuple[Choice, ...]:
    """Return who may answer: her own lines, her text models newest first, the configured server."""
    trained = (Choice("transformers", model.name, model.id) for model in store.models.all(persona_id, ModelKind.TEXT))
    served = (Choice("openai", settings.endpoint_model or N_("Chat server")),) if settings.endpoint_url else ()
    return (Choice("retrieval", N_("Her own lines")), *trained, *served)


def usual_choice(persona_id: str, *, store: Store) -> Choice:
    """Return who answers when nobody chose: the model in use, else her own lines."""
    model = store.models.in_use(persona_id, ModelKind.TEXT)
    return Choice("transformers", model.name, model.id) if model else Choice("retrieval", N_("Her own lines"))


def choice_of(choice_id: str | None, persona_id: str, *, settings: ChatSettings, store: Store) -> Choice:
    """Return the choice of that id, or the usual one for None; NotFoundError when it is gone."""
    if choice_id is None:
        return usual_choice(persona_id, store=store)
    for choice in choices(persona_id, settings=settings, store=store):
        if choice.id == choice_id:
            return choice
    raise NotFoundError(
        N_("There is no model {model} to talk with."), remedy=N_("Choose another one."), model=choice_id
    )


def model_for(choice: Choice, persona: Persona, *, settings: ChatSettings, store: Store) -> ChatModel:
    """Build the chosen model; cheap to call for every reply, since backends share what is heavy."""
    return build(CHAT_MODELS, choice.backend, _source(choice, persona, settings, store))


def prepare(choice: Choice, persona: Persona, *, settings: ChatSettings, store: Store) -> None:
    """Begin to load the chosen model in the background, once, so that the first reply need not wait for it.

    Returns at once. What goes wrong is not said here: the reply will say it.
    """
    key = (str(store.workspace), persona.id, choice.id)
    with _preparing:
        if key in _prepared:
            return
        _prepared.add(key)

    def load() -> None:
        with suppress(StudioError):
            model_for(choice, persona, settings=settings, store=store).prepare()

    Thread(target=load, name=f"prepare {choice.id}", daemon=True).start()


_prepared: set[tuple[str, str, str]] = set()
_preparing = Lock()


def _source(choice: Choice, persona: Persona, settings: ChatSettings, store: Store) -> ModelSource:
    if choice.model_id:
        return ModelSource(folder=store.workspace / store.models.get(choice.model_id).folder)
    if choice.backend == "retrieval":
        return ModelSource(lines=lines_of(persona, store))
    key = secret(settings.endpoint_key) or ""
    return ModelSource(endpoint=Endpoint(settings.endpoint_url, settings.endpoint_model, key))
