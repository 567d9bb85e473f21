"""Conversations are trees with one path shown; nothing said is lost, whoever speaks at once; on each database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.domain.chat import Conversation, Message, Speaker, Verdict
from core.domain.identity import new_id, now
from core.domain.training import Model, ModelKind
from core.errors import InvalidInputError, NotFoundError
from core.store import Store
from core.store import tables as t


@pytest.fixture
def talk(store: Store) -> Conversation:
    """A conversation in which each has spoken twice."""
    begun = store.talks.start("a-qing", "雨天")
    for text in ("下雨了么？", "下着呢。", "那明日呢？", "明日该晴了。"):
        store.talks.say(line(begun, text))
    return store.talks.conversation(begun.id)


def line(talk: Conversation, text: str, parent: Message | None = None, *, hers: bool | None = None) -> Message:
    """Return a message: what ends in a question mark is the visitor's."""
    persona = not text.endswith("？") if hers is None else hers
    speaker = Speaker.PERSONA if persona else Speaker.VISITOR
    return Message(new_id("msg"), talk.id, 0, speaker, text, now(), parent_id=parent.id if parent else None)


def texts(store: Store, talk: Conversation) -> list[str]:
    return [one.text for one in store.talks.messages(talk.id)]


def found(store: Store, words: str, **more: object) -> list[str]:
    return [one.conversation.title for one in store.talks.search("a-qing", words, **more)]  # type: ignore[arg-type]


def test_talks_are_counted_everybodys_or_ones_own(store: Store, talk: Conversation) -> None:
    store.talks.start("a-qing", "雪天", "visitor-1")

    assert store.talks.count("a-qing") == 2
    assert store.talks.count("a-qing", owner="visitor-1") == 1
    assert store.talks.count("somebody else") == 0


def test_what_is_said_follows_the_end_of_the_path(store: Store, talk: Conversation) -> None:
    path = store.talks.messages(talk.id)

    assert [one.text for one in path] == ["下雨了么？", "下着呢。", "那明日呢？", "明日该晴了。"]
    assert [one.parent_id for one in path] == [None, *(one.id for one in path[:-1])]
    assert talk.leaf_id == path[-1].id
    assert store.talks.path(path[1].id) == path[:2]


def test_the_end_of_the_path_is_read_by_itself(store: Store, talk: Conversation) -> None:
    path = store.talks.messages(talk.id)
    store.talks.say(line(talk, "后日呢？", path[1]))

    shown = store.talks.messages(talk.id)

    assert [one.text for one in shown] == ["下雨了么？", "下着呢。", "后日呢？"]
    for last in range(5):
        assert store.talks.messages(talk.id, last=last) == shown[max(len(shown) - last, 0) :]
    assert store.talks.messages(store.talks.start("a-qing", "静").id, last=2) == []
    with pytest.raises(NotFoundError):
        store.talks.messages("talk-none", last=2)


def test_only_what_was_asked_for_is_walked(store: Store, talk: Conversation) -> None:
    path = store.talks.messages(talk.id)
    with store.talks._writing() as db:  # a way up without end, which nothing but a limit leaves
        db.execute(sa.update(t.message).where(t.message.c.id == path[2].id).values(parent_id=path[3].id))

    assert [one.id for one in store.talks.messages(talk.id, last=2)] == [one.id for one in path[2:]]


def test_a_reply_made_again_stands_beside_the_first_and_is_shown(store: Store, talk: Conversation) -> None:
    asked, first = store.talks.messages(talk.id)[2:]

    again = store.talks.say(line(talk, "说不准。", asked))

    assert texts(store, talk) == ["下雨了么？", "下着呢。", "那明日呢？", "说不准。"]
    assert [one.id for one in store.talks.siblings(first.id)] == [first.id, again.id]
    assert store.talks.siblings(again.id) == store.talks.siblings(first.id)
    assert store.talks.siblings(asked.id) == [asked]
    assert store.talks.forks(talk.id) == {first.id: (first.id, again.id), again.id: (first.id, again.id)}
    assert again.ordinal == 4


def test_words_that_were_edited_begin_a_path_of_their_own_and_both_can_be_shown(
    store: Store, talk: Conversation
) -> None:
    path = store.talks.messages(talk.id)
    edited = store.talks.say(line(talk, "后日呢？", path[1]))
    store.talks.say(line(talk, "后日也晴。"))

    assert texts(store, talk) == ["下雨了么？", "下着呢。", "后日呢？", "后日也晴。"]
    store.talks.show(path[2].id)
    assert texts(store, talk) == ["下雨了么？", "下着呢。", "那明日呢？", "明日该晴了。"]
    store.talks.show(edited.id)
    assert texts(store, talk)[-1] == "后日也晴。"
    store.talks.show(path[0].id)
    assert texts(store, talk)[-1] == "后日也晴。"  # the newest of all that followed


def test_the_first_words_can_be_edited_too(store: Store, talk: Conversation) -> None:
    first = store.talks.messages(talk.id)[0]

    anew = store.talks.say(line(talk, "冷么？"), first=True)

    assert texts(store, talk) == ["冷么？"]
    assert [one.id for one in store.talks.siblings(anew.id)] == [first.id, anew.id]


def test_who_speaks_at_the_same_place_is_no_version_of_the_other(store: Store, talk: Conversation) -> None:
    first = store.talks.messages(talk.id)[0]
    store.talks.say(line(talk, "外头真静。", first, hers=False))

    assert [one.text for one in store.talks.siblings(store.talks.messages(talk.id)[-1].id)] == ["外头真静。"]


def test_a_parent_of_another_conversation_is_none(store: Store, talk: Conversation) -> None:
    other = store.talks.start("a-qing", "别的")

    with pytest.raises(NotFoundError):
        store.talks.say(line(other, "好。", store.talks.messages(talk.id)[0]))
    assert texts(store, other) == []


def test_many_who_speak_at_once_all_get_a_place(store: Store, talk: Conversation) -> None:
    asked = store.talks.messages(talk.id)[2]
    with ThreadPoolExecutor(8) as crowd:
        said = list(crowd.map(lambda number: store.talks.say(line(talk, f"{number}。", asked)), range(24)))

    assert sorted(one.ordinal for one in said) == list(range(4, 28))
    last = max(said, key=lambda one: one.ordinal)
    assert store.talks.conversation(talk.id).leaf_id == last.id
    assert len(store.talks.siblings(last.id)) == 25


def test_what_becomes_known_of_a_reply_is_added(store: Store, talk: Conversation) -> None:
    reply = store.talks.messages(talk.id)[-1]

    store.talks.annotate(reply.id, memories=("s-1.1.0", "s-1.2.0"), voice="formant", timings={"text": 0.5})

    stored = store.talks.message(reply.id)
    assert (stored.memories, stored.voice, stored.timings) == (("s-1.1.0", "s-1.2.0"), "formant", {"text": 0.5})


def test_a_branch_keeps_what_was_said_and_what_made_it_and_goes_on_by_itself(store: Store, talk: Conversation) -> None:
    store.models.add(Model("model-1", "a-qing", ModelKind.TEXT, "m", None, None, "tiny", "models/x", now()))
    made = replace(
        line(talk, "也许。", store.talks.messages(talk.id)[2]), backend="transformers", model_id="model-1",
        voice="formant", sound_sha256="0" * 64, utterance_id="s-1.1.0", timings={"text": 1.5}, memories=("s-1.2.0",),
    )  # fmt: skip
    said = store.talks.say(made)
    store.talks.say(line(talk, "好么？"))

    branch = store.talks.branch(said.id, "另说", "anna")
    store.talks.say(line(branch, "再说罢。"))

    copy = store.talks.messages(branch.id)[-2]
    whole = replace(said, id=copy.id, conversation_id=branch.id, ordinal=3, parent_id=copy.parent_id)
    assert copy == whole
    assert texts(store, branch) == ["下雨了么？", "下着呢。", "那明日呢？", "也许。", "再说罢。"]
    assert texts(store, talk)[-1] == "好么？"
    stored = store.talks.conversation(branch.id)
    assert (stored.owner, stored.title, stored.branched_from, stored.persona_id) == ("anna", "另说", said.id, "a-qing")


def test_a_title_is_changed_and_is_not_empty(store: Store, talk: Conversation) -> None:
    store.talks.rename(talk.id, " 听 雨\n")

    assert store.talks.conversation(talk.id) == replace(talk, title="听 雨")
    for title in (" ", "长" * 81):
        with pytest.raises(InvalidInputError):
            store.talks.rename(talk.id, title)


def test_what_is_removed_is_gone_with_its_ratings_and_its_branch_stays(store: Store, talk: Conversation) -> None:
    path = store.talks.messages(talk.id)
    branch = store.talks.branch(path[1].id, "另说")
    store.ratings.rate(path[1].id, Verdict.DOWN, who="anna")

    store.talks.remove(talk.id)

    assert [one.id for one in store.talks.conversations("a-qing")] == [branch.id]
    assert store.talks.conversation(branch.id).branched_from is None
    assert texts(store, branch) == ["下雨了么？", "下着呢。"]
    assert store.ratings.of_messages([path[1].id]) == {}


def test_what_is_gone_is_told_with_a_remedy(store: Store, talk: Conversation) -> None:
    path = store.talks.messages(talk.id)
    store.talks.remove(talk.id)

    for gone in (
        lambda: store.talks.say(line(talk, "在么？")),
        lambda: store.talks.conversation(talk.id),
        lambda: store.talks.messages(talk.id),
        lambda: store.talks.rename(talk.id, "雨"),
        lambda: store.talks.remove(talk.id),
        lambda: store.talks.show(path[0].id),
        lambda: store.talks.siblings(path[0].id),
        lambda: store.talks.path(path[0].id),
        lambda: store.talks.branch(path[0].id, "雨"),
        lambda: store.talks.annotate(path[0].id, voice="formant"),
    ):
        with pytest.raises(NotFoundError) as told:
            gone()
        assert told.value.remedy


def test_conversations_come_newest_words_first_and_each_owner_has_his_own(store: Store, talk: Conversation) -> None:
    hers = store.talks.start("a-qing", "二", "anna")
    store.talks.say(line(talk, "还在么？"))

    assert [one.title for one in store.talks.conversations("a-qing")] == ["雨天", "二"]
    assert [one.title for one in store.talks.conversations("a-qing", owner="anna")] == ["二"]
    assert store.talks.conversations("a-qing", owner="bert") == []
    assert len(store.talks.conversations("a-qing", limit=1)) == 1
    assert store.talks.conversation(talk.id).updated_at > hers.updated_at


def test_a_search_finds_words_in_titles_and_on_every_path(store: Store, talk: Conversation) -> None:
    asked = store.talks.messages(talk.id)[2]
    store.talks.say(line(talk, "Perhaps 晴, perhaps not.", asked))
    store.talks.show(asked.id)
    store.talks.start("a-qing", "晴日", "anna")

    assert found(store, "晴") == ["晴日", "雨天"]
    assert found(store, "晴", owner="local") == ["雨天"]
    assert found(store, "PERHAPS NOT") == ["雨天"]
    assert found(store, "晴", limit=1) == ["晴日"]
    assert found(store, "雪") == found(store, "  ") == []
    titled, talked = store.talks.search("a-qing", "晴")
    assert (titled.message_id, titled.excerpt) == (None, "")
    assert (talked.message_id, talked.excerpt) == (store.talks.siblings(talked.message_id or "")[0].id, "明日该晴了。")


@pytest.mark.parametrize("words", ["100%", "a_b", "c\\d", "e/f"])
def test_marks_that_databases_read_as_wildcards_are_just_characters(store: Store, words: str) -> None:
    for text in (f"是 {words}。", "是 100x、axb、cd、ef。"):
        store.talks.say(line(store.talks.start("a-qing", text[:4]), text))

    assert [one.excerpt for one in store.talks.search("a-qing", words)] == [f"是 {words}。"]


def test_an_excerpt_is_short_and_holds_the_words(store: Store, talk: Conversation) -> None:
    store.talks.say(line(talk, "竹" * 200 + "忽然\n\n停了" + "影" * 200 + "？"))

    (one,) = store.talks.search("a-qing", "停了")
    assert "忽然 停了影" in one.excerpt
    assert (one.excerpt[0], one.excerpt[-1]) == ("…", "…")
    assert len(one.excerpt) < 90
