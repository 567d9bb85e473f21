from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from core.backends.filters import Verdict
from core.backends.llm import ChatRole
from core.domain.chat import Conversation, Speaker
from core.domain.sounds import sound_of
from core.errors import InvalidInputError, ToolFailedError
from core.stages.chat.choice import Choice
from core.stages.chat.events import Done, ReplyEvent, SoundReady, TextDelta, TextDone, VoiceFailed
from core.stages.chat.guard import Guard
from core.stages.chat.live import Pulse, Reply, under_way
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import Interlocutor, answer, answer_again, begin
from core.store import Store
from tests.contract.doubles import EchoModel, tone
from tests.unit.stages.chat.mouths import HummingMouth
from tests.unit.stages.chat.test_memory import told


class ForbiddenWords:
    """Refuses what names a bad word."""

    name = "double"

    def refused(self, text: str) -> Verdict | None:
        return Verdict("bad") if "坏话" in text else None

    def close(self) -> None:
        pass


SETTINGS = ChatSettings(history_messages=4, max_characters=50)
CHOICE = Choice("echo", "Echo")


@pytest.fixture
def talk(store, persona):
    return begin(persona, "可好些了？今日", settings=SETTINGS, store=store)


@pytest.fixture
def ask(store, persona, talk):
    """Ask her something with a model and a mouth; returns her reply."""

    def asking(said, *, model=None, mouth=None, **more):
        return answer(said, Interlocutor(persona, CHOICE, model or EchoModel(), mouth, SETTINGS, store), talk, **more)

    return asking


def events_of(reply: Reply) -> list[ReplyEvent]:
    """Return all events of a reply."""
    return [event for event in reply.follow() if not isinstance(event, Pulse)]


def messages(store: Store, talk: Conversation) -> list[tuple[Speaker, str]]:
    return [(message.speaker, message.text) for message in store.talks.messages(talk.id)]


def test_a_conversation_begins_with_her_greeting_and_is_named_after_the_first_words(store, persona, talk):
    assert talk.title == "可好些了？今日"
    assert messages(store, talk) == [(Speaker.PERSONA, persona.greeting)]


def test_both_sides_are_stored_and_the_reply_names_what_made_it(store, talk, ask):
    events = events_of(ask("你好。外头冷么？", mouth=HummingMouth()))
    done = events[-1]
    stored = store.talks.messages(talk.id)[-1]

    assert isinstance(done, Done)
    assert done.message == stored
    assert (stored.backend, stored.voice, stored.speaker) == ("echo", "sine", Speaker.PERSONA)
    assert set(stored.timings) == {"first_word", "text", "first_audio"}
    assert stored.timings["first_word"] <= stored.timings["text"]
    assert messages(store, talk)[-2:] == [(Speaker.VISITOR, "你好。外头冷么？"), (Speaker.PERSONA, "你好。外头冷么？")]


def test_the_sound_of_the_reply_is_kept_whole(store, ask):
    events = events_of(ask("你好。外头冷么？", mouth=HummingMouth()))
    parts = sum(event.sound.seconds for event in events if isinstance(event, SoundReady))
    assert isinstance(events[-1], Done)
    wav = store.files.read(events[-1].message.sound_sha256)

    assert len(wav) == pytest.approx(44 + parts * 8_000 * 2, abs=2)


def test_the_message_is_stored_when_the_text_ends_not_when_the_sound_does(store, talk, ask):
    reply = ask("你好。", mouth=HummingMouth())
    for event in reply.follow():
        if isinstance(event, TextDone):
            assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。")


def test_a_silent_reply_has_neither_voice_nor_sound(store, talk, ask):
    events_of(ask("你好。"))
    stored = store.talks.messages(talk.id)[-1]

    assert (stored.voice, stored.sound_sha256) == (None, None)


def test_a_broken_voice_is_said_once_and_the_reply_is_whole(store, talk, ask):
    events = events_of(ask("你好。外头冷么？", mouth=HummingMouth(failing=0)))

    assert [type(event) for event in events].count(VoiceFailed) == 1
    assert isinstance(events[-1], Done)
    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。外头冷么？")


def test_what_she_said_before_the_model_broke_is_kept(store, talk, ask):
    with pytest.raises(ToolFailedError):
        events_of(ask("你好。外头冷么？", model=EchoModel(breaks_after=3)))

    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。")


def test_what_she_said_before_a_stop_is_kept_and_told(store, talk, ask):
    reply = ask("你好。外头冷么？", model=EchoModel(pause=0.05))
    told = []
    for event in reply.follow():
        told.append(event)
        if isinstance(event, TextDelta):
            reply.stop()
    speaker, text = messages(store, talk)[-1]

    assert speaker is Speaker.PERSONA
    assert "你好。外头冷么？".startswith(text)
    assert text != "你好。外头冷么？"
    assert told[-1] == Done(store.talks.messages(talk.id)[-1])


def test_a_reader_that_leaves_loses_nothing_and_one_that_comes_back_sees_all(store, talk, ask):
    reply = ask("你好。外头冷么？", model=EchoModel(pause=0.01), mouth=HummingMouth())
    leaving = reply.follow()
    next(leaving)
    leaving.close()
    again = under_way(talk.id)

    assert again is reply
    assert "".join(event.text for event in events_of(again) if isinstance(event, TextDelta)) == "你好。外头冷么？"
    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。外头冷么？")
    assert under_way(talk.id) is None


def test_a_new_message_interrupts_the_reply_before_it(store, talk, ask):
    first = ask("你好。外头冷么？", model=EchoModel(pause=0.1))
    next(first.follow())
    events_of(ask("罢了。"))
    said = messages(store, talk)

    assert first.over
    assert [speaker for speaker, _ in said[1:]] == [Speaker.VISITOR, Speaker.PERSONA] * 2
    assert said[2][1] != "你好。外头冷么？"
    assert said[-2:] == [(Speaker.VISITOR, "罢了。"), (Speaker.PERSONA, "罢了。")]


def test_a_model_that_says_nothing_leaves_no_empty_message(store, talk, ask):
    with pytest.raises(ToolFailedError):
        events_of(ask("你好。", model=EchoModel(breaks_after=0)))

    assert messages(store, talk)[-1] == (Speaker.VISITOR, "你好。")


@pytest.mark.parametrize("said", ["", "  \n ", "长" * 51], ids=["nothing", "blank", "too long"])
def test_nothing_or_too_much_is_refused_at_once_and_not_stored(store, talk, ask, said):
    with pytest.raises(InvalidInputError):
        ask(said)

    assert len(messages(store, talk)) == 1


def test_the_model_is_shown_who_she_is_and_the_last_messages(persona, ask):
    model = EchoModel()
    for said in ("一", "二", "三", "四"):
        events_of(ask(said, model=model))
    shown = model.asked[-1]

    assert (shown[0].role, shown[0].text) == (ChatRole.SYSTEM, persona.system_prompt)
    assert [turn.text for turn in shown[1:]] == ["二", "二", "三", "三", "四"]


def test_what_came_back_to_her_is_kept_with_the_reply(store, persona, talk, ask):
    told(store, persona)
    model = EchoModel()
    events_of(ask("你的玉笛呢，怎么不吹了？", model=model))
    reply = store.talks.messages(talk.id)[-1]

    assert store.utterances.get(reply.memories[0]).text == "裂了一道口子，吹出来像哭。"
    assert "裂了一道口子" in model.asked[0][0].text


def test_words_that_a_filter_refuses_are_neither_answered_nor_kept(store, persona, talk):
    guard = Guard(ForbiddenWords())
    with pytest.raises(InvalidInputError):
        answer("说些坏话。", Interlocutor(persona, CHOICE, EchoModel(), None, SETTINGS, store, guard), talk)

    assert len(messages(store, talk)) == 1


def test_a_reply_ends_before_the_clause_that_a_filter_refuses(store, persona, talk):
    model = EchoModel(reply="你好。这是坏话。再见。")
    who = Interlocutor(persona, CHOICE, model, None, SETTINGS, store, Guard(ForbiddenWords()))
    events_of(answer("你好。", who, talk))

    assert messages(store, talk)[-1] == (Speaker.PERSONA, "你好。")


def test_words_that_a_filter_refuses_begin_no_conversation(store, persona):
    who = Interlocutor(persona, CHOICE, EchoModel(), None, SETTINGS, store, Guard(ForbiddenWords()))
    with pytest.raises(InvalidInputError):
        answer("说些坏话。", who, None)

    assert store.talks.conversations(persona.id) == []


def test_first_words_begin_a_conversation_of_their_speaker(store, persona):
    who = Interlocutor(persona, CHOICE, EchoModel(), None, SETTINGS, store)
    reply = answer("你好。", who, None, owner="visitor-1")
    events_of(reply)
    (begun,) = store.talks.conversations(persona.id, owner="visitor-1")

    assert reply.conversation_id == begun.id
    assert [text for _, text in messages(store, begun)] == [persona.greeting, "你好。", "你好。"]


def test_a_stop_while_her_words_are_being_kept_keeps_them_once(store, talk, ask, monkeypatch):
    keeping, kept = Event(), store.talks.say

    def slow(message, **more):
        if message.speaker is Speaker.PERSONA:
            keeping.set()
            time.sleep(0.3)
        return kept(message, **more)

    monkeypatch.setattr(type(store.talks), "say", lambda self, message, **more: slow(message, **more))
    reply = ask("你好。")
    assert keeping.wait(10)
    reply.stop()
    events_of(reply)
    stored = store.talks.messages(talk.id)[-1]

    assert [one.text for one in store.talks.siblings(stored.id)] == ["你好。"]


def test_two_tabs_that_speak_in_the_same_moment_are_answered_one_after_the_other(store, talk, ask, monkeypatch):
    together, read = Barrier(2), type(store.talks).messages

    def read_slowly(self, conversation_id):
        found = read(self, conversation_id)
        time.sleep(0.2)
        return found

    def say(words):
        together.wait(10)
        return ask(words, model=EchoModel(pause=0.02))

    with monkeypatch.context() as patched, ThreadPoolExecutor(2) as tabs:
        patched.setattr(type(store.talks), "messages", read_slowly)
        replies = list(tabs.map(say, ("甲。外头冷么？", "乙。外头冷么？")))
    for reply in replies:
        events_of(reply)
    *_, asked, answered = messages(store, talk)

    assert answered == (Speaker.PERSONA, asked[1]), "the later one is answered whole"
    assert sorted(text for speaker, text in messages(store, talk) if speaker is Speaker.VISITOR) == [
        "乙。外头冷么？",
        "甲。外头冷么？",
    ]


def test_a_voice_that_changes_its_rate_amid_a_reply_is_kept_at_the_first(store, talk, ask):
    class Changing(HummingMouth):
        def stream(self, text, *, cancel, hurried=False):
            yield tone(1, 8_000 if "你" in text else 16_000)

    events = events_of(ask("你好。外头冷么？", mouth=Changing()))

    assert isinstance(events[-1], Done)
    sound = sound_of(store.files.read(events[-1].message.sound_sha256))
    assert (sound.sample_rate, round(sound.seconds, 1)) == (8_000, 2.0)


def test_a_reply_made_again_answers_the_same_words_and_both_are_kept(store, persona, talk, ask):
    events_of(ask("你好。", model=EchoModel(reply="好。")))
    first = store.talks.messages(talk.id)[-1]
    model = EchoModel(reply="不好。")
    events_of(answer_again(first.id, Interlocutor(persona, CHOICE, model, None, SETTINGS, store)))

    assert messages(store, talk)[-2:] == [(Speaker.VISITOR, "你好。"), (Speaker.PERSONA, "不好。")]
    assert [one.text for one in store.talks.siblings(first.id)] == ["好。", "不好。"]
    assert [turn.text for turn in model.asked[0]] == [persona.system_prompt, "你好。"]


def test_other_words_take_the_place_of_the_visitors_and_both_are_kept(store, talk, ask):
    events_of(ask("你好。"))
    events_of(ask("冷么？"))
    said = store.talks.messages(talk.id)[1]
    model = EchoModel()
    events_of(ask("早。", model=model, instead_of=said.id))

    assert [text for _, text in messages(store, talk)[1:]] == ["早。", "早。"]
    assert [one.text for one in store.talks.siblings(said.id)] == ["你好。", "早。"]
    assert [turn.text for turn in model.asked[0]][1:] == ["早。"]


def test_a_conversation_removed_while_she_speaks_ends_the_reply_quietly(store, talk, ask):
    reply = ask("你好。外头冷么？", model=EchoModel(pause=0.05))
    follow = reply.follow()
    next(follow)
    store.talks.remove(talk.id)
    reply.stop()

    assert not [event for event in follow if isinstance(event, Done)]


def test_a_reply_names_the_words_it_answers(store, talk, ask):
    events_of(ask("你好。"))
    events_of(ask("冷么？", model=EchoModel(reply="不冷。")))
    reply = store.talks.messages(talk.id)[-1]

    assert store.talks.message(reply.parent_id).text == "冷么？"
