"""Who speaks in the chat: her trained voice where one is in use and a server runs, else the built-in one."""

from __future__ import annotations

import dataclasses

import pytest

from core.domain.identity import now
from core.domain.training import Model, ModelKind
from core.errors import ConflictError, MissingArtifactError
from core.stages.chat.settings import ChatSettings
from core.stages.chat.voices import spoken_by, usual_voice, voice_choices

SERVERS = ("http://127.0.0.1:9880",)
FILE = {"sha256": "a" * 64, "bytes": 10}
CARD = {
    "version": "v2",
    "gpt": {"name": "gpt-1.ckpt", **FILE},
    "sovits": {"name": "sovits-1.pth", **FILE},
    "reference": {"name": "reference-1.wav", **FILE},
    "language": "zh",
}
AUTO = ChatSettings()


@pytest.fixture
def voice(store, persona):
    made = Model(
        id="voice-1",
        persona_id=persona.id,
        kind=ModelKind.VOICE,
        name="竹影",
        run_id=None,
        dataset_version_id=None,
        base="GPT-SoVITS v2",
        folder="models/voice-1",
        created_at=now(),
        manifest={"card": CARD},
    )
    store.models.add(made)
    return made


def chosen(persona, store, servers=SERVERS, settings=AUTO):
    return usual_voice(persona.id, settings=settings, store=store, servers=servers)


def test_the_built_in_voice_speaks_until_a_trained_one_is_in_use_and_a_server_runs(store, persona, voice):
    assert chosen(persona, store) == "formant"
    store.models.use(voice.id)
    assert chosen(persona, store, servers=()) == "formant"
    assert chosen(persona, store) == voice.id


def test_a_voice_that_is_named_in_the_settings_speaks_whatever_else_there_is(store, persona, voice):
    store.models.use(voice.id)

    assert chosen(persona, store, settings=ChatSettings(voice="formant")) == "formant"


def test_a_trained_voice_speaks_with_its_own_files_by_any_of_the_servers(store, persona, voice):
    spoken = spoken_by(voice.id, persona, store=store, settings=AUTO, servers=SERVERS)

    assert spoken.name == voice.id
    assert spoken.source.addresses == SERVERS
    assert spoken.source.trained is not None
    assert spoken.source.trained.gpt == (store.workspace / "models/voice-1/gpt-1.ckpt").resolve()


def test_a_trained_voice_without_a_server_says_what_to_do_when_it_should_speak(store, persona, voice):
    spoken = spoken_by(voice.id, persona, store=store, settings=AUTO, servers=())

    with pytest.raises(ConflictError, match="竹影"):
        spoken.built()


def test_a_removed_voice_says_so(store, persona, voice):
    store.models.remove(voice.id, who="test")
    spoken = spoken_by(voice.id, persona, store=store, settings=AUTO, servers=SERVERS)

    with pytest.raises(MissingArtifactError, match="竹影"):
        spoken.built()


def test_a_speech_server_of_the_openai_protocol_is_a_choice_where_one_is_named(store, persona):
    settings = ChatSettings(speech_url="http://127.0.0.1:8000/v1", speech_model="m", speech_voice="jade")

    spoken = spoken_by("openai", persona, store=store, settings=settings, servers=())

    assert spoken.source.endpoint is not None
    assert spoken.source.endpoint.base_url == "http://127.0.0.1:8000/v1"
    assert spoken.source.settings == {"voice": "jade"}
    assert "openai" in voice_choices(persona.id, settings=settings, store=store, servers=())
    assert "openai" not in voice_choices(persona.id, settings=AUTO, store=store, servers=())


def test_the_usual_voice_stands_first_and_silence_is_always_a_choice(store, persona, voice):
    store.models.use(voice.id)
    choices = voice_choices(persona.id, settings=AUTO, store=store, servers=SERVERS)

    assert choices[0] == voice.id
    assert choices[-1] == ""
    assert len(set(choices)) == len(choices)


def test_a_reply_leads_back_to_the_voice_that_spoke_it(store, persona, voice):
    talk = store.talks.start(persona.id, "x")
    from core.domain.chat import Message, Speaker

    said = store.talks.say(Message("msg-1", talk.id, 0, Speaker.PERSONA, "好。", now(), voice=voice.id))

    assert store.custody.of_message(said).voice == voice
    assert store.custody.of_message(dataclasses.replace(said, voice="formant")).voice is None
