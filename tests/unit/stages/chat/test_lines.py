from __future__ import annotations

from dataclasses import replace

from core.domain.identity import now
from core.domain.text import Passage, PassageKind, ReviewStatus, Source, SourceKind, Utterance, UtteranceKind
from core.stages.chat.lines import lines_of, paired

HER = "沈青"


def line(ordinal: int, speaker: str | None, text: str, **changes: object) -> Utterance:
    whole = Utterance(
        source_id="s", ordinal=ordinal, chapter=1, para=ordinal, start=0, end=len(text) + 2, text=text,
        kind=UtteranceKind.SPEECH, speaker=speaker, extractor="rules", confidence=1, reason="test",
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_her_line_is_paired_with_what_was_said_just_before():
    pairs = list(paired([line(1, "陆远", "可好些了？"), line(2, HER, "好些了。")], HER))

    assert [(pair.before, pair.text) for pair in pairs] == [("可好些了？", "好些了。")]
    assert pairs[0].utterance_id == "s.2.0"


def test_words_far_away_of_hers_or_of_another_chapter_do_not_call_for_a_line():
    far = paired([line(1, "陆远", "可好些了？"), line(9, HER, "好些了。")], HER)
    own = paired([line(1, HER, "可好些了？"), line(2, HER, "好些了。")], HER)
    other = paired([line(1, "陆远", "可好些了？"), line(2, HER, "好些了。", chapter=2)], HER)

    assert [pair.before for pairs in (far, own, other) for pair in pairs] == ["", "", "", ""]


def test_rejected_lines_and_what_is_no_speech_are_left_out():
    lines = [
        line(1, HER, "不是她说的", status=ReviewStatus.REJECTED),
        line(2, HER, "心里想的", kind=UtteranceKind.THOUGHT),
        line(3, HER, "说出来的"),
    ]

    assert [pair.text for pair in paired(lines, HER)] == ["说出来的"]


def test_lines_are_read_from_the_store_and_again_when_one_was_edited(store, persona):
    text = "“可好些了？”“好些了。”"
    source = Source("s", persona.id, "a.txt", SourceKind.NOVEL, "0" * 64, 1, "utf-8", 1, 1, now())
    passages = [Passage("s", place, 1, place, PassageKind.PARAGRAPH, 0, len(text), text) for place in (1, 2)]
    store.corpus.add(source, passages)
    hers = line(2, HER, "好些了。")
    store.utterances.replace("s", "rules", [line(1, "陆远", "可好些了？"), hers], None)
    before = lines_of(persona, store)
    same = lines_of(persona, store)
    store.review.edit(hers.id, 0, who="me", text="好多了。")
    after = lines_of(persona, store)

    assert [(one.before, one.text) for one in before] == [("可好些了？", "好些了。")]
    assert same is before
    assert [one.text for one in after] == ["好多了。"]
