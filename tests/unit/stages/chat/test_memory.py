from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.backends.llm import ChatRole, ChatTurn
from core.domain.chat import Memory
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.persona_file import read_persona
from core.domain.text import Source, SourceKind
from core.settings import CONFIGS
from core.stages.chat import memory
from core.stages.chat.memory import recall
from core.stages.chat.scenes import scenes_of
from core.stages.chat.settings import ChatSettings
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.rules import extract
from core.store import Store

SETTINGS = ChatSettings(memory_scene=120)
BOOK = """第一章 渡口

　　那年春天，渡口的老船坏了，沈青拿竹篾补了三日。陆远问道：“这船还补得好么？”沈青笑道：“补得好，只是再不能载你过江了。”

　　村里的人都在晒谷。几只麻雀落在场上，赶也赶不走。里正数着谷袋，算来算去都少一袋，便骂起麻雀来。

　　入夜落雨，沈青一个人坐在檐下，听雨打在竹叶上，想起母亲留下的那支玉笛，不觉落了泪。

第二章 玉笛

　　陆远道：“你的玉笛呢，怎么不吹了？”沈青道：“裂了一道口子，吹出来像哭。”陆远便不再问。

　　陆远走到河边，看见一群鸭子。沈青道：“鸭子也比你会游水。”
"""


def told(store: Store, persona: Persona, text: str = BOOK, source_id: str = "book") -> None:
    """Import a book and extract its lines."""
    passages = list(split_passages(text, source_id))
    size = len(text.encode())
    source = Source(
        source_id, persona.id, "a.txt", SourceKind.NOVEL, source_id * 16, size, "utf-8", len(text), 2, now()
    )
    store.corpus.add(source, passages)
    store.utterances.replace(source_id, "rules", extract(passages, persona.alias_table()), None)


@pytest.fixture
def remember(store, persona):
    told(store, persona)

    def remembering(said: str, settings: ChatSettings = SETTINGS, history: tuple[ChatTurn, ...] = ()):
        return recall(said, persona=persona, store=store, settings=settings, history=history)

    return remembering


def test_the_scene_of_what_was_asked_comes_back_with_her_line_and_its_occasion(remember, store):
    first = remember("你补那只老船用了几日？")[0]
    line = store.utterances.get(first.utterance_id)

    assert line.text == first.text == "补得好，只是再不能载你过江了。"
    assert first.before == "这船还补得好么？"
    assert first.passage_id == line.passage_id
    assert first.scene in store.corpus.passage(first.passage_id).text


def test_what_was_said_to_her_in_the_book_brings_back_her_answer(remember):
    assert remember("你的玉笛呢，怎么不吹了？")[0].text == "裂了一道口子，吹出来像哭。"


def test_a_scene_in_which_she_says_nothing_comes_back_too_and_can_be_cited(remember, store):
    silent = next(one for one in remember("你母亲留下的玉笛") if one.utterance_id is None)

    assert silent.text == silent.before == ""
    assert silent.scene in store.corpus.passage(silent.passage_id).text
    assert "玉笛" in silent.scene


def test_scenes_without_her_are_no_memory_of_hers(remember):
    assert remember("里正数谷袋骂麻雀") == ()


@pytest.mark.parametrize("said", ["你好", "嗯", "今天股票涨了没有", "what is the capital of France", "？！", " "])
def test_words_that_have_nothing_to_do_with_the_book_bring_nothing_back(remember, said):
    assert remember(said) == ()


def test_traditional_words_find_a_simplified_book(remember):
    assert remember("你補那隻老船")[0].text == remember("你补那只老船")[0].text


def test_there_are_as_many_as_the_settings_say_the_best_first(remember):
    several = remember("玉笛")
    scores = [one.score for one in several]

    assert len(several) == 2
    assert scores == sorted(scores, reverse=True)
    assert remember("玉笛", SETTINGS.model_copy(update={"memory": 1})) == several[:1]
    assert remember("玉笛", SETTINGS.model_copy(update={"memory": 0})) == ()


def test_no_scene_is_cut_that_is_not_kept(remember, monkeypatch):
    cut = []

    def counted(*of) -> Memory:
        cut.append(of)
        return Memory(*of)

    monkeypatch.setattr(memory, "Memory", counted)

    assert len(remember("玉笛", SETTINGS.model_copy(update={"memory": 1}))) == 1
    assert len(cut) == 1


def test_the_same_scene_of_two_editions_comes_back_once(remember, store, persona):
    before = remember("你补那只老船用了几日？")
    told(store, persona, BOOK.replace("那年春天", "那一年春天"), "again")
    after = remember("你补那只老船用了几日？")

    assert [one.text for one in after] == [one.text for one in before]


def test_and_then_goes_on_with_what_was_talked_of_but_other_words_do_not(remember):
    talk = (ChatTurn(ChatRole.VISITOR, "你补那只老船用了几日？"), ChatTurn(ChatRole.PERSONA, "三日。"))

    assert [one.text for one in remember("后来呢？", history=talk)] == ["补得好，只是再不能载你过江了。"]
    assert remember("今天股票涨了没有", history=talk) == ()


def test_a_rejected_line_is_not_hers_any_more(remember, store):
    line = remember("你补那只老船用了几日？")[0]
    store.review.edit(line.utterance_id, 0, who="me", speaker="陆远")

    assert all(one.utterance_id != line.utterance_id for one in remember("你补那只老船用了几日？"))


def test_a_persona_without_a_book_remembers_nothing(store, persona):
    assert recall("玉笛", persona=persona, store=store, settings=SETTINGS) == ()


def test_scenes_are_cut_anew_only_when_something_changed(remember, store, persona):
    first = scenes_of(persona, store, 120)
    same = scenes_of(persona, store, 120)
    named = scenes_of(replace(persona, aliases=("里正",)), store, 120)
    told(store, persona, "沈青道：“又是一年。”", "more")

    assert same is first
    assert len(named.scenes) > len(first.scenes)
    assert len(scenes_of(persona, store, 120).scenes) == len(first.scenes) + 1


@pytest.mark.slow
def test_in_the_real_novel_the_words_said_to_her_bring_back_their_scene(store, novel: Path):
    persona = read_persona(CONFIGS / "personas" / "daiyu.yaml")
    store.personas.put(persona)
    told(store, persona, novel.read_text(encoding="utf-8"))
    book = scenes_of(persona, store, 200)
    asked = [line for line in book.lines if len(line.before) >= 8]
    hits = 0
    for line in asked:
        found = recall(line.before, persona=persona, store=store, settings=ChatSettings())
        hits += any(one.passage_id == line.utterance_id.rpartition(".")[0] for one in found[:1])

    assert len(asked) > 300
    assert hits / len(asked) >= 0.85
