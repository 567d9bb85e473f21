"""Each format is told by its content, read into paragraphs that know their place, and refused with the reason."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Passage, PassageKind, TextFormat
from core.errors import InvalidInputError
from core.stages.corpus.chapters import document_passages
from core.stages.corpus.document import Document, ReadingLimits
from core.stages.corpus.readers import read_document
from tests.unit.stages.corpus.files import docx, epub, nav_point, packed, paragraph, pdf, style

LIMITS = ReadingLimits(max_unpacked=3_000_000, max_pages=20)
BODY = "青儿在窗下看书，陆远进来，笑道：“好雨。”青儿道：“有什么好？”"


def read(data: bytes | str, name: str = "a") -> tuple[TextFormat, Document, list[Passage]]:
    """Read a file; its passages stand in its text where they say."""
    content = data.encode() if isinstance(data, str) else data
    form, document = read_document(content, name, limits=LIMITS, tick=lambda _share: None)
    passages = document_passages(document, "src")
    assert all(document.text[one.start : one.end] == one.text for one in passages)
    return form, document, passages


def told(data: bytes | str, name: str = "a") -> list[tuple[str, str]]:
    """Return text and place of each paragraph; headings are marked with a #."""
    marks = {PassageKind.HEADING: "# ", PassageKind.PARAGRAPH: ""}
    return [(marks[one.kind] + one.text, one.place) for one in read(data, name)[2]]


def refused(data: bytes | str, name: str = "a") -> str:
    """Read what must be refused; return the refusal's words."""
    with pytest.raises(InvalidInputError) as refusal:
        read(data, name)
    assert refusal.value.remedy
    return str(refusal.value)


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.epub", "a", "a.exe"])
@pytest.mark.parametrize(
    ("data", "form"),
    [
        (f"第一回　雨\n{BODY}\n".encode("gb18030"), TextFormat.PLAIN),
        (f"<!DOCTYPE html><html><body><p>{BODY}</p></body></html>".encode("gb18030"), TextFormat.HTML),
        (f"\ufeff<?xml version='1.0'?>\n<!-- 雨 -->\n<html><p>{BODY}</p></html>".encode(), TextFormat.HTML),
        (f"# 雨\n\n{BODY}\n\n## 晴\n\n{BODY}\n".encode(), TextFormat.MARKDOWN),
        (f"\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\n{BODY}\r\n".encode("utf-16"), TextFormat.SRT),
        (f"WEBVTT\n\n00:01.000 --> 00:02.500\n{BODY}\n".encode(), TextFormat.VTT),
        (f"[Script Info]\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,{BODY}".encode(), TextFormat.ASS),
        (epub({"a.xhtml": f"<p>{BODY}</p>"}), TextFormat.EPUB),
        (docx(paragraph(BODY)), TextFormat.DOCX),
        (pdf([(72, 700, 12, BODY)]), TextFormat.PDF),
    ],
    ids=["txt", "html", "xhtml", "md", "srt", "vtt", "ass", "epub", "docx", "pdf"],
)
def test_a_file_is_what_its_content_says_whatever_its_name(data, form, name):
    found, document, _passages = read(data, name)

    assert found is form
    assert BODY in document.text


def test_a_name_decides_where_the_content_allows_both():
    assert read(f"**{BODY}**", "a.md")[1].text == BODY
    assert read(f"**{BODY}**", "a.txt")[1].text == f"**{BODY}**"


def test_a_text_about_pdf_is_a_text_and_a_pdf_after_some_noise_is_a_pdf():
    assert read(f"格式以 %PDF-1.7 开头。\n{BODY}")[0] is TextFormat.PLAIN
    assert read(b"HTTP/1.1 200 OK\r\n\r\n" + pdf([(72, 700, 12, BODY)]))[0] is TextFormat.PDF


def test_lines_of_a_novel_with_numbered_marks_are_no_markdown():
    text = "# 第一章 雨\n一段。\n二段，\n# 第二章 晴\n三段。\n四段\n"

    form, document, passages = read(text, "a.txt")

    assert form is TextFormat.PLAIN
    assert document.text == text
    assert len(passages) == 6


def test_a_page_of_the_web_gives_what_a_browser_shows():
    page = f"""<!DOCTYPE html><html><head><title>书</title><style>p {{}}</style></head><body>
    <nav><a href="/">首页</a></nav><script>document.write("偷")</script>
    <h1>竹声</h1><h2>第一回 雨</h2>
    <p>　　青儿<b>笑</b>道：“好
    雨。”<!-- 无 --></p>
    一段。<br/>二段。<div style="display:none">藏</div><div hidden>藏</div><noscript>藏</noscript>
    <p>a &lt; b&nbsp;c<ruby>青<rt>qing</rt></ruby></p><h2>雪</h2><p>{BODY}</p><h4>小题</h4></body></html>"""

    assert told(page) == [
        ("竹声", "line 3"),
        ("# 第一回 雨", "line 3"),
        ("青儿笑道：“好雨。”", "line 4"),
        ("一段。", "line 4"),
        ("二段。", "line 6"),
        ("a < b c青", "line 7"),
        ("# 雪", "line 7"),
        (BODY, "line 7"),
        ("小题", "line 7"),
    ]


def test_a_page_that_is_one_long_text_is_read_whole():
    said = f"{BODY}\n" * 110_000

    assert len(read(f"<html><pre>{said}</pre></html>")[1].blocks or ()) == 110_000


def test_markdown_gives_paragraphs_without_their_marks():
    text = (
        "---\ntitle: 竹声\n---\n# 竹声\n\n## 雨\n\n青儿*笑*道：\n“好雨。”\n陆远[不语](http://a.b)。\n\n"
        "    缩进的一段\n---\n- 甲\n- 乙\n\n> 引文\n\n```\n一行\n二行\n```\n<script>偷</script>\n\n## 晴\n\n末段"
    )

    assert told(text, "a.md") == [
        ("竹声", "line 4"),
        ("# 雨", "line 6"),
        ("青儿笑道：", "line 8"),
        ("“好雨。”", "line 9"),
        ("陆远不语。", "line 10"),
        ("缩进的一段", "line 12"),
        ("甲", "line 14"),
        ("乙", "line 15"),
        ("引文", "line 17"),
        ("一行", "line 20"),
        ("二行", "line 21"),
        ("# 晴", "line 25"),
        ("末段", "line 27"),
    ]


def test_an_ebook_is_read_in_the_order_of_its_spine_with_the_titles_of_its_contents():
    pages = {
        "cover.xhtml": "<p>竹声</p>",
        "b.xhtml": "<h2>第一章</h2><h3>雨</h3><p>一段。</p><p>第九回　书里说的</p><p id='x'>二段。</p>",
        "a.xhtml": '<p>三段<a epub:type="noteref" href="#n">1</a>。</p><aside epub:type="footnote"><p>注</p></aside>',
        "notes.xhtml": "<p>尾注</p>",
    }
    nav = (
        '<li><a href="text/b.xhtml">第一章 雨</a><ol><li><a href="text/b.xhtml#x">后半</a></li></ol></li>'
        '<li><a href="text/a.xhtml">终</a></li>'
    )

    assert told(epub(pages, nav=nav, linear="notes.xhtml")) == [
        ("竹声", "cover.xhtml#1"),
        ("# 第一章 雨", "b.xhtml#1"),
        ("一段。", "b.xhtml#3"),
        ("第九回　书里说的", "b.xhtml#4"),
        ("后半", "b.xhtml#5"),
        ("二段。", "b.xhtml#5"),
        ("# 终", "a.xhtml#1"),
        ("三段。", "a.xhtml#1"),
    ]


def test_an_older_ebook_has_its_titles_in_an_ncx():
    pages = {"a b.xhtml": "<p>一段。</p>", "c.xhtml": "<p>二段。</p>"}
    ncx = nav_point("上卷", "text/a%20b.xhtml", nav_point("雨", "text/a%20b.xhtml")) + nav_point("晴", "text/c.xhtml")

    assert told(epub(pages, ncx=ncx)) == [
        ("上卷", "a b.xhtml#1"),
        ("# 雨", "a b.xhtml#1"),
        ("一段。", "a b.xhtml#1"),
        ("# 晴", "c.xhtml#1"),
        ("二段。", "c.xhtml#1"),
    ]


def test_an_ebook_without_contents_is_divided_by_its_headings_or_else_by_numbers():
    headed = epub({"a.xhtml": "<h1>雨</h1><p>一段。</p>", "b.xhtml": "<h1>晴</h1><p>二段。</p>"})
    numbered = epub({"a.xhtml": "<p>第一回　雨</p><p>一段。</p>"})

    assert [text for text, _place in told(headed)] == ["# 雨", "一段。", "# 晴", "二段。"]
    assert [text for text, _place in told(numbered)] == ["# 第一回　雨", "一段。"]


def test_a_word_document_gives_its_text_as_it_stands():
    styles = style("1", "heading 1") + style("a", "我的标题", '<w:basedOn w:val="1"/>')
    document = docx(
        paragraph("竹声", style="1"),
        paragraph("雨", style="a"),
        paragraph(""),
        paragraph(
            "好", inner="<w:ins><w:r><w:t>大</w:t></w:r></w:ins><w:del><w:r><w:delText>小</w:delText></w:r></w:del>"
        ),
        paragraph("甲", inner="<w:r><w:br/><w:t>乙</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>藏</w:t></w:r>"),
        f"<w:sdt><w:sdtContent>{paragraph('框里')}</w:sdtContent></w:sdt>",
        f"<w:tbl><w:tr><w:tc>{paragraph('格子')}</w:tc></w:tr></w:tbl>",
        '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>晴</w:t></w:r></w:p>',
        paragraph("末段"),
        styles=styles,
        more={"word/vbaProject.bin": b"\x00macro"},
    )

    assert told(document) == [
        ("竹声", "paragraph 1"),
        ("# 雨", "paragraph 2"),
        ("好大", "paragraph 4"),
        ("甲", "paragraph 5"),
        ("乙", "paragraph 5"),
        ("框里", "paragraph 6"),
        ("格子", "paragraph 7"),
        ("# 晴", "paragraph 8"),
        ("末段", "paragraph 9"),
    ]


def test_the_lines_of_a_pdf_become_its_paragraphs_again():
    full = "这一日青儿在窗下看书只听见外面有人走来走去说话"
    pages = [
        [
            (72, 800, 9, "竹声"),
            (72, 700, 18, "第一回　雨"),
            (96, 670, 12, full),
            (72, 652, 12, full + "了又"),
            (72, 634, 12, "走了。"),
            (96, 616, 12, full),
            (72, 598, 12, full + "未完"),
            (290, 30, 9, f"- {number} -"),
        ]
        for number in range(1, 4)
    ]
    pages[1] = [pages[1][0], (72, 670, 12, "接着说完。"), (96, 652, 12, "A short"), pages[1][-1]]

    assert told(pdf(*pages)) == [
        ("# 第一回　雨", "page 1"),
        (f"{full}{full}了又走了。", "page 1"),
        (f"{full}{full}未完接着说完。", "page 1"),
        ("A short", "page 2"),
        ("第一回　雨", "page 3"),
        (f"{full}{full}了又走了。", "page 3"),
        (f"{full}{full}未完", "page 3"),
    ]


def test_titles_of_chapters_at_the_top_of_pages_are_no_running_titles():
    bodies = zip("一二三", ("好雨。", "有什么好？", "你不懂。"), strict=True)
    pages = [[(72, 800, 9, "竹声"), (72, 700, 18, f"第{number}章"), (96, 650, 12, said)] for number, said in bodies]

    assert [text for text, _place in told(pdf(*pages)) if text.startswith("# ")] == ["# 第一章", "# 第二章", "# 第三章"]


def test_radicals_in_a_pdf_are_read_as_the_characters_they_stand_for():
    assert read(pdf([(72, 700, 12, "\u2f08\u2f2d\u2edb\u2ec5来")]))[1].text == "人山风见来"


def test_a_cue_is_a_paragraph_at_its_time():
    text = (
        "1\n00:01:07,200 --> 00:01:09,000\n<i>陆远：好雨。</i>\n青儿：有什么好？\n\n"
        "2\n00:00:05,000 --> 00:00:06,000\n- 来了\n- 谁？\n\n3\n01:00:00,000 --> 01:00:01,000\n一句\n两行\n"
    )

    assert told(text) == [
        ("来了", "00:00:05.000"),
        ("谁？", "00:00:05.000"),
        ("陆远：好雨。", "00:01:07.200"),
        ("青儿：有什么好？", "00:01:07.200"),
        ("一句 两行", "01:00:00.000"),
    ]


def test_who_speaks_in_subtitles_stands_before_the_words():
    ass = (
        "[Script Info]\nTitle: 竹声\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Comment: 0,0:00:00.00,0:00:01.00,D,,0,0,0,,注\n"
        "Dialogue: 0,0:00:01.50,0:00:02.00,D,青儿,0,0,0,,{\\i1}好雨，{\\i0}\\N真好\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,D,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\n"
        "Dialogue: 0,0:00:05.00,0:00:06.00,D,,0,0,0,,陆远：嗯\n"
    )
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.500\n<v 青儿>好雨。</v>\n"

    assert told(ass) == [("青儿：好雨， 真好", "00:00:01.500"), ("陆远：嗯", "00:00:05.000")]
    assert told(vtt) == [("青儿：好雨。", "00:00:01.000")]


def test_a_text_that_was_wrapped_is_put_together_again():
    said = "这一日青儿在窗下看书只听见外面有人走来走去说是下雨了快收衣裳罢她便放下书卷走到廊下去看那竹子上的雨声"
    paragraphs = [f"　　{said * times}完。" for times in (3, 2, 4, 1) * 8]
    wrapped = [line for one in paragraphs for line in (one[at : at + 36] for at in range(0, len(one), 36))]
    text = "第一回　雨\r\n" + "\r\n".join(wrapped)

    form, document, passages = read(text)

    assert form is TextFormat.PLAIN
    assert document.blocks is not None
    assert [one.text for one in passages[1:]] == [one.strip() for one in paragraphs]
    assert passages[1].place == "line 2"


def test_a_text_of_short_paragraphs_is_not_put_together():
    lines = [f"{'雨' * (20 + number % 17)}。" for number in range(200)]

    assert read("\n".join(lines))[1].blocks is None


def test_the_novels_are_not_taken_for_wrapped(novel):
    for path in novel.parent.glob("*.txt"):
        assert read(path.read_bytes(), path.name)[1].blocks is None


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]>'
OUTWARD = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed({"word/document.xml": f"{BOMB}<w:document {W}><w:p><w:t>&y;</w:t></w:p></w:document>"}), "entities"),
        (packed({"word/document.xml": f"{OUTWARD}<w:document {W}><w:p><w:t>&x;</w:t></w:p></w:document>"}), "entities"),
        (packed({"word/document.xml": "<w:document>"}), "damaged"),
        (packed({"word/document.xml": "a" * 2_900_000}), "zip bombs"),
        (packed({"word/document.xml": "<a/>", "b": bytes(3_100_000)}), "more than 3 MB"),
        (packed({"META-INF/container.xml": f"{BOMB}<container>&y;</container>"}), "entities"),
        (packed({"META-INF/container.xml": "<container/>"}), "damaged"),
        (packed({"META-INF/container.xml": "<a/>", "../../etc/cron": "x"}), "outside of it"),
        (epub({}), "names no pages"),
        (epub({"a.xhtml": "<p> </p>"}), "no text"),
        (
            epub(
                {"a.xhtml": f"<p>{BODY}</p>"},
                more={"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/text/a.xhtml"/></e>'},
            ),
            "DRM",
        ),
        (packed({"xl/workbook.xml": "<a/>"}), "XLSX"),
        (packed({"a.txt": BODY}), "archive within an archive"),
        (b"%PDF-1.7\nthis is no PDF", "damaged"),
        (pdf([]), "no text layer"),
        (pdf([(72, 700, 12, "\ue001\ue002\ue003")]), "do not say which characters"),
        (pdf(*[[(72, 700, 12, "雨")]] * 21), "21 pages; 20 are allowed"),
        ("<!DOCTYPE html><html><script>alert(1)</script></html>", "no text"),
        ("1\n00:00:01,000 --> 00:00:02,000\n\n", "no text"),
        (docx(paragraph(BODY))[:-200], "damaged"),
        (epub({"a.xhtml": f"<p>{BODY}</p>"})[:400], "damaged"),
    ],
)
def test_what_is_hostile_broken_or_empty_is_refused_with_the_reason_and_a_remedy(data, words):
    assert words in refused(data)


def test_depth_and_repetition_do_not_stall_a_reader():
    many = 20_000

    for trap in ("<div>" * many, "<a " * many, "<!--" * many, "<p a=1 " * many, "&#x" * many):
        read(f"<html><p>{BODY}</p>{trap}")
    for trap in ("[" * many, "*a " * many, "> " * many, "`" * many, "![" * many, "<" * many):
        read(f"{BODY}\n\n{trap}", "a.md")


SAMPLES = [
    epub({"a.xhtml": f"<h1>雨</h1><p>{BODY}</p>"}, ncx=nav_point("雨", "text/a.xhtml")),
    docx(paragraph("雨", style="1"), paragraph(BODY), styles=style("1", "heading 1")),
    pdf([(72, 700, 12, BODY)]),
    f"<html><body><h1>雨</h1><p>{BODY}</p></body></html>".encode(),
    f"[Script Info]\n[Events]\nFormat: Start, End, Name, Text\nDialogue: 0:00:01.00,0:00:02.00,青儿,{BODY}".encode(),
    f"1\n00:00:01,000 --> 00:00:02,500\n{BODY}\n\n2\n00:00:03,000 --> 00:00:04,000\n好\n".encode(),
    f"WEBVTT\n\n00:01.000 --> 00:02.500\n{BODY}\n".encode(),
    f"# 雨\n\n| 甲 | 乙 |\n|---|---|\n| 1 | 2 |\n\n{BODY}\n\n# 晴\n\n1. 好\n".encode(),
]


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(SAMPLES),
    st.integers(0, 10_000),
    st.binary(max_size=60),
    st.booleans(),
    st.sampled_from(["a", "a.md"]),
)
def test_no_damage_does_more_than_get_a_file_refused(sample, at, noise, cut, name):
    at %= len(sample)
    damaged = sample[:at] + noise + (b"" if cut else sample[at + len(noise) :])

    with suppress(InvalidInputError):
        assert read(damaged, name)[2]


@settings(deadline=None)
@given(
    st.sampled_from(["", "%PDF-1.7\n", "<html>", "[Script Info]\n", "1\n00:00:01,000 --> 00:00:02,000\n"]), st.text()
)
def test_any_text_under_any_beginning_is_read_or_refused(beginning, text):
    with suppress(InvalidInputError):
        assert read((beginning + text).encode("utf-8", errors="ignore"), "a.md")[2]
