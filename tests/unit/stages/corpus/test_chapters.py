"""Chapters are found where they begin, and every passage knows its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import PassageKind
from core.stages.corpus.chapters import document_passages, is_heading, split_passages
from core.stages.corpus.document import Block, document_of

LINES = st.sampled_from(
    ["第一回　雨", "第二章", "　　青儿笑道：“是。”", "", "  ", "\ufeff一日", "Chapter 3", "目录", "\u3000\u3000"]
)
BREAKS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


@settings(deadline=None)
@given(st.text())
def test_every_passage_of_any_text_stands_where_it_says(text):
    for passage in split_passages(text, "src"):
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        assert passage.text


@settings(deadline=None)
@given(st.lists(st.tuples(LINES, BREAKS)))
def test_passages_are_numbered_without_gaps_whatever_the_lines(lines):
    passages = split_passages("".join(line + end for line, end in lines), "src")

    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    for chapter in {passage.chapter for passage in passages}:
        paras = [passage.para for passage in passages if passage.chapter == chapter]
        assert paras == sorted(paras)
        assert [para for para in paras if para >= 0] == list(range(sum(para >= 0 for para in paras)))
        assert paras.count(-1) == (1 if chapter else 0)


def test_chapters_count_from_one_and_paragraphs_from_zero():
    text = "竹声\r\n第一回　雨\r\n　　一段。\r\n\r\n　　二段。\r\n第二回　晴\r\n三段。"

    found = [(one.chapter, one.para, one.kind.value, one.text) for one in split_passages(text, "src")]

    assert found == [
        (0, 0, "paragraph", "竹声"),
        (1, -1, "heading", "第一回　雨"),
        (1, 0, "paragraph", "一段。"),
        (1, 1, "paragraph", "二段。"),
        (2, -1, "heading", "第二回　晴"),
        (2, 0, "paragraph", "三段。"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "第一回　借诗稿公子湿残墨　听檐雨颦卿续冷吟",
        "第十二章 归来",
        "第１２章",
        "第一百二十集：终",
        "第三幕",
        "第二卷 第五章 远行",
        "正文 第七节",
        "【第八章】风起",
        "第四回林中遇雨竹下逢僧",
        "Chapter 12",
        "CHAPTER IV. The rain",
    ],
)
def test_these_lines_open_a_chapter(line):
    assert is_heading(line)


@pytest.mark.parametrize(
    "line",
    [
        "第四回中既将前事表明，此回便不再写。",
        "第一回他来时，天还没亮",
        "这是第三章 的开头",
        "第一次见她，是在雨里",
        "第二章讲的是一个少年如何离开故乡又如何在三十年之后回到那里的故事",
        "Chapters are long",
        "第一章 " + "很" * 60,
    ],
)
def test_these_lines_do_not(line):
    assert not is_heading(line)


def test_a_table_of_contents_opens_no_chapters():
    text = "目录\n第一章 雨\n第二章 晴\n第一章 雨\n一段。\n第二章 晴\n二段。"

    passages = split_passages(text, "src")

    assert max(passage.chapter for passage in passages) == 2
    assert [passage.text for passage in passages if passage.chapter == 0] == ["目录", "第一章 雨", "第二章 晴"]


def test_a_running_title_does_not_open_its_chapter_again():
    text = "第一章 雨\n一段。\n第一章 雨\n二段。\n第二章 晴\n三段。"

    passages = split_passages(text, "src")

    assert [passage.chapter for passage in passages] == [1, 1, 1, 1, 2, 2]


def headings(*blocks: tuple[str, int], titled: bool = False) -> list[str]:
    """Return the headings that open chapters; a block is its text and its level."""
    document = document_of((Block(text, "", level) for text, level in blocks), name="a", titled=titled)
    return [one.text for one in document_passages(document, "src") if one.kind is PassageKind.HEADING]


def test_a_heading_that_the_format_marks_opens_a_chapter_without_a_number():
    assert headings(("雨", 1), ("一段。", 0), ("晴", 1), ("二段。", 0)) == ["雨", "晴"]


def test_titles_of_the_book_and_of_volumes_open_no_chapters():
    blocks = (("竹声", 1), ("上卷", 1), ("雨", 2), ("一段。", 0), ("下卷", 1), ("晴", 2), ("二段。", 0))

    assert headings(*blocks) == ["雨", "晴"]


def test_sections_below_numbered_chapters_open_none():
    assert headings(("第一章 雨", 1), ("一", 2), ("一段。", 0), ("二", 2), ("二段。", 0)) == ["第一章 雨"]


def test_numbered_lines_open_chapters_but_in_an_ebook_that_names_its_own():
    blocks = (("序", 1), ("一段。", 0), ("第一回　雨", 0), ("二段。", 0))

    assert headings(*blocks) == ["序", "第一回　雨"]
    assert headings(*blocks, titled=True) == ["序"]


BLOCKS = st.lists(
    st.builds(Block, st.sampled_from(["雨", "第一回　雨", "一段。", " "]), st.just(""), st.integers(0, 3))
)


@settings(deadline=None)
@given(BLOCKS, st.booleans())
def test_the_passages_of_any_blocks_stand_where_they_say(blocks, titled):
    document = document_of([Block("好", ""), *blocks], name="a", titled=titled)

    passages = document_passages(document, "src")

    assert all(document.text[one.start : one.end] == one.text for one in passages)
    for chapter in {one.chapter for one in passages}:
        assert sum(one.kind is PassageKind.HEADING for one in passages if one.chapter == chapter) == min(chapter, 1)


def test_the_novel_has_its_120_chapters(novel):
    text = novel.read_text(encoding="utf-8")

    passages = split_passages(text, "src")

    assert sum(passage.kind is PassageKind.HEADING for passage in passages) == 120
    assert passages[0].kind is PassageKind.HEADING
    assert all(text[passage.start : passage.end] == passage.text for passage in passages)
