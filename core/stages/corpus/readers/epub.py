"""EPUB: a zip of XHTML pages in the order of its spine, with chapter titles from its table of contents."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urldefrag

from lxml import etree

from core.domain.encoding import decode
from core.errors import InvalidInputError
from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of, one_line
from core.stages.corpus.packed import checked_parts, member_bytes, opened
from core.stages.corpus.readers.markup import Paragraph, html_tree, paragraphs, xml_tree
from core.translation import N_

CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_NOTES = re.compile(
    r"\b(?:foot|end|rear)?notes?\b|\bnoteref\b|\bpagebreak\b|\b(?:foot|end|rear)notes?\b|\bdoc-(?:foot|end)"
)
_TITLE_IN = 3
"""Paragraphs at a page's beginning that together may be its title."""


@dataclass(frozen=True, slots=True)
class _Title:
    """A line of the table of contents."""

    anchor: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class _Book:
    """What the package document says: pages in reading order, and where the contents are."""

    pages: tuple[str, ...]
    nav: str
    ncx: str


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read a book; each paragraph's place is its page's file and its number on that page."""
    with opened(io.BytesIO(data), name=name) as archive:
        parts = checked_parts(archive, name=name, max_bytes=limits.max_unpacked)
        book = _book(archive, name)
        _refuse_locked(archive, book, name)
        titles = _contents(archive, parts, book, name)
        blocks: list[Block] = []
        for number, page in enumerate(book.pages):
            tick(number / len(book.pages))
            if page in parts:
                blocks += _page_blocks(_page(archive, page, name), page, titles.get(page, ()), bool(titles))
    return document_of(blocks, name=name, titled=bool(titles))


def _book(archive: zipfile.ZipFile, name: str) -> _Book:
    container = xml_tree(member_bytes(archive, CONTAINER), name)
    package = next((one.get("full-path", "") for one in container.iter("{*}rootfile")), "")
    root = xml_tree(member_bytes(archive, package), name)
    items = {item.get("id", ""): item for item in root.iter("{*}item")}
    paths = {key: _resolved(package, item.get("href", "")) for key, item in items.items()}
    spine = next(root.iter("{*}spine"), None)
    order = [] if spine is None else [one for one in spine.iter("{*}itemref") if one.get("linear") != "no"]
    nav = next((paths[key] for key, item in items.items() if "nav" in item.get("properties", "").split()), "")
    ncx = paths.get("" if spine is None else spine.get("toc", ""), "")
    if not ncx:
        ncx = next((paths[key] for key, item in items.items() if "dtbncx" in item.get("media-type", "")), "")
    wanted = [key for one in order if (key := one.get("idref", "")) in items]
    readable = (paths[key] for key in wanted if items[key].get("media-type", _PAGES[0]) in _PAGES)
    pages = tuple(dict.fromkeys(page for page in readable if page != nav))
    if not pages:
        raise InvalidInputError(
            N_("The ebook {name} names no pages to read."),
            remedy=N_("Convert it anew, for instance from its original text."),
            name=name,
        )
    return _Book(pages, nav, ncx)


def _refuse_locked(archive: zipfile.ZipFile, book: _Book, name: str) -> None:
    if _LOCKS not in archive.namelist():
        return
    locks = xml_tree(member_bytes(archive, _LOCKS), name)
    locked = {unquote(one.get("URI", "")) for one in locks.iter("{*}CipherReference")}
    if locked & set(book.pages):
        raise InvalidInputError(
            N_("The ebook {name} is locked by its seller (DRM)."),
            remedy=N_("Import a copy without such a lock."),
            name=name,
        )


def _contents(
    archive: zipfile.ZipFile, parts: frozenset[str], book: _Book, name: str
) -> Mapping[str, Sequence[_Title]]:
    """Return the lines of the table of contents by page; empty where there is none of any use."""
    lines: list[tuple[str, str, int]] = []
    origin = book.nav
    if book.nav in parts:
        lines = list(_nav_lines(html_tree(decode(member_bytes(archive, book.nav), name)[0], name)))
    if not lines and book.ncx in parts:
        origin = book.ncx
        lines = list(_ncx_lines(xml_tree(member_bytes(archive, book.ncx), name)))
    titles: dict[str, list[_Title]] = {}
    for target, text, level in lines:
        path, anchor = urldefrag(target)
        page = _resolved(origin, path)
        if text and page in book.pages:
            titles.setdefault(page, []).append(_Title(unquote(anchor), text, level))
    return titles


def _nav_lines(root: etree._Element) -> Iterator[tuple[str, str, int]]:
    """Yield target, title and level of each line of a navigation page's table of contents."""
    navs = [one for one in root.iter("nav") if (one.get("epub:type") or "toc") == "toc"]
    for link in navs[0].iter("a") if navs else ():
        level = sum(1 for one in link.iterancestors() if one.tag in ("ol", "ul"))
        yield link.get("href", ""), one_line(_inner_text(link)), max(level, 1)


def _ncx_lines(root: etree._Element) -> Iterator[tuple[str, str, int]]:
    for point in root.iter("{*}navPoint"):
        level = 1 + sum(1 for one in point.iterancestors() if _local(one) == "navPoint")
        text = next((_inner_text(one) for one in point.iterfind("{*}navLabel/{*}text")), "")
        target = next((one.get("src", "") for one in point.iterfind("{*}content")), "")
        yield target, one_line(text), level


def _page(archive: zipfile.ZipFile, page: str, name: str) -> list[Paragraph]:
    data = member_bytes(archive, page)
    if not data.strip():
        return []
    return list(paragraphs(html_tree(decode(data, name)[0], name), _is_note))


def _is_note(element: etree._Element) -> bool:
    """Whether an element is a note, a call to one, or a mark of a printed page's end."""
    return _NOTES.search(f"{element.get('epub:type') or ''} {element.get('role') or ''}") is not None


def _page_blocks(found: list[Paragraph], page: str, titles: Sequence[_Title], titled: bool) -> Iterator[Block]:
    """Yield a page's paragraphs; its titles stand where the contents point, as headings."""
    file = posixpath.basename(page)
    at: dict[int, list[_Title]] = {}
    for title in titles:
        at.setdefault(_place(found, title.anchor), []).append(title)
    said = 0
    for number, one in enumerate([*found, Paragraph("", 0, 0, frozenset())]):
        for title in at.get(number, ()):
            yield Block(title.text, f"{file}#{number + 1}", title.level)
            said = max(said, number + _spelled(found[number : number + _TITLE_IN], title.text))
        if number >= said:
            level = 0 if titled else one.level
            yield replace(Block(one.text, f"{file}#{number + 1}"), level=level)


def _place(found: list[Paragraph], anchor: str) -> int:
    return next((number for number, one in enumerate(found) if anchor and anchor in one.anchors), 0)


def _spelled(beginning: list[Paragraph], title: str) -> int:
    """Return how many paragraphs at a place spell the title, which then need not be read twice."""
    squeezed, spelled = re.sub(r"\s", "", title), ""
    for count, one in enumerate(beginning, 1):
        spelled += re.sub(r"\s", "", one.text)
        if spelled == squeezed:
            return count
    return 0


def _resolved(origin: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), unquote(urldefrag(href)[0])))


def _inner_text(element: etree._Element) -> str:
    return "".join(map(str, element.itertext()))


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname
