from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from core.backends.llm import ChatRole
from core.domain.chat import Conversation, Message, Speaker
from core.domain.identity import now
from core.domain.voice import Sound
from core.errors import InvalidInputError, ToolFailedError
from core.stages.chat.choice import Choice
from core.stages.chat.events import Done, SoundReady, TextDelta, TextDone, VoiceFailed
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import answer, begin, turns_of
from core.store import Store
from tests.contract.doubles import EchoModel, SineVoice

SETTINGS = ChatSettings(history_messages=4, max_characters=50)
CHOICE = Choice("echo", "Echo")


class Mouth:
    """Speaks with the double; `broken` fails instead."""

    name = "sine"

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    def of_line(self, utterance_id: str) -> Sound | None:
        return None

    def of_text(self, text: str) -> Sound:
        if self.broken:
            raise ToolFailedError("The voice broke.", remedy="None.")
        return SineVoice().speak(text)


@pytest.fixture
def talk(store, persona):
    return begin(persona, "可好些了？今日", settings=SETTINGS, store=store)


@pytest.fixture
def ask(store, persona, talk):
    """Ask her something with a model and a mouth; returns the iterator of events."""

    def asking(said, *, model=None, mouth=None, cancel=None):
        return answer(
            said, conversation=talk, persona=persona, choice=CHOICE, model=model or EchoModel(), mouth=mouth,
            settings=SETTINGS, store=store, cancel=cancel,
        )  # fmt: skip

    return asking


def messages(store: Store, talk: Conversation) -> list[tuple[Speaker, str]]:
    return [(message.speaker, message.text) for message in store.talks.messages(talk.id)]


def test_a_conversation_begins_with_her_greeting_and_is_named_after_the_first_words(store, persona, talk):
    assert talk.title == "可好些了？今日"
    assert messages(store, talk) == [(Speaker.PERSONA, persona.greeting)]


def test_both_sides_are_stored_and_the_reply_names_what_made_it(store, talk, ask):
    events = list(ask("你好。外头冷么？", mouth=Mouth()))
    done = events[-1]
    stored = store.talks.messages(talk.id)[-1]

    assert isinstance(done, Done)
    assert done.message == stored
    assert (stored.backend, stored.voice, stored.speaker) == ("echo", "sine", Speaker.PERSONA)
    assert set(stored.timings) == {"first_word", "text", "first_audio"}
    assert stored.timings["first_word"] <= stored.timings["text"]
    assert messages(store, talk)[-2:] == [(Speaker.VISITOR, "你好。外头冷么？"), (Speaker.PERSONA, "你好。外头冷么？")]


def test_the_sound_of_the_reply_is_kept_whole(store, ask):
    events = list(ask("你好。外头冷么？", mouth=Mouth()))
    parts = sum(event.sound.seconds for event in events if isinstance(event, SoundReady))
    wav = store.files.read(events[-1].message.sound_sha256)

    assert len(wav) == pytest.approx(44 + parts * 8_000 * 2, abs=2)


def test_the_message_is_stored_when_the_text_ends_not_when_the_sound_does(store, talk, ask):
    for event in ask("你好。", mouth=Mouth()):
        if isinstance(event, TextDone):
            break

    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。")


def test_a_silent_reply_has_neither_voice_nor_sound(store, talk, ask):
    list(ask("你好。"))
    stored = store.talks.messages(talk.id)[-1]

    assert (stored.voice, stored.sound_sha256) == (None, None)


def test_a_broken_voice_is_said_once_and_the_reply_is_whole(store, talk, ask):
    events = list(ask("你好。外头冷么？", mouth=Mouth(broken=True)))

    assert [type(event) for event in events].count(VoiceFailed) == 1
    assert isinstance(events[-1], Done)
    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。外头冷么？")


def test_what_she_said_before_the_model_broke_is_kept(store, talk, ask):
    with pytest.raises(ToolFailedError):
        list(ask("你好。外头冷么？", model=EchoModel(breaks_after=3)))

    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。")


def test_what_she_said_before_a_stop_is_kept(store, talk, ask):
    cancel = threading.Event()
    for event in ask("你好。外头冷么？", model=EchoModel(pause=0.01), cancel=cancel):
        if isinstance(event, TextDelta):
            cancel.set()
    speaker, text = messages(store, talk)[-1]

    assert speaker is Speaker.PERSONA
    assert "你好。外头冷么？".startswith(text)


def test_what_she_said_before_the_page_was_left_is_kept(store, talk, ask):
    events = ask("你好。外头冷么？", model=EchoModel(pause=0.01))
    next(events)
    events.close()

    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你")


def test_a_model_that_says_nothing_leaves_no_empty_message(store, talk, ask):
    with pytest.raises(ToolFailedError):
        list(ask("你好。", model=EchoModel(breaks_after=0)))

    assert messages(store, talk)[-1] == (Speaker.VISITOR, "你好。")


@pytest.mark.parametrize("said", ["", "  \n ", "长" * 51], ids=["nothing", "blank", "too long"])
def test_nothing_or_too_much_is_refused_at_once_and_not_stored(store, talk, ask, said):
    with pytest.raises(InvalidInputError):
        ask(said)

    assert len(messages(store, talk)) == 1


def test_the_model_is_shown_who_she_is_and_the_last_messages(persona, ask):
    model = EchoModel()
    for said in ("一", "二", "三", "四"):
        list(ask(said, model=model))
    shown = model.asked[-1]

    assert (shown[0].role, shown[0].text) == (ChatRole.SYSTEM, persona.system_prompt)
    assert [turn.text for turn in shown[1:]] == ["二", "二", "三", "三", "四"]


def test_what_the_model_is_shown_begins_with_the_visitor(persona):
    greeting = Message("m", "t", 0, Speaker.PERSONA, "你来了。", now())
    said = Message("n", "t", 1, Speaker.VISITOR, "来了。", now())
    turns = turns_of([greeting, said], "可好？", persona=persona, settings=SETTINGS)

    assert [turn.text for turn in turns] == ["你是沈青。", "来了。", "可好？"]


def test_no_history_is_shown_when_none_is_wanted(persona):
    said = Message("n", "t", 1, Speaker.VISITOR, "来了。", now())
    none = SETTINGS.model_copy(update={"history_messages": 0})
    turns = turns_of([said], "可好？", persona=replace(persona, system_prompt=""), settings=none)

    assert [turn.text for turn in turns] == ["可好？"]
