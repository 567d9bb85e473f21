"""Pieces of a text for a model: whole paragraphs, overlapping, never over the end of a chapter."""

from __future__ import annotations

from core.domain.text import Passage, PassageKind
from core.stages.dialogues.chunks import Chunk, chunks, chunks_around


def paragraph(ordinal: int, text: str, chapter: int = 1) -> Passage:
    return Passage("src", ordinal, chapter, ordinal, PassageKind.PARAGRAPH, 0, len(text), text)


def heading(ordinal: int, chapter: int) -> Passage:
    return Passage("src", ordinal, chapter, -1, PassageKind.HEADING, 0, 3, "第一回")


def ordinals(found: list[Chunk]) -> list[list[int]]:
    return [[passage.ordinal for passage in chunk.passages] for chunk in found]


TEN = [paragraph(ordinal, "竹" * 40) for ordinal in range(10)]


def test_pieces_end_with_paragraphs_and_keep_to_the_size():
    found = list(chunks(TEN, size=100, overlap=0))

    assert ordinals(found) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert all(len(chunk.text) <= 100 for chunk in found)


def test_each_piece_begins_with_the_end_of_the_one_before():
    assert ordinals(list(chunks(TEN[:4], size=130, overlap=1))) == [[0, 1, 2], [2, 3]]


def test_no_more_than_a_third_of_a_piece_is_repeated():
    assert ordinals(list(chunks(TEN[:5], size=130, overlap=3))) == [[0, 1, 2], [2, 3, 4]]
    assert ordinals(list(chunks(TEN[:3], size=40, overlap=1))) == [[0], [1], [2]]


def test_no_piece_goes_over_the_end_of_a_chapter_and_headings_are_left_out():
    book = [heading(0, 1), paragraph(1, "雨"), heading(2, 2), paragraph(3, "雪", 2), paragraph(4, "风", 2)]

    assert ordinals(list(chunks(book, size=1000, overlap=1))) == [[1], [3, 4]]


def test_a_paragraph_longer_than_a_piece_is_not_cut():
    found = list(chunks([paragraph(0, "雨" * 500), paragraph(1, "雪")], size=100, overlap=0))

    assert ordinals(found) == [[0], [1]]


def test_every_offset_leads_back_to_its_passage():
    chunk = Chunk((paragraph(0, "一二三"), paragraph(1, "四五")))

    assert [chunk.text[at] for at in range(6)] == list("一二三\n四五")
    assert [chunk.locate(at) for at in (0, 2, 4, 5)] == [(0, 0), (0, 2), (1, 0), (1, 1)]


def test_doubts_that_are_near_each_other_share_a_piece():
    places = ["src.2.0", "src.3.7", "src.9.0"]

    found = list(chunks_around(TEN, places, before=1, after=1, size=1000))

    assert ordinals(found) == [[1, 2, 3, 4], [8, 9]]
    assert [chunk.places for chunk in found] == [{"src.2.0", "src.3.7"}, {"src.9.0"}]


def test_a_shared_piece_keeps_to_the_size():
    found = list(chunks_around(TEN, ["src.2.0", "src.3.0"], before=1, after=1, size=130))

    assert ordinals(found) == [[1, 2, 3], [2, 3, 4]]
