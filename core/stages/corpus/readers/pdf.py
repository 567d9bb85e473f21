"""PDF with a text layer: lines in the order the file has them, put together into the paragraphs they came from."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from core.errors import InvalidInputError
from core.stages.corpus.chapters import is_heading
from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of, joined, one_line
from core.translation import N_

_MAGIC = b"%PDF-"
_MAGIC_WITHIN = 1024
_EDGE = 3
"""Lines at a page's top and bottom among which running titles and page numbers stand."""
_RUNNING = 3
"""Pages on which the same line at the same height is a running title."""
_PAGE_NUMBER = re.compile(
    r"[\s\-–—·•.~〜()（）\[\]|/]*(?:第?\s*\d{1,4}\s*页?|[ivxlc]{1,7})(?:\s*[/／共of]+\s*\d{1,4}\s*页?)?[\s\-–—·•.~〜()（）\[\]|]*$"
)
_DIGITS = re.compile(r"[\d〇零一二三四五六七八九十百]+")
_UNREADABLE = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")
_MOST_UNREADABLE = 0.3
_RADICALS = str.maketrans(
    "⺁⺇⺋⺎⺏⺐⺒⺓⺛⺝⺟⺠⺢⺫⺬⺶⺷⻁⻄⻅⻆⻉⻋⻑⻒⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
    "厂几㔾兀尣尢巳幺旡月母民水目示羊羊虎西见角贝车長镸长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
)
"""Radicals that look like characters; the fonts of some programs give these where the characters are meant."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One printed line; lengths in points, from the lower left corner of the page."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    height: float


@dataclass(frozen=True, slots=True)
class _Column:
    """Where the lines of a page begin and end."""

    left: float
    right: float
    step: float
    """From one line to the next."""
    height: float
    """Of most lines."""


def recognises(data: bytes) -> bool:
    """Whether a file is a PDF; some bytes may stand before its mark, as other programs allow, but no text about it."""
    return data.lstrip().startswith(_MAGIC) or (_MAGIC in data[:_MAGIC_WITHIN] and b"endobj" in data)


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read the text layer; each paragraph's place is the page it begins on, from 1."""
    pages = list(_pages(data, name, limits, tick))
    text = "".join(line.text for page in pages for line in page)
    if not text:
        raise InvalidInputError(
            N_("{name} has no text layer: its pages are pictures."),
            remedy=N_("Run it through a program that recognises text (OCR) and import the result."),
            name=name,
        )
    if len(_UNREADABLE.findall(text)) > _MOST_UNREADABLE * len(text):
        raise InvalidInputError(
            N_("The fonts of {name} do not say which characters they show."),
            remedy=N_("Run it through a program that recognises text (OCR) and import the result."),
            name=name,
        )
    return document_of(_paragraphs(_without_running_titles(pages)), name=name)


def _pages(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Iterator[list[_Line]]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise _unopened(error, name) from None
    with document:
        count = len(document)
        if count > limits.max_pages:
            raise InvalidInputError(
                N_("{name} has {count} pages; {limit} are allowed."),
                remedy=N_("Split it into parts, or raise max_pages in configs/corpus.yaml."),
                name=name,
                count=count,
                limit=limits.max_pages,
            )
        for number in range(count):
            tick(number / count)
            yield _page_lines(document, number)


def _unopened(error: Exception, name: str) -> InvalidInputError:
    if "password" in str(error).lower() or "security" in str(error).lower():
        problem, remedy = N_("{name} is locked with a password."), N_("Save a copy without a password and import that.")
    else:
        problem, remedy = (
            N_("{name} is damaged: it cannot be opened as PDF."),
            N_("Get the file anew, or print it to PDF."),
        )
    return InvalidInputError(problem, remedy=remedy, name=name)


def _page_lines(document: pypdfium2.PdfDocument, number: int) -> list[_Line]:
    try:
        page = document[number]
        letters = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []  # one broken page is no reason to lose the others
    count = letters.count_chars()
    codes = [pdfium.FPDFText_GetUnicode(letters, index) for index in range(count)]
    lines, begin = [], 0
    for index in [at for at, code in enumerate(codes) if code in (10, 13)] + [count]:
        line = _line(letters, codes, range(begin, index), number + 1)
        lines += [line] if line else []
        begin = index + 1
    letters.close()
    page.close()
    return lines


def _line(letters: pypdfium2.PdfTextPage, codes: Sequence[int], within: range, page: int) -> _Line | None:
    inked = [index for index in within if codes[index] > 32 and not chr(codes[index]).isspace()]
    text = _characters(codes[within.start : within.stop])
    if not inked or not text:
        return None
    first, last = _box(letters, inked[0]), _box(letters, inked[-1])
    height = max(pdfium.FPDFText_GetFontSize(letters, inked[0]), first[3] - first[1], 1.0)
    return _Line(text, page, first[0], last[2], first[1], height)


def _characters(codes: Sequence[int]) -> str:
    """Return the text of character codes: halves of pairs put together, radicals as the characters they look like."""
    units = b"".join(code.to_bytes(2, "little") if code < 0x10000 else chr(code).encode("utf-16-le") for code in codes)
    text = units.decode("utf-16-le", errors="ignore").translate(_RADICALS)
    return one_line("".join(unicodedata.normalize("NFKC", one) if "⼀" <= one <= "⿕" else one for one in text))


def _box(letters: pypdfium2.PdfTextPage, index: int) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a character with the room it takes: a quotation mark takes a whole cell."""
    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(letters, index, box)
    return box.left, box.bottom, box.right, box.top


def _without_running_titles(pages: Sequence[Sequence[_Line]]) -> list[list[_Line]]:
    """Leave out what stands at the same height of several pages, their numbers apart, and page numbers at the edges."""
    seen = Counter(_place(line) for page in pages for line in _edges(page))
    running = {place for place, count in seen.items() if count >= min(_RUNNING, max(len(pages), 2))}

    def runs(line: _Line) -> bool:
        return _place(line) in running or (len(pages) > 1 and _PAGE_NUMBER.match(line.text) is not None)

    return [
        [line for line in page if not (runs(line) and any(line is edge for edge in _edges(page)))] for page in pages
    ]


def _edges(page: Sequence[_Line]) -> list[_Line]:
    by_height = sorted(page, key=lambda line: line.bottom)
    return by_height if len(page) <= 2 * _EDGE else by_height[:_EDGE] + by_height[-_EDGE:]


def _place(line: _Line) -> tuple[str, int]:
    """Return what a line says and how high it stands; numbers do not count, but those of chapters tell titles apart."""
    said = line.text if is_heading(line.text) else _DIGITS.sub("#", line.text)
    return said, round(line.bottom / 3)


def _paragraphs(pages: Sequence[Sequence[_Line]]) -> Iterator[Block]:
    lines = [line for page in pages for line in page]
    columns = {number: _column(page, lines) for number, page in enumerate(pages, 1)}
    words, began = "", 1
    before: _Line | None = None
    for line in lines:
        if before is None or _begins(line, before, columns):
            yield Block(words, f"page {began}")
            words, began = line.text, line.page
        else:
            words = joined(words, line.text)
        before = line
    yield Block(words, f"page {began}")


def _column(page: Sequence[_Line], everything: Sequence[_Line]) -> _Column:
    """Return a page's column; of a page with few lines, that of all pages."""
    lines = page if len(page) > _EDGE else everything
    lefts = Counter(round(line.left) for line in lines)
    left = min(place for place, count in lefts.items() if count >= max(lefts.values()) / 3)
    right = sorted(line.right for line in lines)[-max(1, len(lines) // 10)]
    steps = [one.bottom - two.bottom for one, two in pairwise(lines) if one.bottom > two.bottom]
    return _Column(left, right, median(steps) if steps else 0.0, median(line.height for line in lines))


def _begins(line: _Line, before: _Line, columns: dict[int, _Column]) -> bool:
    """Whether a line begins a paragraph: set in, after a short line, after a gap, in another size, or a heading."""
    here, there = columns[line.page], columns[before.page]
    em = line.height
    if line.left > here.left + 0.8 * em or before.right < there.right - 2.2 * before.height:
        return True
    if abs(line.height - before.height) > 0.15 * em or is_heading(line.text) or is_heading(before.text):
        return True
    usual = here.step * max(1.0, line.height / here.height)
    return line.page == before.page and 0 < 1.4 * usual < before.bottom - line.bottom
