"""Which voices may speak in the chat, and how a chosen one is built."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread

from core.backends.llm import Endpoint
from core.backends.rows import build
from core.backends.tts import VOICES, Voice, VoiceSource, trained_voice
from core.domain.persona import Persona
from core.domain.training import Model, ModelKind
from core.domain.voice_training import VoiceCard
from core.errors import ConflictError, MissingArtifactError, StudioError
from core.settings import secret
from core.stages.chat.settings import ChatSettings
from core.store import Store
from core.translation import N_

AUTO, FORMANT, TRAINED, SERVED = "auto", "formant", "gpt-sovits", "openai"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A voice that is to be built when it speaks."""

    name: str
    """What a reply remembers: the id of a trained voice, else the backend's name."""
    backend: str
    source: VoiceSource = field(default_factory=VoiceSource)
    language: str = "zh"
    speed: float = 1.0
    refused: StudioError | None = None
    """Why it cannot speak, raised when it should."""

    def built(self) -> Voice:
        """Return the voice; StudioError with the remedy when it cannot be had."""
        if self.refused is not None:
            raise self.refused
        return build(VOICES, self.backend, self.source)


def voice_choices(persona_id: str, *, settings: ChatSettings, store: Store, servers: Sequence[str]) -> Sequence[str]:
    """Return the voices to choose from, the usual one first: her trained ones, the backends, and silence."""
    usual = usual_voice(persona_id, settings=settings, store=store, servers=servers)
    trained = [one.id for one in store.models.all(persona_id, ModelKind.VOICE)]
    served = [SERVED] if settings.speech_url else []
    return list(dict.fromkeys([usual, *trained, FORMANT, *served, ""]))


def usual_voice(persona_id: str, *, settings: ChatSettings, store: Store, servers: Sequence[str]) -> str:
    """Return who speaks when nobody chose."""
    if settings.voice != AUTO:
        return settings.voice
    chosen = store.models.in_use(persona_id, ModelKind.VOICE)
    return chosen.id if chosen and servers else FORMANT


def spoken_by(voice: str, persona: Persona, *, store: Store, settings: ChatSettings, servers: Sequence[str]) -> Spoken:
    """Return a voice by what it is called: `auto`, a backend, or the id of a trained one."""
    if voice == AUTO:
        voice = usual_voice(persona.id, settings=settings, store=store, servers=servers)
    if voice == SERVED:
        endpoint = Endpoint(settings.speech_url, settings.speech_model, secret(settings.speech_key) or "")
        return Spoken(SERVED, SERVED, VoiceSource({"voice": settings.speech_voice}, endpoint=endpoint))
    trained = {one.id: one for one in store.models.all(persona.id, ModelKind.VOICE, removed=True)}
    if voice in trained:
        return _trained(trained[voice], store, servers)
    return Spoken(voice, voice, VoiceSource(persona.voice))


def _trained(model: Model, store: Store, servers: Sequence[str]) -> Spoken:
    refused: StudioError | None = None
    if model.removed_at is not None:
        refused = MissingArtifactError(
            N_("The voice {name} was removed."), remedy=N_("Choose another voice."), name=model.name
        )
    elif not servers:
        refused = ConflictError(
            N_("No voice server runs, so {name} cannot speak."),
            remedy=N_("Start one on the voice training page, in the part “Server”."),
            name=model.name,
        )
    card = VoiceCard.model_validate(model.manifest["card"])
    source = VoiceSource(trained=card.trained((store.workspace / model.folder).resolve()), addresses=tuple(servers))
    return Spoken(model.id, TRAINED, source, card.language, card.sampling.speed, refused)


def prepare_voice(spoken: Spoken) -> None:
    """Have a trained voice loaded and warmed up in the background, so that her first words need not wait for it.

    Returns at once. What goes wrong is not said here: the reply will say it.
    """
    if spoken.backend != TRAINED or spoken.refused is not None:
        return
    key = (spoken.name, spoken.source.addresses)
    with _preparing:
        if key in _prepared:
            return
        _prepared.add(key)

    def load() -> None:
        with suppress(StudioError):
            trained_voice(spoken.source.trained, spoken.source.addresses).prepare()

    Thread(target=load, name=f"prepare {spoken.name}", daemon=True).start()


_prepared: set[tuple[str, tuple[str, ...]]] = set()
_preparing = Lock()
