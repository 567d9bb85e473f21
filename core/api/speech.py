"""`POST /v1/audio/speech`: words spoken by a voice of the persona's, sent clause by clause."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from core.api.encoding import ENCODERS
from core.api.streaming import streamed
from core.api.words import Words
from core.backends.tts import nothing_to_say
from core.domain.persona import Persona
from core.errors import InvalidInputError
from core.services import Services
from core.settings import stage_defaults
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.mouth import PersonaMouth
from core.stages.chat.settings import ChatSettings
from core.translation import N_

USUAL: Final = "usual"
_AUTO: Final = "auto"
OPENAI_VOICES: Final = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()  # noqa: SIM905 - names
)
"""What clients send when nobody has chosen a voice; her usual one speaks."""


def _voice_id(voice: object) -> object:
    """Return the id of a voice as newer clients send it, `{"id": …}`; none at all is the usual one."""
    if voice is None:
        return USUAL
    return voice.get("id") if isinstance(voice, dict) else voice


class SpeechRequest(BaseModel):
    """What is heeded of a request; the rest is ignored."""

    model: Words = Field(default="", max_length=200, description="A persona's; any other name means the usual persona.")
    input: Words = Field(min_length=1, description="The words.")
    voice: Annotated[Words, BeforeValidator(_voice_id)] = Field(
        default=USUAL, max_length=200, description="`usual`, a persona, or the id of a voice."
    )
    response_format: Literal["mp3", "wav", "pcm"] | None = "mp3"
    speed: float | None = Field(default=1, ge=1, le=1, description="Her own pace; no other is made.")
    stream_format: Literal["audio"] | None = "audio"


async def speak(request: Request, asked: SpeechRequest) -> Response:
    """Answer with sound, the first clause as soon as it is spoken."""
    _, media_type = ENCODERS[asked.response_format or "mp3"]
    return await streamed(request, lambda stop: _spoken(asked, request.app.state.studio, stop), media_type)


def mouth_for(voice: str, model: str, studio: Services) -> PersonaMouth:
    """Return what speaks; InvalidInputError for a voice that nobody has."""
    people = {one.id: one for one in studio.store.personas.all()}
    usual = people.get(model.partition("/")[0]) or studio.store.personas.get(studio.settings.persona)
    persona, chosen = _chosen(voice, usual, people, studio)
    mouth = studio.chat.mouth(chosen or stage_defaults("chat", ChatSettings).voice or _AUTO, persona)
    assert mouth is not None  # only an empty name is silence
    return mouth


def _chosen(voice: str, usual: Persona, people: dict[str, Persona], studio: Services) -> tuple[Persona, str]:
    """Return whose voice is meant, and which; an empty name for the usual one."""
    if voice in (USUAL, _AUTO) or voice in OPENAI_VOICES:
        return usual, ""
    if voice in people:
        return people[voice], ""
    for persona in (usual, *people.values()):
        if voice and voice in studio.chat.voice_choices(persona):
            return persona, voice
    raise InvalidInputError(
        N_("There is no voice {voice}."),
        remedy=N_("Choose one of: {known}."),
        voice=voice,
        known=", ".join([USUAL, *people, *(one for one in studio.chat.voice_choices(usual) if one)]),
    )


def _spoken(asked: SpeechRequest, studio: Services, stop: Event) -> Iterator[bytes]:
    settings = stage_defaults("chat", ChatSettings)
    encoder = ENCODERS[asked.response_format or "mp3"][0]()
    mouth = mouth_for(asked.voice, asked.model, studio)
    for clause in clauses_of(asked.input, studio.settings.api.max_speech_characters, settings):
        if stop.is_set():
            return
        yield encoder.feed(mouth.of_text(clause))
    yield encoder.flush()


def clauses_of(text: str, most: int, settings: ChatSettings) -> list[str]:
    """Return what is spoken one after the other; InvalidInputError for no words or too many."""
    if len(text) > most:
        raise InvalidInputError(
            N_("That is too long to speak at once: {length} characters."),
            remedy=N_("Give at most {most} at a time."),
            length=len(text),
            most=most,
        )
    segmenter = ClauseSegmenter(shortest=settings.first_clause, longest=settings.longest_clause)
    clauses = [*segmenter.feed(text), *segmenter.flush()]
    if not clauses:
        raise nothing_to_say()
    said = clauses[:1]  # alone, to be heard soon
    for clause in clauses[1:]:
        if len(said) > 1 and len(said[-1]) < settings.clause:
            said[-1] += clause
        else:
            said.append(clause)
    return said
