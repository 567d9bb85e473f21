"""Scenes and lines are of the right side: nothing of a held-out chapter is learnt, nothing of a training one asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.text import (
    DatasetVersion,
    Passage,
    PassageKind,
    ReviewStatus,
    Sample,
    Source,
    SourceKind,
    Split,
    Turn,
    TurnRole,
    Utterance,
    UtteranceKind,
)
from core.errors import MissingArtifactError
from core.stages.evaluation.fidelity.scenes import held_out_scenes, lines, masked, masking, passages
from core.store import Store

VERSION = DatasetVersion("ver-1", "a-qing", "first", "", "0" * 64, "你是沈青。", {}, 1, 1, now())


def said(text: str, *, hers: bool = False, context: bool = False) -> Turn:
    return Turn(TurnRole.PERSONA if hers else TurnRole.COUNTERPART, "沈青" if hers else "陆远", text, context=context)


def sample(ordinal: int, chapter: int, split: Split, *turns: Turn, synthetic: bool = False) -> Sample:
    return Sample(ordinal, "src-1", chapter, split, turns, synthetic)


def with_version(store: Store, *samples: Sample) -> DatasetVersion:
    store.datasets.add(VERSION, samples)
    return VERSION


def with_lines(store: Store, *rows: tuple[int, str | None, str, float]) -> None:
    """Write a line (chapter, speaker, words, confidence) into a paragraph of its own."""
    source = Source("src-1", "a-qing", "竹声.txt", SourceKind.NOVEL, "1" * 64, 9, "utf-8", 9, 2, now())
    spans = [
        Passage("src-1", n, chapter, n, PassageKind.PARAGRAPH, n * 100, n * 100 + len(text) + 2, f"“{text}”")
        for n, (chapter, _who, text, _sure) in enumerate(rows)
    ]
    store.corpus.add(source, spans)
    found = [
        Utterance(
            "src-1", n, chapter, n, 0, len(text) + 2, text, UtteranceKind.SPEECH, who, "rules", sure, "cue-before"
        )
        for n, (chapter, who, text, sure) in enumerate(rows)
    ]
    store.utterances.replace("src-1", "rules", found, None)


def test_every_held_out_reply_of_hers_is_a_scene_with_what_was_said_before_it(store: Store) -> None:
    turns = (
        said("可好些了？"),
        said("不过是旧病。", hers=True),
        said("药吃了么？"),
        said("吃了半盏便罢了。", hers=True),
    )
    version = with_version(store, sample(0, 1, Split.TRAIN, *turns[:2]), sample(1, 2, Split.HELD_OUT, *turns))
    scenes = held_out_scenes(version, store, 60)
    assert [one.reply for one in scenes] == ["不过是旧病。", "吃了半盏便罢了。"]
    assert [turn.text for turn in scenes[1].history] == ["可好些了？", "不过是旧病。", "药吃了么？"]


def test_context_short_replies_and_synthetic_questions_are_no_scenes(store: Store) -> None:
    told = (said("可好些了？"), said("不过是旧病。", hers=True))
    version = with_version(
        store,
        sample(0, 1, Split.HELD_OUT, said("在么？"), said("在。", hers=True)),
        sample(1, 1, Split.HELD_OUT, said("可好些了？"), said("不过是旧病。", hers=True, context=True), *told),
        sample(2, 1, Split.HELD_OUT, *told, synthetic=True),
    )
    assert [one.reply for one in held_out_scenes(version, store, 60)] == ["不过是旧病。"]


def test_fewer_scenes_are_spread_over_all(store: Store) -> None:
    many = [sample(n, 1, Split.HELD_OUT, said("然后呢？"), said(f"第{n}回的话。", hers=True)) for n in range(40)]
    scenes = held_out_scenes(with_version(store, *many), store, 4)
    assert [one.reply for one in scenes] == [f"第{n}回的话。" for n in (0, 10, 20, 30)]


def test_a_version_that_holds_nothing_out_is_no_test(store: Store) -> None:
    version = with_version(store, sample(0, 1, Split.TRAIN, said("可好？"), said("还好，多谢。", hers=True)))
    with pytest.raises(MissingArtifactError, match="holds no scenes out"):
        held_out_scenes(version, store, 60)


def test_lines_are_divided_by_chapter_and_speaker_and_the_doubtful_left_out(store: Store, persona: Persona) -> None:
    with_lines(
        store,
        (1, "沈青", "雨下了一夜，竹子绿了。", 0.9),
        (1, "陆远", "我明日便要进城去了。", 0.9),
        (1, None, "是谁在外头说话呢？", 0.9),
        (1, "陆远", "这一句不知是谁说的。", 0.3),
        (1, "陆远", "好。", 0.9),
        (2, "沈青", "你若要走，便带上这盏灯。", 0.9),
        (2, "陆远", "灯我带着，你早些睡。", 0.9),
    )
    turns = said("我要走了。"), said("你若要走，便带上这盏灯。", hers=True)
    version = with_version(store, sample(0, 2, Split.HELD_OUT, *turns))
    found = lines(version, persona, store)
    assert found.own == ("雨下了一夜，竹子绿了。",)
    assert found.others == ("我明日便要进城去了。",)
    assert found.held_own == ("你若要走，便带上这盏灯。",)
    assert found.held_others == (("陆远", "灯我带着，你早些睡。"),)
    trained, held = passages(version, persona.id, store)
    assert (len(trained), len(held)) == (5, 2)


def test_what_a_curator_decided_counts_more_than_confidence(store: Store, persona: Persona) -> None:
    with_lines(store, (1, "沈青", "这一句真是她说的。", 0.3), (1, "沈青", "这一句却不是她的话。", 0.9))
    sure, wrong = store.utterances.of_passage("src-1.0")[0], store.utterances.of_passage("src-1.1")[0]
    store.review.edit(sure.id, sure.revision, who="t", status=ReviewStatus.ACCEPTED)
    store.review.edit(wrong.id, wrong.revision, who="t", status=ReviewStatus.REJECTED)
    version = with_version(store, sample(0, 2, Split.HELD_OUT, said("可好？"), said("还好，多谢。", hers=True)))
    assert lines(version, persona, store).own == ("这一句真是她说的。",)


def test_names_are_masked_the_longest_first(persona: Persona) -> None:
    names = masking(replace(persona, cast={"陆远": ("陆公子", "陆公子的书童")}))
    assert masked(["陆公子的书童来了，沈姑娘可在？"], names) == ["某来了，某可在？"]
