"""Texts of every format come in together, are read in the browser, corrected, taken along and taken out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.domain.text import Source, SourceKind, TextFormat
from tests.browser.conftest import House
from tests.browser.running_app import wait_until
from tests.browser.visitor import PATIENCE, Visitor
from tests.unit.stages.corpus.files import docx, epub, nav_point, paragraph, pdf, style

OpenTab = Callable[..., Visitor]

TITLE = "听檐雨颦卿续冷吟　借诗稿公子湿残墨"
FILES = {
    "竹声.epub": epub(
        {"rain.xhtml": "<p>一段雨。</p><p>二段雨。</p>", "sun.xhtml": "<p>天晴了。</p>"},
        ncx=nav_point(f"雨　{TITLE}", "text/rain.xhtml") + nav_point("晴", "text/sun.xhtml"),
    ),
    "剧本.docx": docx(
        paragraph("夜", style="1"), paragraph("青儿：好雨。"), paragraph("陆远：嗯。"), styles=style("1", "heading 1")
    ),
    "扫描.pdf": pdf([]),
    "印本.pdf": pdf([(72, 700, 18, "第一回　雨"), (72, 650, 12, "纸上的雨。")], [(72, 700, 12, "次页的雨。")]),
    "字幕.srt": "1\n00:01:07,200 --> 00:01:09,000\n青儿：好雨。\n".encode(),
    "假的.txt": b"\x89PNG\r\n\x1a\n",
}


@pytest.fixture
def given(tmp_path: Path) -> list[Path]:
    """The files, on the visitor's disk."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in FILES]


@pytest.mark.slow
def test_texts_of_many_formats_are_imported_read_corrected_and_deleted(
    house: House, open_tab: OpenTab, given: list[Path]
) -> None:
    visitor = open_tab(house.app)
    store = house.services.store

    visitor.open("corpus")
    visitor.unfold("Import texts")
    visitor.give(given)
    visitor.starts_and_sees_succeed("Import", "5 texts received")

    visitor.sees("2 files were left out")
    visitor.sees("扫描.pdf has no text layer: its pages are pictures.")
    visitor.sees("假的.txt is not a text but a PNG file.")
    ours = {one.name: one for one in store.corpus.sources(house.persona) if one.name in FILES}
    assert {one.format for one in ours.values()} == {TextFormat.EPUB, TextFormat.DOCX, TextFormat.PDF, TextFormat.SRT}

    reads_the_ebook(visitor)
    corrects_the_kind(visitor, house, ours["剧本.docx"])
    takes_the_files_along(visitor, ours["印本.pdf"])
    deletes_it(visitor, house, ours["字幕.srt"])
    for source in store.corpus.sources(house.persona):
        if source.name in FILES:
            store.corpus.delete(source.id, who="test")


def turns_to(visitor: Visitor, source: Source) -> None:
    """Choose a text to read, and wait until it is the one on the page."""
    visitor.choose("Text to read", source.name)
    visitor.sees(f"{source.format.value.upper()} · {source.encoding}")
    visitor.settled()


def reads_the_ebook(visitor: Visitor) -> None:
    """Open a chapter; its paragraphs say where in the file they stand."""
    visitor.choose("Text to read", "竹声.epub")
    visitor.sees("2 chapters")
    visitor.sees_row(0, TITLE)
    visitor.pick_row(1)
    reader = visitor.page.locator(".reader")
    expect(reader).to_contain_text("天晴了。", timeout=PATIENCE)
    assert reader.locator(".place").first.inner_text() == "sun#1"


def corrects_the_kind(visitor: Visitor, house: House, source: Source) -> None:
    """Say that a text is of another kind than was recognised."""
    turns_to(visitor, source)
    visitor.press("screenplay")
    visitor.page.get_by_test_id("stPopoverBody").get_by_text("quotes", exact=True).click()
    visitor.sees("The kind was corrected: quotes")
    visitor.settled()
    assert house.services.store.corpus.source(source.id).kind is SourceKind.QUOTES
    assert house.services.store.events.of("source", source.id)[0].after == {"kind": "quotes"}


def takes_the_files_along(visitor: Visitor, source: Source) -> None:
    """Download the file as it came, and the text that was read from it."""
    turns_to(visitor, source)
    visitor.press("Download")
    with visitor.page.expect_download() as original:
        visitor.press("The file as imported")
    with visitor.page.expect_download() as text:
        visitor.press("The text read from it (UTF-8)")
    assert original.value.suggested_filename == "印本.pdf"
    assert original.value.path().read_bytes() == FILES["印本.pdf"]
    assert text.value.suggested_filename == "印本.txt"
    assert "纸上的雨。" in text.value.path().read_text(encoding="utf-8")
    visitor.page.keyboard.press("Escape")


def deletes_it(visitor: Visitor, house: House, source: Source) -> None:
    """Delete a text, told first what goes with it."""
    turns_to(visitor, source)
    expect(visitor.page.locator(".reader .place").first).to_have_text("00:01:07.200", timeout=PATIENCE)
    visitor.press("Delete")
    dialog = visitor.page.get_by_role("dialog")
    visitor.sees(re.compile("With it go: 0 chapters"), within=dialog)
    visitor.press("Delete for good", within=dialog)
    visitor.sees("The text was deleted.")
    wait_until(lambda: source.id not in {one.id for one in house.services.store.corpus.sources(house.persona)}, 20)


@pytest.mark.slow
def test_on_a_phone_in_chinese_nothing_hangs_over_the_edge(house: House, open_tab: OpenTab) -> None:
    visitor = open_tab(house.app, locale="zh-CN", width=390)

    visitor.open(f"corpus?source={house.source_id}")

    expect(visitor.page.locator(".reader")).to_be_visible(timeout=PATIENCE)
    assert visitor.overflows() <= 0


@pytest.mark.slow
def test_a_text_of_300_mb_is_refused_before_it_is_sent(house: House, open_tab: OpenTab, tmp_path: Path) -> None:
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate(300_000_000)  # takes no room on the disk
    visitor = open_tab(house.app)
    visitor.open("corpus")
    visitor.unfold("Import texts")

    visitor.page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(huge)

    visitor.sees(re.compile("must be 64(.0)? ?MB or smaller"))
