"""Makes small files of the formats that are read, byte for byte as other programs write them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from html import escape

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

Placed = tuple[float, float, float, str]
"""A line on a page: x, y, size, text."""


def packed(members: Mapping[str, str | bytes]) -> bytes:
    """Return a zip of those members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def xhtml(body: str) -> str:
    """Return a page of an ebook."""
    head = '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
    names = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
    return f"{head}<html {names}><head><title>书</title></head><body>{body}</body></html>"


def epub(
    pages: Mapping[str, str], *, nav: str = "", ncx: str = "", more: Mapping[str, str] | None = None, linear: str = ""
) -> bytes:
    """Return an ebook of those pages (file name -> body) in that order; `linear` names one that is set apart."""
    items = "".join(f'<item id="{name}" href="text/{name}" media-type="application/xhtml+xml"/>' for name in pages)
    spine = "".join(
        f'<itemref idref="{name}"{" linear=" + chr(34) + "no" + chr(34) if name == linear else ""}/>' for name in pages
    )
    members: dict[str, str | bytes] = {"mimetype": "application/epub+zip"}
    members["META-INF/container.xml"] = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    if nav:
        items += '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        members["OEBPS/nav.xhtml"] = xhtml(f'<nav epub:type="toc"><ol>{nav}</ol></nav>')
    if ncx:
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        members["OEBPS/toc.ncx"] = (
            '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">'
            f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{ncx}</navMap></ncx>'
        )
    members["OEBPS/book.opf"] = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{spine}</spine></package>'
    )
    members |= {f"OEBPS/text/{name}": xhtml(body) for name, body in pages.items()}
    return packed({**members, **(more or {})})


def nav_point(title: str, target: str, inner: str = "") -> str:
    """Return a line of an NCX table of contents."""
    return f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{target}"/>{inner}</navPoint>'


def paragraph(text: str, *, style: str = "", inner: str = "") -> str:
    """Return a paragraph of a Word document."""
    said = f"<w:r><w:t>{escape(text)}</w:t></w:r>" if text else ""
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{said}{inner}</w:p>' if style else f"<w:p>{said}{inner}</w:p>"
    )


def docx(*body: str, styles: str = "", more: Mapping[str, str | bytes] | None = None) -> bytes:
    """Return a Word document of those paragraphs."""
    members: dict[str, str | bytes] = {"[Content_Types].xml": "<Types/>"}
    members["word/document.xml"] = f"<w:document {_W}><w:body>{''.join(body)}</w:body></w:document>"
    if styles:
        members["word/styles.xml"] = f"<w:styles {_W}>{styles}</w:styles>"
    return packed({**members, **(more or {})})


def style(key: str, name: str, inner: str = "") -> str:
    """Return a paragraph style of a Word document."""
    return f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{inner}</w:style>'


def pdf(*pages: Sequence[Placed], mapped: bool = True) -> bytes:
    """Return a PDF with those lines on its pages; unless `mapped`, its font does not say what the characters are."""
    mapping = _to_unicode() if mapped else b""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    objects.append(
        b"<</Type/Font/Subtype/Type0/BaseFont/Song/Encoding/Identity-H/DescendantFonts[4 0 R]"
        + (b"/ToUnicode 6 0 R>>" if mapped else b">>")
    )
    objects.append(
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Song/DW 1000/FontDescriptor 5 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
    )
    objects.append(
        b"<</Type/FontDescriptor/FontName/Song/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0"
        b"/Ascent 900/Descent -200/CapHeight 700/StemV 80>>"
    )
    objects.append(_stream(mapping))
    kids = []
    for page in pages:
        objects.append(_stream(b"".join(map(_drawn, page))))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    return _file(objects)


def _drawn(line: Placed) -> bytes:
    x, y, size, text = line
    return b"BT /F1 %g Tf %g %g Td <%s> Tj ET\n" % (size, x, y, text.encode("utf-16-be").hex().encode())


def _to_unicode() -> bytes:
    ranges = b"".join(
        b"<%02x00><%02xff><%02x00>\n" % (high, high, high) for high in range(256) if not 0xD8 <= high < 0xE0
    )
    blocks = ranges.splitlines()
    body = b"".join(
        b"%d beginbfrange\n%s\nendbfrange\n" % (len(part), b"\n".join(part))
        for part in (blocks[at : at + 100] for at in range(0, len(blocks), 100))
    )
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        b"1 begincodespacerange <0000><ffff> endcodespacerange\n" + body + b"endcmap end end"
    )


def _stream(content: bytes) -> bytes:
    small = zlib.compress(content)
    return b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(small), small)


def _file(objects: Sequence[bytes]) -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + table + tail
