"""What the tiny base model may read of the book, and what it must never see."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from core.domain.identity import now
from core.domain.text import Passage, PassageKind, Sample, Source, SourceKind, Split, Turn, TurnRole
from core.stages.finetuning.reading import book_of, foreseen_by_counting, readable
from core.store import Store
from tests.unit.stages.finetuning.conftest import Desk, sample, version

SECRET = "竹声越远，我越睡不着。"


def passages(source_id: str, *chapters: Iterable[str]) -> list[Passage]:
    """Return the paragraphs of a source, chapters counted from 1."""
    found: list[Passage] = []
    for chapter, texts in enumerate(chapters, start=1):
        for para, text in enumerate(texts):
            kind = PassageKind.PARAGRAPH
            found.append(Passage(source_id, len(found), chapter, para, kind, 0, len(text), text))
    return found


def held_out(text: str, chapter: int = 2) -> Sample:
    turns = (Turn(TurnRole.COUNTERPART, "陆远", "还不睡？"), Turn(TurnRole.PERSONA, "沈青", text))
    return Sample(9, "src-1", chapter, Split.HELD_OUT, turns)


def put(store: Store, source_id: str, kind: SourceKind, *chapters: Iterable[str]) -> None:
    """Put a source into the store."""
    text = f"{source_id}{chapters}"
    source = Source(source_id, "a-qing", "", kind, store.files.put(text.encode()), 9, "utf-8", 9, len(chapters), now())
    store.corpus.add(source, passages(source_id, *chapters))


def test_a_held_out_chapter_is_not_read_at_all():
    book = passages("src-1", ["一。"], ["陆远道：“还不睡？”", f"沈青道：“{SECRET}”", "二。"], ["三。"])

    assert readable(book, [held_out(SECRET)]) == ["一。", "三。"]


def test_nor_is_the_same_chapter_of_another_edition():
    other = passages("src-2", ["序。"], ["一。"], ["沈青道：「竹聲越遠 我越", "睡不着」", "又。"])

    assert readable(other, [held_out(SECRET)]) == ["序。", "一。"]


def test_words_that_anybody_says_close_no_chapter():
    book = passages("src-1", ["沈青道：“我不去。”"], ["“我不去。”"])

    assert readable(book, [held_out("我不去。")]) == ["沈青道：“我不去。”"]


def test_a_passage_stays_on_one_line():
    assert readable(passages("src-1", ["一\n二\u2028三"]), []) == ["一 二 三"]


def test_the_book_is_that_of_the_samples_without_quotes_and_other_texts(store: Store):
    put(store, "src-1", SourceKind.NOVEL, ["一。"], [SECRET])
    put(store, "src-2", SourceKind.QUOTES, ["一句话。"])
    put(store, "src-3", SourceKind.NOVEL, ["别的书。"])
    quote = Sample(1, "src-2", 1, Split.TRAIN, sample(1).turns)
    store.datasets.add(version(), [sample(0), quote, held_out(SECRET)])

    assert book_of(version(), store) == ["一。"]


def test_the_run_hands_the_book_to_the_base_model_without_what_is_held_out(desk: Desk):
    put(desk.store, "src-1", SourceKind.NOVEL, ["held out, as its sample is"], ["可以读的。", "也可以读的。"])
    desk.finetune()

    call = desk.started("build_tiny_model.py")[0]
    assert call[call.index("--book") + 1] == "book.txt"
    assert (desk.folder / "book.txt").read_text(encoding="utf-8") == "可以读的。\n也可以读的。"
    model = desk.store.models.get("model-0123456789")
    assert len(model.manifest["inputs"]["book.txt"]) == 64


def test_a_base_that_reads_the_lines_alone_gets_no_book(desk: Desk):
    put(desk.store, "src-1", SourceKind.NOVEL, ["held out"], ["可以读的。"])
    desk.finetune(tiny={"reads": "lines"})

    assert "--book" not in desk.started("build_tiny_model.py")[0]
    assert not (desk.folder / "book.txt").exists()


def test_the_result_stands_beside_models_that_only_count(desk: Desk):
    result = desk.finetune()

    by_character = result["held_out_nats_per_character"]
    assert set(by_character) == {"base", "merged", "unigram", "bigram"}
    assert 0 < by_character["bigram"] < by_character["unigram"]
    assert desk.store.models.get(result["model"]).manifest["references"] == {
        name: by_character[name] for name in ("unigram", "bigram")
    }


def test_counting_learns_from_all_that_was_read_and_is_asked_what_is_held_out():
    conversations = json.loads('[{"conversation": [{"system": "你是沈青。", "input": "冷么？", "output": "不冷。"}]}]')
    asked = json.loads('[{"conversation": [{"input": "夜深了。", "output": "竹声渐远。", "output_with_loss": true}]}]')

    without = foreseen_by_counting(conversations, [], asked)
    reading = foreseen_by_counting(conversations, ["竹声渐远了。", "渐远的竹声。"], asked)

    assert reading["bigram"] < without["bigram"] - 1
    assert foreseen_by_counting(conversations, [], []) == {}


def test_replies_that_are_only_context_are_not_asked():
    known = {"input": "冷么？", "output": "不冷。", "output_with_loss": True}
    context = {"input": "鹓鶵何在？", "output": "鷟鷟鷟鷟。", "output_with_loss": False}
    train = [{"conversation": [known]}]

    assert foreseen_by_counting(train, [], [{"conversation": [context, known]}]) == pytest.approx(
        foreseen_by_counting(train, [], train)
    )
