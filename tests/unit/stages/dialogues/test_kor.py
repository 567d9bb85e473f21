"""A language model's answers become readings at places of the book."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.persona import Persona
from core.domain.text import SourceKind, Utterance, UtteranceKind
from core.errors import InvalidInputError, MissingArtifactError
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues import kor, rules
from core.stages.dialogues.alignment import letters
from core.stages.dialogues.chunks import chunks
from core.stages.dialogues.estimate import Estimate, Prices
from core.stages.dialogues.extractors import extractor
from core.stages.dialogues.placing import Casting, collapse, place, source_lines
from core.stages.dialogues.run import run as run_rules
from core.stages.dialogues.settings import DialogueSettings, KorSettings
from core.store import Store
from tests.contract.extraction_double import CannedModel
from tests.contract.script_server import Rows
from tests.unit.stages.dialogues.test_run import ALL, imported
from tests.unit.stages.runs import begun

BOOK = (
    "第一回　雨\n青儿笑道：“好雨。”\n陆公子道：“有什么好？”\n青儿心中暗想：“他竟不懂。”\n"
    "第二回　雪\n“可好？”\n“好。”\n桂儿道：“姑娘快看！”\n"
)
WHO = {"好雨。": "青儿", "有什么好？": "陆公子", "他竟不懂。": "沈姑娘", "可好？": "陆远", "好。": "沈青"}


def rows(text: str) -> Rows:
    """Answer as a careful reader would."""
    return [(WHO.get(words, "桂儿"), words) for words in _said(text)]


def _said(text: str) -> list[str]:
    return [part.partition("”")[0] for part in text.split("“")[1:]]


def extracted(store: Store, model: CannedModel, run_id: str = "run-0000000001", **settings: Any) -> dict[str, Any]:
    wanted = KorSettings(**{"model": model.model, "backoff_seconds": 0, **settings})
    context = begun(store, "kor", run_id=run_id)
    return kor.run(wanted, context=context, store=store, model=model, prices=Prices())


def estimated(store: Store, persona: Persona, model: CannedModel, **settings: Any) -> Estimate:
    wanted = KorSettings(model=model.model, **settings)
    works = kor.plan(wanted, persona, store=store, model=model)
    return kor.estimated(wanted, works, store=store, model=model, prices=Prices())


def found(store: Store) -> list[tuple[str, str | None, str]]:
    return [(line.text, line.speaker, line.reason) for line in store.utterances.iterate(ALL)]


def test_lines_stand_at_their_places_with_canonical_names_and_kinds(store):
    imported(store, BOOK, SourceKind.NOVEL)

    result = extracted(store, CannedModel(rows))

    lines = list(store.utterances.iterate(ALL))
    assert [(line.text, line.speaker) for line in lines] == [
        ("好雨。", "沈青"),
        ("有什么好？", "陆远"),
        ("他竟不懂。", "沈青"),
        ("可好？", "陆远"),
        ("好。", "沈青"),
        ("姑娘快看！", "桂儿"),
    ]
    assert lines[2].kind is UtteranceKind.THOUGHT
    assert {(line.extractor, line.confidence, line.reason) for line in lines} == {("kor", 0.85, "verbatim")}
    assert all(store.corpus.passage(line.passage_id).text[line.start] == "“" for line in lines)
    assert (result["lines"], result["verbatim"], result["calls"], result["retry"]) == (6, 6, 2, [])


def test_readings_join_those_of_the_rules_on_the_same_lines(store):
    imported(store, BOOK, SourceKind.NOVEL)
    run_rules(DialogueSettings(), context=begun(store, "dialogues"), store=store)

    extracted(store, CannedModel(rows), run_id="run-0000000002")

    lines = list(store.utterances.iterate(ALL))
    assert len(lines) == 6
    assert {one.extractor for one in store.utterances.readings(lines[0].id)} == {"rules", "kor"}


def test_lines_repeated_by_overlapping_pieces_are_one(store):
    imported(store, "第一回\n" + "".join(f"青儿道：“{'竹' * 60}第{at}。”\n" for at in range(9)), SourceKind.NOVEL)

    result = extracted(store, CannedModel(), chunk_characters=300, overlap_paragraphs=1)

    assert result["verbatim"] > result["lines"] == 9


def test_words_with_slips_become_the_books_and_are_shown(store):
    imported(store, BOOK, SourceKind.NOVEL)
    slipped = {"有什么好？": "有甚么好？", "好雨。": "好雨。"}

    result = extracted(
        store, CannedModel(lambda text: [(who, slipped.get(words, words)) for who, words in rows(text)]), similarity=0.7
    )

    assert ("有什么好？", "陆远", "repaired:0.75") in found(store)
    (slip,) = json.loads((Path(store.workspace) / "runs/run-0000000001/report.json").read_text(encoding="utf-8"))
    assert (slip["words"], slip["text"], slip["match"]) == ("有甚么好？", "有什么好？", "repaired")
    assert result["repaired"] == 1


def test_words_that_are_nowhere_make_no_line_and_are_shown_with_their_chunk(store):
    imported(store, BOOK, SourceKind.NOVEL)

    result = extracted(store, CannedModel(lambda text: [("青儿", "明日一同上京去罢。")]))

    (slip,) = json.loads((Path(store.workspace) / "runs/run-0000000001/report.json").read_text(encoding="utf-8"))[:1]
    assert found(store) == []
    assert (slip["match"], slip["words"], slip["utterance_id"]) == ("not-found", "明日一同上京去罢。", None)
    assert store.corpus.passage(slip["passage_id"]).text
    assert result["not_found"] == 2


def test_what_was_not_answered_is_named_and_the_rest_is_stored(store):
    imported(store, BOOK, SourceKind.NOVEL)
    model = CannedModel(rows, trouble=lambda text, nth: "rubbish" if "可好" in text else None)

    first = extracted(store, model)
    kept = len(found(store))
    again = CannedModel(rows)
    second = extracted(store, again, run_id="run-0000000002")

    assert [store.corpus.passage(one["subject"]).chapter for one in first["retry"]] == [2]
    assert (kept, len(found(store))) == (3, 6)
    assert (again.asked.total(), second["retry"]) == (1, [])


def test_an_unheard_of_name_is_doubted_and_nobody_stays_nobody(store):
    imported(store, BOOK, SourceKind.NOVEL)

    extracted(store, CannedModel(lambda text: [("王五", "好雨。"), ("未知", "有什么好？")]))

    lines = {line.text: line for line in store.utterances.iterate(ALL)}
    assert lines["好雨。"].speaker == "王五"
    assert lines["好雨。"].confidence < 0.6
    assert (lines["有什么好？"].speaker, lines["有什么好？"].confidence) == (None, 0.3)


@pytest.mark.parametrize(
    ("role", "speaker"),
    [
        ("沈姑娘", "沈青"),
        ("沈姑娘：", "沈青"),
        ("青儿和远哥", "沈青、陆远"),
        ("众人", "众人"),
        ("张三丰", "張三豐"),
        ("王五", "王五"),
        ("未知", None),
    ],
)
def test_names_are_those_of_the_cast_or_as_the_text_writes_them(persona, role, speaker):
    assert Casting(persona).speaker(role, "張三豐道：“好。”") == speaker


def test_only_the_uncertain_lines_are_asked_about_and_only_they_are_read(store):
    imported(store, BOOK, SourceKind.NOVEL)
    run_rules(DialogueSettings(), context=begun(store, "dialogues"), store=store)
    unsure = [line.id for line in store.utterances.iterate(ALL) if line.confidence < 0.7]
    model = CannedModel(rows)

    extracted(store, model, run_id="run-0000000002", only_uncertain=True)

    read = [line.id for line in store.utterances.iterate(ALL) if len(store.utterances.readings(line.id)) == 2]
    assert 0 < len(unsure) < 6
    assert read == unsure
    assert model.asked.total() == 1


def test_the_same_cheap_run_again_asks_nothing(store):
    imported(store, BOOK, SourceKind.NOVEL)
    run_rules(DialogueSettings(), context=begun(store, "dialogues"), store=store)
    extracted(store, CannedModel(rows), run_id="run-0000000002", only_uncertain=True)
    model = CannedModel(rows)

    extracted(store, model, run_id="run-0000000003", only_uncertain=True)

    assert not model.asked


def test_the_estimate_sends_nothing_and_says_what_cheap_mode_saves(store, persona):
    imported(store, BOOK, SourceKind.NOVEL)
    run_rules(DialogueSettings(), context=begun(store, "dialogues"), store=store)
    model = CannedModel(rows)

    whole, cheap = estimated(store, persona, model), estimated(store, persona, model, only_uncertain=True)

    assert not model.asked
    assert (whole.calls, whole.saved) == (2, None)
    assert (cheap.calls, cheap.saved) == (1, 1)


def test_a_persona_without_a_text_is_told_so(store):
    with pytest.raises(MissingArtifactError):
        extracted(store, CannedModel())


def test_a_file_is_not_sent_to_a_model():
    with pytest.raises(InvalidInputError, match="Import the text"):
        extractor("kor").extract([], {})


def test_where_overlapping_pieces_disagree_the_one_that_saw_what_came_before_stands():
    first = _line("沈青")

    (line,) = collapse([[first], [_line("陆远")]])

    assert (line.speaker, line.confidence < first.confidence) == ("沈青", True)


def _line(speaker: str) -> Utterance:
    return Utterance("s", 0, 1, 0, 0, 5, "好。", UtteranceKind.SPEECH, speaker, "kor", 0.85, "verbatim")


@pytest.mark.parametrize("noise", ["none", "no marks"])
def test_answers_that_repeat_the_rules_lines_of_a_real_chapter_stand_where_the_rules_found_them(novel, noise):
    passages = [one for one in split_passages(novel.read_text(encoding="utf-8"), "s") if one.chapter == 28]
    hers = Persona("p", "林黛玉", "红楼梦", "", "", aliases=("黛玉", "林姑娘"), cast={"贾宝玉": ("宝玉",)})
    truth = {line.id: line for line in rules.extract(passages, hers.alias_table())}
    lines = source_lines(passages)
    answers = []
    for chunk in chunks(passages, size=1500, overlap=1):
        ordinals = {passage.ordinal for passage in chunk.passages}
        said = [line for line in truth.values() if line.ordinal in ordinals]
        told = [
            {"role": line.speaker or "未知", "dialogue": letters(line.text) if noise == "no marks" else line.text}
            for line in said
        ]
        answers.append(place(chunk, told, lines, Casting(hers), similarity=0.8).lines)

    placed = {line.id: (line.end, line.runs_on, line.text, line.speaker) for line in collapse(answers)}

    assert len(truth) > 100
    assert placed == {line.id: (line.end, line.runs_on, line.text, line.speaker) for line in truth.values()}
